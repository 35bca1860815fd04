// LISTEN on a connection of its own, part of PoolCore.

#include <algorithm>
#include <stdexcept>

#include "pg/pool_core.hpp"

namespace vf::pg {
namespace {

constexpr std::size_t kMostChannels = 64;

bool IsChannelName(const std::string& name) {
    constexpr std::size_t kLongestIdentifier = 63;
    return !name.empty() && name.size() <= kLongestIdentifier &&
           std::all_of(name.begin(), name.end(), [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
           });
}

}  // namespace

Task<bool> PoolCore::Listen(std::shared_ptr<PoolCore> core, std::string channel,
                            ListenCallback callback) {
    if (!IsChannelName(channel)) throw std::invalid_argument("not a channel name: " + channel);
    if (core->closed_) ThrowUnavailable(Away::kClosed, false);
    if (!core->channels_.contains(channel) && core->channels_.size() >= kMostChannels) {
        throw std::length_error("too many channels");
    }
    Channel& entry = core->channels_[channel];
    // LISTEN takes no parameter: its text is built, from a name that was checked above.
    entry.name = "vf_listen_" + channel;
    entry.sql = "LISTEN \"" + channel + "\"";
    entry.callbacks.push_back(callback);
    if (entry.in_force) {
        callback(ListenEvent{ListenEvent::Kind::kListening, ""});
        co_return true;
    }
    if (!core->keeps_listening_) {
        core->keeps_listening_ = true;
        Spawn(core->loop_, KeepListening(core), "pg_listen");
    } else {
        core->listen_changed_.cancel();
    }
    const SteadyTime deadline = core->DeadlineAfter({});
    for (;;) {
        const auto found = core->channels_.find(channel);
        if (core->closed_ || found == core->channels_.end()) co_return false;
        if (found->second.in_force) co_return true;
        const bool late = std::chrono::steady_clock::now() >= deadline;
        if (late || core->listen_line_.full()) co_return false;
        co_await core->listen_line_.Wait(deadline, false);
    }
}

Task<void> PoolCore::KeepListening(std::shared_ptr<PoolCore> core) {
    SteadyTimer* changed = &core->listen_changed_;
    while (!core->closed_) {
        std::shared_ptr<Connection> connection = co_await OpenWithBackOff(core, changed);
        if (!connection) co_return;
        if (!connection->alive()) continue;
        core->listening_ = std::move(connection);
        while (core->listening_ && !core->closed_) {
            changed->expires_at(SteadyTime::max());
            std::shared_ptr<Connection> live = core->listening_;
            co_await ListenAll(core, live);
            const bool complete =
                std::all_of(core->channels_.begin(), core->channels_.end(),
                            [](const auto& item) { return item.second.in_force; });
            if (!complete || !core->listening_) continue;
            co_await changed->async_wait(kAwaitTuple);
        }
    }
}

Task<void> PoolCore::ListenAll(std::shared_ptr<PoolCore> core,
                               std::shared_ptr<Connection> connection) {
    std::vector<std::string> missing;
    for (const auto& [name, channel] : core->channels_) {
        if (!channel.in_force) missing.push_back(name);
    }
    for (const std::string& name : missing) {
        if (!connection->alive()) co_return;
        const auto entry = core->channels_.find(name);
        if (entry == core->channels_.end()) co_return;
        const Statement statement{entry->second.name.c_str(), entry->second.sql.c_str()};
        auto segment = std::make_shared<Segment>();
        segment->items.push_back({statement, Params()});
        segment->deadline = core->DeadlineAfter({});
        connection->Submit(segment);
        co_await WaitFor(segment);
        if (segment->state != SegmentState::kDone) {
            // Without an answer in time the connection is no use for listening.
            if (connection->alive()) {
                connection->Close();
                core->OnLost(*connection);
            }
            co_return;
        }
        const auto found = core->channels_.find(name);
        if (found == core->channels_.end()) co_return;
        found->second.in_force = true;
        core->Announce(name, ListenEvent{ListenEvent::Kind::kListening, ""});
    }
    core->listen_line_.WakeAll();
}

void PoolCore::OnNotify(const std::string& channel, std::string payload) {
    Announce(channel, ListenEvent{ListenEvent::Kind::kMessage, std::move(payload)});
}

void PoolCore::Announce(const std::string& channel, const ListenEvent& event) {
    const auto found = channels_.find(channel);
    if (found == channels_.end()) return;
    // A copy: a callback may listen to more.
    const std::vector<ListenCallback> callbacks = found->second.callbacks;
    for (const ListenCallback& callback : callbacks) callback(event);
}

}  // namespace vf::pg

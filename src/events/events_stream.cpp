// Streams of server-sent events, part of EventsCore. A stream holds one page of events at most: it
// reads on when its client has taken them.

#include <fmt/format.h>

#include "base/log.hpp"
#include "events/events_core.hpp"

namespace vf::events {
namespace {

constexpr std::int64_t kPage = 100;
constexpr std::chrono::seconds kDatabasePause{1};
// How long a client that lost its connection waits before it comes again.
constexpr const char* kHello = "retry: 2000\n\n";
constexpr const char* kBeat = ":\n\n";

std::string Frame(const Event& event) {
    const std::string data = json::Print(ToJson(event));
    return fmt::format("id: {}\nevent: {}\ndata: {}\n\n", event.id.Wire(), event.type, data);
}

Error TooMany(ErrorKind kind, std::int64_t most, const char* whose) {
    return Error(kind, "too_many_streams",
                 fmt::format("There are {} event streams {} already. Close one.", most, whose))
        .RetryAfter(std::chrono::seconds(5));
}

}  // namespace

// Where a stream begins: after the event that the client names, or with what comes from now on.
Task<Result<std::int64_t>> EventsCore::StartOf(Core core, TeamId team, Query query) {
    core->RequireStarted();
    co_await LookAfresh(core);
    if (!query.after) co_return core->final_;
    pg::TeamDb db = core->db_->Team(team);
    const EventId after = *query.after;
    const std::optional<std::int64_t> seq = co_await FindSeq(db, after);
    if (seq) co_return *seq;
    co_return Error(ErrorKind::kGone, "events_expired",
                    "There is no such event of this team any more. Start without it.");
}

Task<Result<std::shared_ptr<BytePipe>>> EventsCore::Follow(Core core, TeamId team, Query query) {
    core->RequireStarted();
    if (core->streams_ended_) {
        co_return Error(ErrorKind::kUnavailable, "server_stopping", "The server is stopping.")
            .RetryAfter(std::chrono::seconds(1));
    }
    if (core->streams_.size() >= static_cast<std::size_t>(core->options_.streams)) {
        co_return TooMany(ErrorKind::kUnavailable, core->options_.streams, "on this server");
    }
    if (core->streams_of_team_[team] >= core->options_.streams_per_team) {
        co_return TooMany(ErrorKind::kRateLimited, core->options_.streams_per_team, "of this team");
    }
    // Counted from here on, so that many at once cannot pass the limit while they wait.
    auto stream = std::make_shared<Stream>(core->executor_, team, query);
    core->streams_.insert(stream);
    ++core->streams_of_team_[team];
    core->stream_gauge_.Increment();
    std::optional<Result<std::int64_t>> start;
    std::exception_ptr failure;
    try {
        start = co_await StartOf(core, team, std::move(query));
    } catch (...) {
        failure = std::current_exception();
    }
    if (failure || !start->ok()) core->Forget(stream);
    if (failure) std::rethrow_exception(failure);
    if (!start->ok()) co_return start->error();
    stream->seq = **start;
    auto weak = std::weak_ptr<Stream>(stream);
    stream->pipe->OnAbandon([weak] {
        if (const StreamPtr alive = weak.lock()) alive->bell.Ring();
    });
    stream->pipe->WriteNow(kHello);
    stream->bell.Ring();
    Spawn(core->executor_, RunStream(core, stream), "events_stream");
    co_return stream->pipe;
}

void EventsCore::Forget(const StreamPtr& stream) {
    streams_.erase(stream);
    const auto team = streams_of_team_.find(stream->team);
    if (team != streams_of_team_.end() && --team->second == 0) streams_of_team_.erase(team);
    stream_gauge_.Decrement();
}

// Everything new to the client; false when it is gone.
Task<bool> EventsCore::SendNews(Core core, StreamPtr stream) {
    while (stream->seq < core->final_) {
        pg::TeamDb db = core->db_->Team(stream->team);
        const Range range(stream->seq, core->final_, kPage);
        const std::vector<Event> events =
            co_await EventsOfTeam(db, range, stream->query.types, false);
        for (const Event& event : events) {
            std::string frame = Frame(event);
            const bool taken = co_await stream->pipe->Write(std::move(frame));
            if (!taken) co_return false;
            stream->seq = event.seq;
        }
        if (events.size() < static_cast<std::size_t>(range.limit)) stream->seq = range.to;
    }
    co_return true;
}

Task<void> EventsCore::RunStream(Core core, StreamPtr stream) {
    const Working working(core);
    bool is_open = true;
    while (is_open && !core->streams_ended_ && !stream->pipe->abandoned()) {
        const bool rung = co_await stream->bell.Wait(core->options_.heartbeat);
        if (core->streams_ended_ || stream->pipe->abandoned()) break;
        if (!rung) {
            is_open = co_await stream->pipe->Write(kBeat);
            continue;
        }
        bool again = false;
        try {
            is_open = co_await SendNews(core, stream);
        } catch (const UnavailableException&) {
            again = true;
        } catch (const std::exception& e) {
            log::Error("event_stream_failed", {{"error", e.what()}});
            stream->pipe->Fail(Error());
            break;
        }
        if (!again) continue;
        co_await Sleep(kDatabasePause);
        stream->bell.Ring();
    }
    if (stream->pipe->abandoned()) core->cut_streams_.Increment();
    stream->pipe->Finish();
    core->Forget(stream);
}

}  // namespace vf::events

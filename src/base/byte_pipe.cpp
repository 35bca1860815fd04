#include "base/byte_pipe.hpp"

namespace vf {

BytePipe::BytePipe(Executor executor, std::size_t capacity_bytes)
    : capacity_(capacity_bytes), readable_(executor), writable_(executor) {
    readable_.expires_at(SteadyTimer::time_point::max());
    writable_.expires_at(SteadyTimer::time_point::max());
}

void BytePipe::Wake(SteadyTimer& timer) {
    timer.cancel();
}

bool BytePipe::WriteNow(std::string chunk) {
    if (abandoned_ || finished_) return false;
    if (chunk.empty()) return true;
    queued_ += chunk.size();
    chunks_.push_back(std::move(chunk));
    Wake(readable_);
    return true;
}

Task<bool> BytePipe::Write(std::string chunk) {
    for (;;) {
        if (abandoned_ || finished_) co_return false;
        if (queued_ < capacity_) break;
        co_await writable_.async_wait(kAwaitTuple);
    }
    co_return WriteNow(std::move(chunk));
}

void BytePipe::Finish() {
    finished_ = true;
    Wake(readable_);
}

void BytePipe::Fail(Error error) {
    if (finished_) return;
    error_ = std::move(error);
    finished_ = true;
    Wake(readable_);
}

Task<void> BytePipe::WaitReady() {
    while (chunks_.empty() && !finished_ && !abandoned_) {
        co_await readable_.async_wait(kAwaitTuple);
    }
}

Task<std::optional<std::string>> BytePipe::Read() {
    co_await WaitReady();
    if (abandoned_ || chunks_.empty()) co_return std::nullopt;
    std::string chunk = std::move(chunks_.front());
    chunks_.pop_front();
    queued_ -= chunk.size();
    if (queued_ < capacity_) Wake(writable_);
    co_return chunk;
}

std::string BytePipe::TakeAll() {
    std::string all;
    all.reserve(queued_);
    for (const std::string& chunk : chunks_) all += chunk;
    chunks_.clear();
    queued_ = 0;
    Wake(writable_);
    return all;
}

void BytePipe::Abandon() {
    if (abandoned_) return;
    abandoned_ = true;
    chunks_.clear();
    queued_ = 0;
    Wake(writable_);
    Wake(readable_);
    for (const auto& callback : std::exchange(on_abandon_, {})) callback();
}

void BytePipe::OnAbandon(std::function<void()> callback) {
    if (abandoned_) {
        callback();
        return;
    }
    on_abandon_.push_back(std::move(callback));
}

}  // namespace vf

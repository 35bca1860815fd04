#pragma once
// A bounded pipe of byte chunks between one producer and one consumer coroutine on the same loop:
// how a response body travels from the encoder to the socket.
//
// The producer calls Write() until Finish() or Fail(); Write() waits while more than `capacity`
// bytes are unread and returns false once the consumer has given up. The consumer calls Read()
// until it returns no chunk; then failed() tells a complete body from a broken one. Abandon() is
// the consumer's way to cancel: it drops what is queued, wakes the producer and calls what was
// given to OnAbandon() once. Shared by both sides; lives as long as the longer of them.

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/task.hpp"

namespace vf {

class BytePipe {
public:
    BytePipe(Executor executor, std::size_t capacity_bytes);

    // Queues `chunk`; true when it was taken, false when the consumer is gone. Empty chunks are
    // ignored. At most one Write() at a time.
    Task<bool> Write(std::string chunk);
    // Queues without waiting, beyond the capacity if need be: for the last bytes of an encoder.
    bool WriteNow(std::string chunk);
    void Finish();
    void Fail(Error error);

    // The next chunk; no value at the end, after a failure or after Abandon().
    Task<std::optional<std::string>> Read();
    // True when Read() would not wait.
    bool ready() const { return !chunks_.empty() || finished_; }
    // True when everything is queued already and the producer ended well: the whole body is known.
    bool complete() const { return finished_ && !error_; }
    // Takes everything that is queued at once.
    std::string TakeAll();
    std::size_t queued_bytes() const { return queued_; }

    void Abandon();
    bool abandoned() const { return abandoned_; }
    // At once when it is abandoned already. Every callback that was given is called.
    void OnAbandon(std::function<void()> callback);

    bool failed() const { return error_.has_value(); }
    const std::optional<Error>& error() const { return error_; }

    // Waits until there is a first chunk, an end or a failure, without taking anything: lets a
    // route answer with an error status while nothing has been sent.
    Task<void> WaitReady();

private:
    void Wake(SteadyTimer& timer);

    std::size_t capacity_;
    std::deque<std::string> chunks_;
    std::size_t queued_ = 0;
    bool finished_ = false;
    bool abandoned_ = false;
    std::optional<Error> error_;
    std::vector<std::function<void()>> on_abandon_;
    SteadyTimer readable_;
    SteadyTimer writable_;
};

}  // namespace vf

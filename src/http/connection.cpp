#include "http/connection.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

namespace vf::http {
namespace {

constexpr std::size_t kMaxBatch = 64 * 1024;     // of responses before they are written
constexpr std::uint64_t kSmallBody = 64 * 1024;  // is not counted
constexpr std::uint64_t kMaxSkip = 64 * 1024;    // of an unwanted body before the connection closes
constexpr std::size_t kMaxLinger = 32U << 20U;
constexpr std::chrono::seconds kLingerTime{2};

RequestReader::Limits ReaderLimits(const ServerOptions& options) {
    return {options.max_header_bytes, options.max_target_bytes,
            static_cast<std::uint64_t>(options.max_headers)};
}

}  // namespace

Connection::Connection(std::shared_ptr<ServerCore> core, int fd, Peer peer, const TlsContext* tls)
    : core_(std::move(core)), descriptor_(core_->executor, fd),
      transport_(tls ? tls->MakeTransport(fd) : MakePlainTransport(fd)),
      reader_(ReaderLimits(core_->options)) {
    request_.caller.address = peer.address;
    request_.peer = std::move(peer);
}

void Connection::Start() {
    WaitReadable();
}

void Connection::Refuse() {
    static constexpr std::string_view kBusy =
        "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/problem+json\r\n"
        "Content-Length: 104\r\nRetry-After: 1\r\nConnection: close\r\n\r\n"
        R"({"type":"/errors/too_many_connections","title":"Service Unavailable",)"
        R"("status":503,"detail":"Try again."})";
    static_assert(kBusy.size() - kBusy.find("{\"type") == 104);
    if (!request_.peer.is_tls) {
        outbox_.Append(std::string(kBusy));
        std::size_t written = 0;
        outbox_.Flush(*transport_, written);
    }
    Linger();
}

void Connection::Close() {
    if (is_closed_) return;
    is_closed_ = true;
    const auto self = shared_from_this();
    deadline_kind_ = Deadline::kNone;
    FreeBody();
    core_->Remove(*this);
    ErrorCode ignored;
    descriptor_.close(ignored);
    if (is_working_) {
        if (const auto cancel = request_.cancel) cancel->Cancel();
        if (const auto pipe = pipe_) pipe->Abandon();
        if (const auto socket = socket_) socket->OnGone();
    }
}

void Connection::Abort() {
    if (is_closed_) return;
    const linger reset{1, 0};
    ::setsockopt(descriptor_.native_handle(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    Close();
}

void Connection::FinishClose() {
    // Closing a socket with unread bytes resets it, and the reset can overtake the answer.
    if (reader_.is_idle()) {
        transport_->FinishWriting();
        Close();
    } else {
        Linger();
    }
}

void Connection::Linger() {
    transport_->FinishWriting();
    is_lingering_ = true;
    deadline_kind_ = Deadline::kLinger;
    deadline_ = core_->now() + kLingerTime;
    WaitReadable();
}

void Connection::WaitReadable() {
    if (is_closed_ || is_waiting_to_read_) return;
    if (!is_lingering_ && !socket_) SetReadDeadline();
    is_waiting_to_read_ = true;
    if (transport_->HasPending()) {
        asio::post(core_->executor, [self = shared_from_this()] {
            self->is_waiting_to_read_ = false;
            self->OnReadable();
        });
        return;
    }
    descriptor_.async_wait(Descriptor::wait_read, [self = shared_from_this()](ErrorCode error) {
        self->is_waiting_to_read_ = false;
        if (!error) self->OnReadable();
    });
}

void Connection::SetReadDeadline() {
    const ServerOptions& options = core_->options;
    const TimePoint now = core_->now();
    if (reader_.in_body()) {
        const std::chrono::duration<double> fair(static_cast<double>(reader_.body_bytes()) /
                                                 static_cast<double>(options.min_body_rate));
        const auto rate = std::chrono::duration_cast<std::chrono::milliseconds>(fair);
        deadline_kind_ = Deadline::kBody;
        deadline_ = std::min(now + options.body_timeout, body_since_ + options.body_timeout + rate);
    } else if (reader_.is_idle()) {
        reader_.Shrink();
        request_.body = std::string();  // may be large, and nobody reads it any more
        FreeBody();
        deadline_kind_ = Deadline::kIdle;
        deadline_ = now + (is_first_request_ ? options.header_timeout : options.idle_timeout);
        head_since_ = {};
    } else {
        if (head_since_ == TimePoint{}) head_since_ = now;
        deadline_kind_ = Deadline::kHeader;
        deadline_ = head_since_ + options.header_timeout;
    }
}

void Connection::OnReadable() {
    if (is_closed_) return;
    const IoResult result = transport_->Read(core_->scratch(), core_->scratch_size());
    switch (result.kind) {
        case IoResult::Kind::kDone: break;
        case IoResult::Kind::kWantRead: WaitReadable(); return;
        case IoResult::Kind::kWantWrite:
            descriptor_.async_wait(Descriptor::wait_write,
                                   [self = shared_from_this()](ErrorCode error) {
                                       if (!error) self->OnReadable();
                                   });
            return;
        case IoResult::Kind::kEnd:
        case IoResult::Kind::kError: Close(); return;
    }
    if (is_lingering_) {
        lingered_ += result.bytes;
        if (lingered_ > kMaxLinger) {
            Close();
        } else {
            WaitReadable();
        }
        return;
    }
    if (socket_) {
        OnSocketBytes({core_->scratch(), result.bytes});
        return;
    }
    reader_.Feed({core_->scratch(), result.bytes});
    Process();
}

// Answers all that has arrived. Also called when a handler or a write has ended.
void Connection::Process() {
    if (is_processing_ || is_lingering_) return;
    is_processing_ = true;
    const auto self = shared_from_this();
    while (!is_closed_ && !is_working_ && ProcessNext()) {
    }
    is_processing_ = false;
}

// One step; false when there is something to wait for.
bool Connection::ProcessNext() {
    if (close_after_flush_ || outbox_.size() > kMaxBatch) {
        if (!Flush()) return false;
        if (close_after_flush_) {
            FinishClose();
            return false;
        }
    }
    switch (reader_.Next()) {
        case RequestReader::Event::kNeedMore:
            if (Flush()) WaitReadable();
            return false;
        case RequestReader::Event::kHead: OnHead(); return true;
        case RequestReader::Event::kFailed: OnReadFailure(); return true;
        case RequestReader::Event::kComplete: break;
    }
    if (std::exchange(is_answered_, false)) return true;
    request_.body = std::move(reader_.body());
    return Dispatch();
}

bool Connection::HoldBody(std::uint64_t bytes) {
    FreeBody();
    if (bytes <= kSmallBody) return true;
    if (bytes > core_->options.max_body_memory - core_->body_bytes) return false;
    held_bytes_ = bytes;
    core_->body_bytes += bytes;
    return true;
}

void Connection::FreeBody() {
    core_->body_bytes -= std::exchange(held_bytes_, 0);
}

void Connection::OnHead() {
    started_ = std::chrono::steady_clock::now();
    queued_bytes_ = 0;
    body_since_ = core_->now();
    is_first_request_ = false;
    head_since_ = {};
    RequestHead& head = reader_.head();
    keep_alive_ = head.keep_alive;
    const bool has_body = head.has_body();
    const bool fits_skip = head.is_chunked || head.content_length <= kMaxSkip;
    Admission admission = Admit(head, request_, core_->router, core_->options.max_body);
    route_ = admission.route;
    is_guard_late_ = admission.is_guard_late;
    const std::uint64_t announced = head.is_chunked ? admission.max_body : head.content_length;
    const bool fits_limit =
        announced <= admission.max_body;  // what does not is told so by the reader
    if (!admission.answer && fits_limit && !HoldBody(announced)) {
        const Error error = Error(ErrorKind::kUnavailable, "server_busy",
                                  "The server holds as many large request bodies as it may. Try "
                                  "again in a moment.")
                                .RetryAfter(std::chrono::seconds(1));
        admission.answer = route_->options.errors(error, request_);
    }
    if (!admission.answer) {
        reader_.ReadBody(admission.max_body);
        if (admission.expects_continue) outbox_.Text() += "HTTP/1.1 100 Continue\r\n\r\n";
        return;
    }
    // A client that waits for "100 Continue" may or may not send its body now: only closing is
    // unambiguous.
    const bool can_skip = !has_body || (fits_skip && !request_.headers.Has("Expect"));
    if (!can_skip) keep_alive_ = false;
    Answer(std::move(*admission.answer));
    if (can_skip) {
        is_answered_ = true;
        reader_.SkipBody(kMaxSkip);
    }
}

void Connection::OnReadFailure() {
    if (std::exchange(is_answered_, false)) {
        close_after_flush_ = true;
        return;
    }
    keep_alive_ = false;
    ErrorFormat format = ProblemResponse;
    if (route_) {  // the head was fine: the route's own format
        format = route_->options.errors;
    } else {
        started_ = std::chrono::steady_clock::now();
        RequestHead nothing;
        DescribeBadRequest(reader_.has_target() ? reader_.head() : nothing, request_);
        format = core_->router.ErrorsFor(request_.path);
    }
    Answer(format(reader_.error(), request_));
}

void Connection::OnTick(TimePoint now) {
    if (const auto socket = socket_) socket->OnTick(now);
    if (deadline_kind_ == Deadline::kNone || now < deadline_) return;
    switch (deadline_kind_) {
        case Deadline::kNone: return;
        case Deadline::kIdle:
            transport_->FinishWriting();
            Close();
            return;
        case Deadline::kLinger: Close(); return;
        case Deadline::kWrite: Abort(); return;
        case Deadline::kHeader:
        case Deadline::kBody: OnReadTimeout(); return;
    }
}

void Connection::OnReadTimeout() {
    const bool in_body = deadline_kind_ == Deadline::kBody;
    deadline_kind_ = Deadline::kNone;
    reader_.GiveUp(Error(ErrorKind::kRequestTimeout, in_body ? "body_timeout" : "header_timeout",
                         in_body ? "The body came too slowly." : "The header came too slowly."));
    Process();
}

void Connection::OnDrain() {
    if (socket_) socket_->OnDrain();
    const bool is_idle = !is_working_ && reader_.is_idle() && outbox_.empty();
    if (!is_idle || is_lingering_) return;
    transport_->FinishWriting();
    Close();
}

// Completes when the peer resets the connection. Data and a half-close do not count.
void Connection::WatchForReset() {
    if (is_watching_ || is_closed_) return;
    is_watching_ = true;
    descriptor_.async_wait(Descriptor::wait_error, [self = shared_from_this()](ErrorCode error) {
        if (error || self->is_closed_) return;
        pollfd state{self->descriptor_.native_handle(), 0, 0};  // urgent data completes it as well
        if (::poll(&state, 1, 0) == 1 && (state.revents & (POLLERR | POLLHUP)) != 0) {
            self->Close();
        } else {
            self->is_watching_ = false;
        }
    });
}

bool Connection::Flush() {
    if (is_closed_) return false;
    if (outbox_.empty()) return true;
    std::size_t written = 0;
    const Outbox::State state = outbox_.Flush(*transport_, written);
    if (socket_) queued_bytes_ += written;
    core_->metrics.bytes_sent.Increment(static_cast<double>(written));
    if (state == Outbox::State::kEmpty) {
        deadline_kind_ = Deadline::kNone;
        return true;
    }
    if (state == Outbox::State::kFailed) {
        Close();
        return false;
    }
    if (written > 0 || deadline_kind_ != Deadline::kWrite) {
        deadline_kind_ = Deadline::kWrite;
        deadline_ = core_->now() + core_->options.write_timeout;
    }
    if (std::exchange(is_waiting_to_write_, true)) return false;
    descriptor_.async_wait(Descriptor::wait_write, [self = shared_from_this()](ErrorCode error) {
        self->is_waiting_to_write_ = false;
        if (error || self->is_closed_) return;
        const bool is_empty = self->Flush();
        if (const auto socket = self->socket_) {
            socket->OnWritten();
        } else if (is_empty) {
            self->Process();
        }
    });
    return false;
}

}  // namespace vf::http

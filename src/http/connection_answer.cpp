// Answers: handlers, response heads, bodies and streams.
#include <exception>

#include "http/connection.hpp"

namespace vf::http {
namespace {

constexpr std::size_t kMaxGather = 64 * 1024;  // of a stream's chunks in one write

std::uint64_t SizeOf(const Body& body) {
    if (const auto* text = std::get_if<std::string>(&body)) return text->size();
    if (const auto* shared = std::get_if<std::shared_ptr<const std::string>>(&body)) {
        return *shared ? (*shared)->size() : 0;
    }
    return std::get<StreamBody>(body).length.value_or(0);
}

}  // namespace

bool Connection::Dispatch() {
    if (route_->quick && !is_guard_late_) {
        Response response;
        try {
            response = route_->quick(request_);
        } catch (...) {
            response = route_->options.errors(ErrorOfException(request_), request_);
        }
        if (!std::holds_alternative<StreamBody>(response.body)) {
            Answer(std::move(response));
            return true;
        }
        // Quick handlers have no stream to wait for by contract; one that has is a bug of ours.
        std::get<StreamBody>(response.body).pipe->Abandon();
        Answer(route_->options.errors(Error(), request_));
        return true;
    }
    is_working_ = true;
    deadline_kind_ = Deadline::kNone;
    request_.cancel = std::make_shared<CancelFlag>();
    if (route_->socket) {
        Spawn(core_->executor, RunSocket(shared_from_this()), "http_socket");
    } else {
        Spawn(core_->executor, RunHandler(shared_from_this()), "http_handler");
    }
    if (!is_working_) return true;
    Flush();  // the answers before this one do not wait for it
    WatchForReset();
    return false;
}

// The late part of the guard, when it has one to run, and the handler.
Task<Response> Connection::Respond(std::shared_ptr<Connection> self) {
    Route& route = *self->route_;
    if (self->is_guard_late_) {
        Task<Result<void>> decision = route.options.guard.late(self->request_);
        const Result<void> admitted = co_await std::move(decision);
        if (!admitted) co_return route.options.errors(admitted.error(), self->request_);
    }
    if (route.quick) co_return route.quick(self->request_);
    Task<Response> work = route.handler(self->request_);
    co_return co_await std::move(work);
}

Task<void> Connection::RunHandler(std::shared_ptr<Connection> self) {
    Response response;
    std::optional<Error> failure;
    try {
        response = co_await Respond(self);
    } catch (...) {
        failure = ErrorOfException(self->request_);
    }
    if (failure) response = self->route_->options.errors(*failure, self->request_);
    auto* stream = std::get_if<StreamBody>(&response.body);
    if (stream) self->pipe_ = stream->pipe;
    if (self->is_closed_) {
        if (stream) stream->pipe->Abandon();
        if (response.on_done) response.on_done(false);
        self->LogExchange(499, false);
        self->is_working_ = false;
        co_return;
    }
    self->Queue(response);
    bool is_whole = true;
    if (stream && self->pipe_) {
        StreamBody body = *stream;
        is_whole = co_await Stream(self, std::move(body));
        self->core_->wall_clock().Update();
    }
    if (response.on_done) {
        const bool is_written = co_await FlushAll(self);
        response.on_done(is_whole && is_written);
    }
    self->FinishExchange(is_whole);
}

// For answers that are whole already.
void Connection::Answer(Response response) {
    Queue(response);
    LogExchange(status_, true);
    if (!keep_alive_) close_after_flush_ = true;
}

BodyFraming Connection::ChooseFraming(const Response& response, std::uint64_t& length) const {
    length = SizeOf(response.body);
    if (response.status == 204 || response.status == 304) return BodyFraming::kNone;
    const auto* stream = std::get_if<StreamBody>(&response.body);
    if (!stream || stream->length) return BodyFraming::kLength;
    if (request_.method == Method::kHead) return BodyFraming::kNone;
    return request_.minor_version == 1 ? BodyFraming::kChunked : BodyFraming::kUntilClose;
}

void Connection::Queue(Response& response) {
    core_->wall_clock().Update();
    CompressBody(response, request_);
    HeadOptions head;
    head.framing = framing_ = ChooseFraming(response, head.length);
    if (core_->draining() || framing_ == BodyFraming::kUntilClose) keep_alive_ = false;
    if (response.headers.Get("Connection") == "close") keep_alive_ = false;
    head.keep_alive = keep_alive_;
    head.minor_version = request_.minor_version;
    head.request_id = request_.id;
    head.date = core_->wall_clock().date();
    status_ = response.status;
    std::string& text = outbox_.Text();
    const std::size_t before = text.size();
    AppendResponseHead(text, response, head);
    queued_bytes_ = text.size() - before;
    auto* stream = std::get_if<StreamBody>(&response.body);
    if (request_.method == Method::kHead || framing_ == BodyFraming::kNone) {
        if (stream && stream->pipe) stream->pipe->Abandon();
        pipe_.reset();
        return;
    }
    if (stream) return;
    queued_bytes_ += SizeOf(response.body);
    if (auto* own = std::get_if<std::string>(&response.body)) {
        outbox_.Append(std::move(*own));
    } else if (auto& shared = std::get<std::shared_ptr<const std::string>>(response.body)) {
        outbox_.Append(std::move(shared));
    }
}

void Connection::QueueChunk(std::string chunk, BodyFraming framing) {
    queued_bytes_ += chunk.size();
    if (framing != BodyFraming::kChunked) {
        outbox_.Append(std::move(chunk));
        return;
    }
    AppendChunkSize(outbox_.Text(), chunk.size());
    outbox_.Append(std::move(chunk));
    outbox_.Text() += "\r\n";
}

// Copies the pipe to the socket; true when the body is whole. The head waits in the outbox and
// leaves with the first chunk if there is one already.
Task<bool> Connection::Stream(std::shared_ptr<Connection> self, StreamBody body) {
    std::uint64_t sent = 0;
    for (;;) {
        if (!body.pipe->ready() || self->outbox_.size() >= kMaxGather) {
            const bool is_open = co_await FlushAll(self);
            if (!is_open) break;
            self->WatchForReset();
        }
        std::optional<std::string> chunk = co_await body.pipe->Read();
        if (!chunk || self->is_closed_) break;
        sent += chunk->size();
        if (body.length && sent > *body.length) break;
        self->QueueChunk(std::move(*chunk), self->framing_);
    }
    const bool is_whole = !self->is_closed_ && body.pipe->complete() &&
                          body.pipe->queued_bytes() == 0 && !body.pipe->abandoned() &&
                          (!body.length || sent == *body.length);
    if (!is_whole) body.pipe->Abandon();
    if (is_whole && self->framing_ == BodyFraming::kChunked) self->outbox_.Text() += "0\r\n\r\n";
    const bool is_written = co_await FlushAll(self);
    co_return is_whole&& is_written;
}

Task<bool> Connection::FlushAll(std::shared_ptr<Connection> self) {
    for (;;) {
        if (self->is_closed_) co_return false;
        std::size_t written = 0;
        const Outbox::State state = self->outbox_.Flush(*self->transport_, written);
        self->core_->metrics.bytes_sent.Increment(static_cast<double>(written));
        if (state == Outbox::State::kFailed) self->Close();
        if (state != Outbox::State::kBlocked) {
            self->deadline_kind_ = Deadline::kNone;
            co_return state == Outbox::State::kEmpty;
        }
        if (written > 0 || self->deadline_kind_ != Deadline::kWrite) {
            self->deadline_kind_ = Deadline::kWrite;
            self->deadline_ = self->core_->now() + self->core_->options.write_timeout;
        }
        co_await self->descriptor_.async_wait(Descriptor::wait_write, kAwaitTuple);
    }
}

void Connection::FinishExchange(bool body_is_whole) {
    LogExchange(status_, body_is_whole);
    is_working_ = false;
    pipe_.reset();
    request_.cancel.reset();
    if (is_closed_) return;
    if (!body_is_whole) {
        // What was sent still arrives; a missing last chunk says that it is not all. Where the end
        // of the connection is the end of the body, only a reset can say so.
        if (framing_ == BodyFraming::kUntilClose) {
            Abort();
        } else {
            transport_->FinishWriting();
            Close();
        }
        return;
    }
    if (!keep_alive_) close_after_flush_ = true;
    Process();
}

void Connection::LogExchange(int status, bool is_whole) {
    const auto duration = std::chrono::steady_clock::now() - started_;
    core_->Log(request_, route_, {status, queued_bytes_, duration, is_whole});
    route_ = nullptr;
}

}  // namespace vf::http

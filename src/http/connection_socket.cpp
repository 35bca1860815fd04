// From a request to a WebSocket and to its end.
#include <linux/sockios.h>
#include <sys/ioctl.h>

#include <exception>

#include "base/log.hpp"
#include "http/connection.hpp"

namespace vf::http {
namespace {

constexpr int kSwitchingProtocols = 101;

Error Busy(std::string code, std::string message) {
    return Error(ErrorKind::kUnavailable, std::move(code), std::move(message))
        .RetryAfter(std::chrono::seconds(1));
}

}  // namespace

// The answer to a request that is not upgraded; no value: it is, with `accept`.
Task<std::optional<Response>> Connection::RefuseSocket(std::shared_ptr<Connection> self,
                                                       std::string* accept) {
    const RouteOptions& options = self->route_->options;
    Request& request = self->request_;
    Result<std::string> upgrade = CheckUpgrade(request);
    if (!upgrade) {
        Response response = options.errors(upgrade.error(), request);
        response.headers.Set("Upgrade", "websocket");
        response.headers.Set("Sec-WebSocket-Version", "13");
        co_return response;
    }
    *accept = *std::move(upgrade);
    if (self->is_guard_late_) {
        Task<Result<void>> decision = options.guard.late(request);
        const Result<void> admitted = co_await std::move(decision);
        if (!admitted) co_return options.errors(admitted.error(), request);
    }
    ServerCore& core = *self->core_;
    if (core.draining()) {
        const Error error = Busy("server_stopping", "The server is stopping. Please try again.");
        co_return options.errors(error, request);
    }
    if (core.sockets >= core.options.ws_max_sockets) {
        const Error error = Busy("too_many_sockets",
                                 "The server has as many open WebSockets as it may. Please try "
                                 "again.");
        co_return options.errors(error, request);
    }
    co_return std::nullopt;
}

Task<void> Connection::RunSocket(std::shared_ptr<Connection> self) {
    std::optional<Response> refusal;
    std::optional<Error> failure;
    std::string accept;
    try {
        refusal = co_await RefuseSocket(self, &accept);
    } catch (...) {
        failure = ErrorOfException(self->request_);
    }
    if (failure) refusal = self->route_->options.errors(*failure, self->request_);
    if (self->is_closed_) {
        self->LogExchange(499, false);
        self->is_working_ = false;
        co_return;
    }
    if (refusal) {
        self->Queue(*refusal);
        self->FinishExchange(true);
        co_return;
    }
    self->Upgrade(accept);
    const std::shared_ptr<WebSocketSession> socket = self->socket_;
    const SocketHandler& handler = self->route_->socket;
    try {
        Task<void> work = handler(socket);
        co_await std::move(work);
    } catch (...) {
        failure = ErrorOfException(self->request_);
    }
    if (failure) {
        const bool is_busy = failure->kind() == ErrorKind::kUnavailable;
        socket->Close(is_busy ? CloseCode::kTryAgain : CloseCode::kInternal, failure->message());
    } else {
        socket->Close(CloseCode::kNormal, {});
    }
    co_await socket->WaitClosed();
    self->FinishSocket();
}

void Connection::Upgrade(const std::string& accept) {
    core_->wall_clock().Update();
    Response response(kSwitchingProtocols);
    response.headers.Add("Upgrade", "websocket");
    response.headers.Add("Sec-WebSocket-Accept", accept);
    const std::string chosen = ChooseSubprotocol(request_, route_->options.subprotocols);
    if (!chosen.empty()) response.headers.Add("Sec-WebSocket-Protocol", chosen);
    HeadOptions head;
    head.framing = BodyFraming::kNone;
    head.upgrade = true;
    head.request_id = request_.id;
    head.date = core_->wall_clock().date();
    status_ = kSwitchingProtocols;
    AppendResponseHead(outbox_.Text(), response, head);
    deadline_kind_ = Deadline::kNone;
    ++core_->sockets;
    core_->metrics.sockets.Increment();
    socket_ = std::make_shared<WebSocketSession>(*core_, request_, *this);
    queued_bytes_ = 0;
    FlushSocket();
    const std::string early = reader_.TakeRest();
    if (!early.empty()) {
        OnSocketBytes(early);
    } else {
        ResumeReading();
    }
}

void Connection::FinishSocket() {
    --core_->sockets;
    core_->metrics.sockets.Decrement();
    LogExchange(status_, !is_closed_);
    is_working_ = false;
    const auto socket = std::move(socket_);
    socket->OnGone();
    if (!is_closed_) Linger();
}

void Connection::OnSocketBytes(std::string_view bytes) {
    const auto socket = socket_;
    socket->OnBytes(bytes);
    if (socket->has_room()) WaitReadable();
}

void Connection::FlushSocket() {
    Flush();
}

void Connection::ResumeReading() {
    WaitReadable();
}

void Connection::DropSocket() {
    Abort();
}

bool Connection::is_drained() const {
    int waiting = 0;
    if (!outbox_.empty()) return false;
    const int fd = const_cast<Descriptor&>(descriptor_).native_handle();
    return ::ioctl(fd, SIOCOUTQ, &waiting) != 0 || waiting == 0;
}

void Connection::CloseForGood() {
    if (const auto socket = socket_)
        socket->Close(CloseCode::kGoingAway, "The server is stopping.");
    Close();
}

}  // namespace vf::http

#pragma once
// One client's connection: reads requests, has them answered one after the other, writes the
// answers. A state machine of callbacks, so that a quick handler costs no coroutine; a handler that
// waits, and a body that is still being made, run in a coroutine that shares ownership.
//
// Reading stops while a handler works (TCP's flow control bounds what a pipelining client can
// queue). One deadline at a time; the server's tick compares it with the time.

#include <memory>
#include <optional>
#include <string>

#include "http/admission.hpp"
#include "http/outbox.hpp"
#include "http/response_writer.hpp"
#include "http/server_core.hpp"
#include "http/websocket_session.hpp"

namespace vf::http {

class Connection final : public std::enable_shared_from_this<Connection>, public SocketWire {
public:
    // Takes `fd` over.
    Connection(std::shared_ptr<ServerCore> core, int fd, Peer peer, const TlsContext* tls);

    void Start();
    // Answers 503 and closes: the server has as many connections as it may.
    void Refuse();
    void OnTick(TimePoint now);
    // Closes now if no request is in progress; else the response in progress is the last one.
    void OnDrain();
    void Close();
    // Close() when the server's time is over: a WebSocket is told so.
    void CloseForGood();

    std::size_t index = 0;  // in the server's list

private:
    enum class Deadline { kNone, kIdle, kHeader, kBody, kWrite, kLinger };

    // Reading.
    void WaitReadable();
    void SetReadDeadline();
    void OnReadable();
    void Process();
    bool ProcessNext();
    void OnHead();
    void OnReadFailure();
    // Takes a body's share of the server's memory; false: there is not so much left.
    bool HoldBody(std::uint64_t bytes);
    void FreeBody();
    void OnReadTimeout();

    // Answering. Dispatch() is false when the answer comes later.
    bool Dispatch();
    static Task<Response> Respond(std::shared_ptr<Connection> self);
    static Task<void> RunHandler(std::shared_ptr<Connection> self);
    void Answer(Response response);
    // Queues head and body; a stream's body follows by Stream().
    void Queue(Response& response);
    BodyFraming ChooseFraming(const Response& response, std::uint64_t& length) const;
    static Task<bool> Stream(std::shared_ptr<Connection> self, StreamBody body);
    void QueueChunk(std::string chunk, BodyFraming framing);
    void FinishExchange(bool body_is_whole);
    void LogExchange(int status, bool is_whole);
    void WatchForReset();

    // WebSockets.
    static Task<void> RunSocket(std::shared_ptr<Connection> self);
    static Task<std::optional<Response>> RefuseSocket(std::shared_ptr<Connection> self,
                                                      std::string* accept);
    void Upgrade(const std::string& accept);
    void FinishSocket();
    void OnSocketBytes(std::string_view bytes);
    Outbox& outbox() override { return outbox_; }
    void FlushSocket() override;
    void ResumeReading() override;
    void DropSocket() override;
    bool is_drained() const override;

    // Writing. Flush() is false when the rest is written later or the connection is closed.
    bool Flush();
    static Task<bool> FlushAll(std::shared_ptr<Connection> self);
    void FinishClose();
    void Linger();
    void Abort();  // with a reset, so that nobody takes what was sent for complete

    std::shared_ptr<ServerCore> core_;
    Descriptor descriptor_;
    std::unique_ptr<Transport> transport_;
    RequestReader reader_;
    std::uint64_t held_bytes_ = 0;  // of core_->body_bytes
    Outbox outbox_;
    Request request_;
    Route* route_ = nullptr;
    std::shared_ptr<BytePipe> pipe_;            // of the response in progress
    std::shared_ptr<WebSocketSession> socket_;  // from the upgrade on

    Deadline deadline_kind_ = Deadline::kNone;
    TimePoint deadline_{};
    TimePoint head_since_{};  // first byte of the request that is being read
    TimePoint body_since_{};
    std::chrono::steady_clock::time_point started_{};  // exact, for the log

    int status_ = 0;
    std::size_t queued_bytes_ = 0;  // of the response in progress
    std::size_t lingered_ = 0;
    BodyFraming framing_ = BodyFraming::kNone;
    bool keep_alive_ = true;  // of the request in progress
    bool close_after_flush_ = false;
    bool is_guard_late_ = false;  // the route's guard could not tell before the body
    bool is_answered_ = false;    // before the body was read
    bool is_working_ = false;     // a handler or a stream
    bool is_processing_ = false;  // Process() is on the stack
    bool is_waiting_to_read_ = false;
    bool is_waiting_to_write_ = false;
    bool is_lingering_ = false;
    bool is_watching_ = false;
    bool is_first_request_ = true;
    bool is_closed_ = false;
};

}  // namespace vf::http

#pragma once
// One WebSocket between its connection, which moves bytes, and its handler, which sees messages.
// Shared by both; on the loop.

#include <deque>
#include <optional>
#include <string>

#include "base/bell.hpp"
#include "http/outbox.hpp"
#include "http/server_core.hpp"
#include "http/websocket.hpp"
#include "http/websocket_reader.hpp"

namespace vf::http {

// What a session needs of its connection.
class SocketWire {
public:
    virtual Outbox& outbox() = 0;
    virtual void FlushSocket() = 0;       // writes what the socket takes now
    virtual void ResumeReading() = 0;     // the session has room again
    virtual void DropSocket() = 0;        // ends the connection at once
    virtual bool is_drained() const = 0;  // the peer's kernel has all that was written

protected:
    ~SocketWire() = default;
};

class WebSocketSession final : public WebSocket {
public:
    // `wire` is used until OnGone().
    WebSocketSession(ServerCore& core, const Request& request, SocketWire& wire);

    // For the handler.
    Request& request() override { return request_; }
    Task<SocketEvent> Read(std::chrono::steady_clock::duration limit) override;
    Task<bool> Send(std::string text) override;
    Task<bool> Send(std::string text, std::string binary) override;
    Task<bool> SendBinary(std::string data) override;
    Task<bool> Flush() override;
    void Close(CloseCode code, std::string_view reason) override;
    bool is_open() const override { return wire_ && !close_sent_; }
    const std::shared_ptr<CancelFlag>& closed() const override { return closed_; }

    // For the connection.
    void OnBytes(std::string_view bytes);
    bool has_room() const;  // for more bytes of the client
    void OnWritten();       // some of the outbox
    void OnTick(TimePoint now);
    void OnDrain();
    void OnGone();
    // Waits until the closing is done: both have said so, or the peer had its time.
    Task<void> WaitClosed();

private:
    void TakeEvents();
    bool Take(WebSocketReader::Event event);  // false: nothing follows
    void SendPong(std::string payload);
    void SendClose(std::uint16_t code, std::string_view reason);
    bool has_write_room() const;
    Task<bool> WaitForRoom();

    Request request_;
    SocketWire* wire_;
    const TimePoint* now_;  // the server's
    const std::uint64_t max_unread_;
    const std::uint64_t max_unsent_;
    const std::chrono::milliseconds ping_interval_;
    const std::chrono::milliseconds pong_timeout_;
    WebSocketReader reader_;

    std::deque<SocketEvent> unread_;
    std::size_t unread_bytes_ = 0;
    Bell readable_;
    SteadyTimer writable_;
    SteadyTimer closing_;
    std::optional<std::string> pong_;  // the last one, which waits for room
    std::shared_ptr<CancelFlag> closed_ = std::make_shared<CancelFlag>();
    TimePoint heard_;
    TimePoint pinged_;
    TimePoint close_deadline_{};
    bool is_draining_ = false;  // and Read() has not said so yet
    bool close_sent_ = false;
    bool peer_ended_ = false;  // sent a close frame, or something that is none
};

// Whether `request` opens a WebSocket; the value is what Sec-WebSocket-Accept says. Errors:
// kUpgradeRequired, kInvalid.
Result<std::string> CheckUpgrade(const Request& request);
// The first of `known` that Sec-WebSocket-Protocol names; "" when there is none.
std::string ChooseSubprotocol(const Request& request, const std::vector<std::string>& known);

}  // namespace vf::http

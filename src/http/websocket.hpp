#pragma once
// WebSockets (RFC 6455) as a handler sees them: whole messages in and out of one upgraded
// connection. Everything on the loop.
//
//   Task<void> Echo(std::shared_ptr<WebSocket> socket) {
//       for (;;) {
//           const SocketEvent event = co_await socket->Read(kLimit);
//           if (event.kind != SocketEvent::Kind::kMessage) break;
//           const bool taken = co_await socket->Send(event.data);
//           if (!taken) break;
//       }
//   }
//   router.AddSocket("/v1/echo", &Echo, options);
//
// The connection keeps to the protocol by itself: it answers pings, pings a peer that says nothing,
// and closes with 1002 for frames that are none, 1007 for text that is not UTF-8, 1009 for messages
// beyond http.ws_max_message. Compression is never agreed on. A peer that takes no byte for
// http.write_timeout is cut off.
//
// Reading goes on while a handler works, up to a bound; then the peer has to wait.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/cancel.hpp"
#include "base/task.hpp"
#include "http/request.hpp"

namespace vf::http {

enum class CloseCode : std::uint16_t {
    kNormal = 1000,
    kGoingAway = 1001,  // the server stops
    kProtocolError = 1002,
    kUnsupported = 1003,     // a kind of message that has no meaning here: binary for JSON
    kInvalidPayload = 1007,  // text that is not UTF-8
    kPolicy = 1008,          // refused: credentials, limits, what a message says
    kTooBig = 1009,
    kInternal = 1011,
    kTryAgain = 1013,  // the server is too busy
};

struct SocketEvent {
    enum class Kind : std::uint8_t {
        kMessage,
        kTimeout,   // nothing within the limit
        kDraining,  // said once: the server is about to stop; finish what was begun
        kClosed,    // by either side, or the connection is gone: nothing more comes
    };
    Kind kind = Kind::kClosed;
    bool is_text = true;  // of a message; text is valid UTF-8
    std::string data;
};

class WebSocket {
public:
    virtual ~WebSocket() = default;

    // The request that was upgraded, with its caller; valid as long as this object.
    virtual Request& request() = 0;

    // The next message in order. At most one Read() at a time.
    virtual Task<SocketEvent> Read(std::chrono::steady_clock::duration limit) = 0;

    // Queues one message; waits while more than http.ws_send_buffer bytes wait for the peer. False
    // when the socket is closed. Any number of coroutines may send; what they queue stays whole.
    virtual Task<bool> Send(std::string text) = 0;
    // A text message and right behind it a binary one, with nothing in between.
    virtual Task<bool> Send(std::string text, std::string binary) = 0;
    virtual Task<bool> SendBinary(std::string data) = 0;
    // Waits until all that was queued is handed to the kernel; false when it cannot be any more.
    virtual Task<bool> Flush() = 0;

    // Sends a close frame after what is queued; nothing can be sent afterwards. `reason` is cut to
    // 123 bytes. The first call counts. When a handler returns, its socket is closed with
    // kNormal; when it throws, with kInternal.
    virtual void Close(CloseCode code, std::string_view reason = {}) = 0;

    virtual bool is_open() const = 0;  // messages can still be sent
    // Cancelled when the socket is closed by the peer or the connection is gone.
    virtual const std::shared_ptr<CancelFlag>& closed() const = 0;
};

using SocketHandler = std::function<Task<void>(std::shared_ptr<WebSocket>)>;

}  // namespace vf::http

#pragma once
// The client's side of a WebSocket connection as bytes: frames in, whole messages out (RFC 6455,
// section 5). No socket in here. Strict: what is no frame ends the reading for good.

#include <cstdint>
#include <string>
#include <string_view>

#include "http/websocket.hpp"

namespace vf::http {

class WebSocketReader {
public:
    enum class Event : std::uint8_t {
        kNeedMore,
        kText,    // payload() is the whole message, valid UTF-8
        kBinary,  // likewise
        kPing,    // payload() is to be sent back
        kPong,
        kClose,   // payload() is the reason, close_code() the code; nothing follows
        kFailed,  // close_code() is what to close with, payload() why; nothing follows
    };

    explicit WebSocketReader(std::uint64_t max_message) : max_message_(max_message) {}

    void Feed(std::string_view bytes);
    Event Next();

    // Of the last event; may be moved from.
    std::string& payload() { return payload_; }
    // 1005 when a close frame carried none.
    std::uint16_t close_code() const { return close_code_; }

private:
    enum class State : std::uint8_t { kHead, kPayload, kEnded };

    Event Fail(CloseCode code, std::string_view why);
    // One frame's head; false when more bytes are needed or `event` says that reading has failed.
    bool ReadHead(Event& event);
    bool CheckHead(std::uint8_t first, std::uint8_t second, Event& event);
    bool TakePayload();
    Event EndOfFrame();
    Event EndOfClose();

    std::uint64_t max_message_;
    State state_ = State::kHead;
    std::string input_;
    std::size_t begin_ = 0;

    std::uint8_t opcode_ = 0;
    bool is_final_ = false;
    std::uint64_t remaining_ = 0;  // of the present frame's payload
    char mask_[4] = {};
    std::size_t mask_at_ = 0;

    std::uint8_t message_opcode_ = 0;  // of the message that is being put together; 0: none
    std::string message_;
    std::string control_;
    std::string payload_;
    std::uint16_t close_code_ = 0;
};

// Frames of the server: final, not masked.
enum class Opcode : std::uint8_t {
    kText = 0x1,
    kBinary = 0x2,
    kClose = 0x8,
    kPing = 0x9,
    kPong = 0xA,
};
void AppendFrameHead(std::string& out, Opcode opcode, std::uint64_t payload_size);
// At most 123 bytes of `reason`, cut at a character's border.
void AppendCloseFrame(std::string& out, std::uint16_t code, std::string_view reason);

}  // namespace vf::http

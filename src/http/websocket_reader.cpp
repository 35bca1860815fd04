#include "http/websocket_reader.hpp"

#include <algorithm>

#include "base/utf8.hpp"

namespace vf::http {
namespace {

constexpr std::uint8_t kContinuation = 0x0;
constexpr std::uint8_t kText = 0x1;
constexpr std::uint8_t kBinary = 0x2;
constexpr std::uint8_t kPing = 0x9;
constexpr std::uint8_t kPong = 0xA;

constexpr std::uint8_t kFinalBit = 0x80;
constexpr std::uint8_t kReservedBits = 0x70;
constexpr std::uint8_t kMaskBit = 0x80;
constexpr std::uint8_t kLengthBits = 0x7f;
constexpr std::uint64_t kLength16 = 126;
constexpr std::uint64_t kLength64 = 127;
constexpr std::uint64_t kMaxControl = 125;
constexpr std::uint16_t kNoCode = 1005;

bool IsControl(std::uint8_t opcode) {
    return (opcode & 0x8) != 0;
}

// What may stand in a close frame: the codes of RFC 6455 and its registry that are meant to be
// sent, and those that are free to use.
bool IsSendable(std::uint16_t code) {
    return (code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006) ||
           (code >= 3000 && code <= 4999);
}

}  // namespace

void WebSocketReader::Feed(std::string_view bytes) {
    if (state_ == State::kEnded) return;
    if (begin_ > 0) {
        input_.erase(0, begin_);
        begin_ = 0;
    }
    input_ += bytes;
}

WebSocketReader::Event WebSocketReader::Fail(CloseCode code, std::string_view why) {
    state_ = State::kEnded;
    close_code_ = static_cast<std::uint16_t>(code);
    payload_ = why;
    input_ = std::string();
    begin_ = 0;
    message_ = std::string();
    return Event::kFailed;
}

WebSocketReader::Event WebSocketReader::Next() {
    for (;;) {
        Event event = Event::kNeedMore;
        if (state_ == State::kEnded) return event;
        if (state_ == State::kHead && !ReadHead(event)) return event;
        if (!TakePayload()) return Event::kNeedMore;
        state_ = State::kHead;
        event = EndOfFrame();
        if (event != Event::kNeedMore) return event;
    }
}

bool WebSocketReader::ReadHead(Event& event) {
    const std::string_view bytes = std::string_view(input_).substr(begin_);
    if (bytes.size() < 2) return false;
    const auto byte = [bytes](std::size_t at) { return static_cast<std::uint8_t>(bytes[at]); };
    if (!CheckHead(byte(0), byte(1), event)) return false;
    std::uint64_t length = byte(1) & kLengthBits;
    std::size_t at = 2;
    const std::size_t extra = length == kLength16 ? 2 : length == kLength64 ? 8 : 0;
    if (bytes.size() < at + extra + sizeof mask_) return false;
    if (extra > 0) {
        const std::uint64_t shortest = extra == 2 ? kLength16 : 0x10000;
        length = 0;
        for (std::size_t i = 0; i < extra; ++i) length = length << 8U | byte(at++);
        if (length < shortest || length >> 63U != 0) {
            event = Fail(CloseCode::kProtocolError, "A frame's length is not in its short form.");
            return false;
        }
    }
    const std::uint64_t room =
        max_message_ - std::min<std::uint64_t>(max_message_, message_.size());
    if (!IsControl(byte(0) & 0xf) && length > room) {
        event = Fail(CloseCode::kTooBig,
                     "A message may have " + std::to_string(max_message_) + " bytes.");
        return false;
    }
    opcode_ = byte(0) & 0xf;
    is_final_ = (byte(0) & kFinalBit) != 0;
    remaining_ = length;
    bytes.copy(mask_, sizeof mask_, at);
    mask_at_ = 0;
    begin_ += at + sizeof mask_;
    state_ = State::kPayload;
    if (opcode_ == kText || opcode_ == kBinary) message_opcode_ = opcode_;
    return true;
}

bool WebSocketReader::CheckHead(std::uint8_t first, std::uint8_t second, Event& event) {
    const std::uint8_t opcode = first & 0xf;
    const char* wrong = nullptr;
    if ((first & kReservedBits) != 0) {
        wrong = "A frame has reserved bits set; no extension was agreed on.";
    } else if ((second & kMaskBit) == 0) {
        wrong = "A client's frames must be masked.";
    } else if (IsControl(opcode)) {
        if (opcode > kPong) {
            wrong = "A frame has an unknown opcode.";
        } else if ((first & kFinalBit) == 0 || (second & kLengthBits) > kMaxControl) {
            wrong = "A control frame must be whole and have at most 125 bytes.";
        }
    } else if (opcode > kBinary) {
        wrong = "A frame has an unknown opcode.";
    } else if (opcode == kContinuation && message_opcode_ == 0) {
        wrong = "A frame continues a message that has not begun.";
    } else if (opcode != kContinuation && message_opcode_ != 0) {
        wrong = "A message begins before the one before it has ended.";
    }
    if (!wrong) return true;
    event = Fail(CloseCode::kProtocolError, wrong);
    return false;
}

// True when all of the frame's payload is there.
bool WebSocketReader::TakePayload() {
    const std::size_t size =
        static_cast<std::size_t>(std::min<std::uint64_t>(remaining_, input_.size() - begin_));
    std::string& out = IsControl(opcode_) ? control_ : message_;
    const std::size_t before = out.size();
    out.append(input_, begin_, size);
    for (std::size_t i = before; i < out.size(); ++i) {
        out[i] = static_cast<char>(out[i] ^ mask_[mask_at_++ & 3U]);
    }
    begin_ += size;
    remaining_ -= size;
    if (begin_ == input_.size()) {
        input_.clear();
        begin_ = 0;
    }
    return remaining_ == 0;
}

WebSocketReader::Event WebSocketReader::EndOfFrame() {
    if (IsControl(opcode_)) {
        payload_ = std::exchange(control_, {});
        if (opcode_ == kPing) return Event::kPing;
        if (opcode_ == kPong) return Event::kPong;
        return EndOfClose();
    }
    if (!is_final_) return Event::kNeedMore;
    payload_ = std::exchange(message_, {});
    if (std::exchange(message_opcode_, std::uint8_t{0}) == kBinary) return Event::kBinary;
    if (Utf8FindInvalid(payload_)) {
        return Fail(CloseCode::kInvalidPayload, "A text message is not UTF-8.");
    }
    return Event::kText;
}

WebSocketReader::Event WebSocketReader::EndOfClose() {
    state_ = State::kEnded;
    close_code_ = kNoCode;
    if (payload_.empty()) return Event::kClose;
    if (payload_.size() == 1) {
        return Fail(CloseCode::kProtocolError, "A close frame has half a code.");
    }
    const auto byte = [this](std::size_t at) { return static_cast<std::uint8_t>(payload_[at]); };
    close_code_ = static_cast<std::uint16_t>(byte(0) << 8U | byte(1));
    payload_.erase(0, 2);
    if (!IsSendable(close_code_)) {
        return Fail(CloseCode::kProtocolError, "A close frame has a code that is none.");
    }
    if (Utf8FindInvalid(payload_)) {
        return Fail(CloseCode::kInvalidPayload, "A close frame's reason is not UTF-8.");
    }
    return Event::kClose;
}

void AppendFrameHead(std::string& out, Opcode opcode, std::uint64_t payload_size) {
    out += static_cast<char>(kFinalBit | static_cast<std::uint8_t>(opcode));
    std::size_t extra = 0;
    if (payload_size < kLength16) {
        out += static_cast<char>(payload_size);
    } else {
        extra = payload_size <= 0xffff ? 2 : 8;
        out += static_cast<char>(extra == 2 ? kLength16 : kLength64);
    }
    while (extra-- > 0) out += static_cast<char>(payload_size >> (8 * extra) & 0xffU);
}

void AppendCloseFrame(std::string& out, std::uint16_t code, std::string_view reason) {
    if (code == kNoCode) {
        AppendFrameHead(out, Opcode::kClose, 0);
        return;
    }
    reason = reason.substr(0, Utf8Floor(reason, kMaxControl - 2));
    AppendFrameHead(out, Opcode::kClose, 2 + reason.size());
    out += static_cast<char>(code >> 8U);
    out += static_cast<char>(code & 0xffU);
    out += reason;
}

}  // namespace vf::http

#include "http/websocket_session.hpp"

#include <openssl/evp.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>

#include "http/negotiate.hpp"

namespace vf::http {
namespace {

constexpr std::size_t kMaxUnreadMessages = 64;
constexpr std::chrono::seconds kCloseTime{2};  // for the peer's close frame
constexpr int kSlowListener = 5;

// A comma-separated list of tokens.
bool HasToken(std::string_view list, std::string_view token) {
    while (!list.empty()) {
        const std::size_t end = std::min(list.find(','), list.size());
        if (EqualsIgnoringCase(Trim(list.substr(0, end)), token)) return true;
        list.remove_prefix(std::min(end + 1, list.size()));
    }
    return false;
}

// Base64 of 16 bytes.
bool IsSocketKey(std::string_view key) {
    constexpr std::size_t kSize = 24;
    if (key.size() != kSize || !key.ends_with("==")) return false;
    return std::ranges::all_of(key.substr(0, kSize - 2), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '+' || c == '/';
    });
}

std::string AcceptValue(std::string_view key) {
    std::string text(key);
    text += "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";  // RFC 6455, section 1.3
    std::array<unsigned char, SHA_DIGEST_LENGTH> digest{};
    SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
    std::array<char, 4 * (SHA_DIGEST_LENGTH + 2) / 3 + 2> out{};
    const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()), digest.data(),
                                     SHA_DIGEST_LENGTH);
    return {out.data(), static_cast<std::size_t>(size)};
}

}  // namespace

std::string ChooseSubprotocol(const Request& request, const std::vector<std::string>& known) {
    for (const std::string& name : known) {
        if (HasToken(request.headers.Joined("Sec-WebSocket-Protocol"), name)) return name;
    }
    return {};
}

Result<std::string> CheckUpgrade(const Request& request) {
    const bool asks = HasToken(request.headers.Joined("Upgrade"), "websocket");
    if (request.method != Method::kGet || request.minor_version < 1 || !asks) {
        return Error(
            ErrorKind::kUpgradeRequired, "upgrade_required",
            "This path is a WebSocket: open it with a WebSocket client (ws:// or wss://).");
    }
    if (!HasToken(request.headers.Joined("Connection"), "upgrade")) {
        return Error(ErrorKind::kInvalid, "invalid_upgrade",
                     "The header Connection must name Upgrade; a proxy in between may have removed "
                     "it.");
    }
    if (request.headers.Get("Sec-WebSocket-Version") != "13") {
        return Error(ErrorKind::kUpgradeRequired, "unsupported_websocket_version",
                     "The header Sec-WebSocket-Version must be 13.");
    }
    const std::string_view key = request.headers.Get("Sec-WebSocket-Key");
    if (request.headers.Count("Sec-WebSocket-Key") != 1 || !IsSocketKey(key)) {
        return Error(ErrorKind::kInvalid, "invalid_upgrade",
                     "The header Sec-WebSocket-Key must be 16 bytes in base64.");
    }
    return AcceptValue(key);
}

WebSocketSession::WebSocketSession(ServerCore& core, const Request& request, SocketWire& wire)
    : request_(request), wire_(&wire), now_(&core.now()), max_unread_(core.options.ws_max_message),
      max_unsent_(core.options.ws_send_buffer), ping_interval_(core.options.ws_ping_interval),
      pong_timeout_(core.options.ws_pong_timeout), reader_(core.options.ws_max_message),
      readable_(core.executor), writable_(core.executor), closing_(core.executor),
      heard_(core.now()), pinged_(core.now()) {
    writable_.expires_at(SteadyTimer::time_point::max());
    closing_.expires_at(SteadyTimer::time_point::max());
}

bool WebSocketSession::has_room() const {
    return unread_.size() < kMaxUnreadMessages && unread_bytes_ < max_unread_;
}

bool WebSocketSession::has_write_room() const {
    return wire_->outbox().size() < max_unsent_;
}

Task<SocketEvent> WebSocketSession::Read(std::chrono::steady_clock::duration limit) {
    SocketEvent event;
    for (;;) {
        if (!is_open() || peer_ended_) co_return event;
        if (std::exchange(is_draining_, false)) {
            event.kind = SocketEvent::Kind::kDraining;
            co_return event;
        }
        if (!unread_.empty()) break;
        const bool rang = co_await readable_.Wait(limit);
        if (!rang) {
            event.kind = SocketEvent::Kind::kTimeout;
            co_return event;
        }
    }
    const bool was_full = !has_room();
    event = std::move(unread_.front());
    unread_.pop_front();
    unread_bytes_ -= event.data.size();
    if (was_full && has_room()) {
        TakeEvents();
        if (wire_ && has_room()) wire_->ResumeReading();
    }
    co_return event;
}

Task<bool> WebSocketSession::WaitForRoom() {
    for (;;) {
        if (!is_open()) co_return false;
        if (has_write_room()) co_return true;
        co_await writable_.async_wait(kAwaitTuple);
    }
}

Task<bool> WebSocketSession::Send(std::string text) {
    const bool has_place = co_await WaitForRoom();
    if (!has_place) co_return false;
    Outbox& out = wire_->outbox();
    AppendFrameHead(out.Text(), Opcode::kText, text.size());
    out.Append(std::move(text));
    wire_->FlushSocket();
    co_return is_open();
}

Task<bool> WebSocketSession::Send(std::string text, std::string binary) {
    const bool has_place = co_await WaitForRoom();
    if (!has_place) co_return false;
    Outbox& out = wire_->outbox();
    AppendFrameHead(out.Text(), Opcode::kText, text.size());
    out.Append(std::move(text));
    AppendFrameHead(out.Text(), Opcode::kBinary, binary.size());
    out.Append(std::move(binary));
    wire_->FlushSocket();
    co_return is_open();
}

Task<bool> WebSocketSession::SendBinary(std::string data) {
    const bool has_place = co_await WaitForRoom();
    if (!has_place) co_return false;
    Outbox& out = wire_->outbox();
    AppendFrameHead(out.Text(), Opcode::kBinary, data.size());
    out.Append(std::move(data));
    wire_->FlushSocket();
    co_return is_open();
}

Task<bool> WebSocketSession::Flush() {
    for (;;) {
        if (!wire_) co_return false;
        if (wire_->outbox().empty()) co_return true;
        co_await writable_.async_wait(kAwaitTuple);
    }
}

void WebSocketSession::SendClose(std::uint16_t code, std::string_view reason) {
    if (!is_open()) return;
    AppendCloseFrame(wire_->outbox().Text(), code, reason);
    close_sent_ = true;
    close_deadline_ = *now_ + kCloseTime;
    unread_.clear();
    unread_bytes_ = 0;
    readable_.Ring();
    writable_.cancel();
    wire_->FlushSocket();
    if (peer_ended_) {
        closing_.cancel();
    } else if (wire_) {
        TakeEvents();  // the peer's close frame may wait behind what was not read
        if (wire_ && !peer_ended_) wire_->ResumeReading();
    }
}

void WebSocketSession::Close(CloseCode code, std::string_view reason) {
    SendClose(static_cast<std::uint16_t>(code), reason);
}

void WebSocketSession::SendPong(std::string payload) {
    if (!is_open()) return;
    if (!has_write_room()) {
        pong_ = std::move(payload);  // RFC 6455, 5.5.3: the last one is enough
        return;
    }
    std::string& out = wire_->outbox().Text();
    AppendFrameHead(out, Opcode::kPong, payload.size());
    out += payload;
    wire_->FlushSocket();
}

void WebSocketSession::OnBytes(std::string_view bytes) {
    heard_ = *now_;
    reader_.Feed(bytes);
    TakeEvents();
}

void WebSocketSession::TakeEvents() {
    while (wire_ && has_room()) {
        const WebSocketReader::Event event = reader_.Next();
        if (event == WebSocketReader::Event::kNeedMore || !Take(event)) return;
    }
}

bool WebSocketSession::Take(WebSocketReader::Event event) {
    using Event = WebSocketReader::Event;
    switch (event) {
        case Event::kNeedMore:
        case Event::kPong: return true;
        case Event::kPing: SendPong(std::move(reader_.payload())); return true;
        case Event::kText:
        case Event::kBinary:
            if (!is_open()) return true;
            unread_bytes_ += reader_.payload().size();
            unread_.push_back(
                {SocketEvent::Kind::kMessage, event == Event::kText, std::move(reader_.payload())});
            readable_.Ring();
            return true;
        case Event::kClose:
        case Event::kFailed: break;
    }
    peer_ended_ = true;
    const bool is_echo = event == Event::kClose;
    SendClose(reader_.close_code(), is_echo ? std::string_view() : reader_.payload());
    closing_.cancel();
    readable_.Ring();
    closed_->Cancel();
    return false;
}

void WebSocketSession::OnWritten() {
    if (!wire_ || !has_write_room()) return;
    if (pong_) SendPong(*std::exchange(pong_, std::nullopt));
    writable_.cancel();
}

void WebSocketSession::OnTick(TimePoint now) {
    if (!wire_) return;
    if (close_sent_) {
        if (now >= close_deadline_) {
            closing_.cancel();
            writable_.cancel();
        }
        return;
    }
    // A pong waits behind the audio that a slow listener has not read yet.
    const auto patience = ping_interval_ + pong_timeout_;
    const auto silence = now - heard_;
    if (silence >= patience && (wire_->is_drained() || silence >= kSlowListener * patience)) {
        wire_->DropSocket();
        return;
    }
    // While bytes wait, http.write_timeout watches over the peer.
    if (now - std::max(heard_, pinged_) < ping_interval_ || !wire_->outbox().empty()) return;
    pinged_ = now;
    AppendFrameHead(wire_->outbox().Text(), Opcode::kPing, 0);
    wire_->FlushSocket();
}

void WebSocketSession::OnDrain() {
    is_draining_ = true;
    readable_.Ring();
}

void WebSocketSession::OnGone() {
    wire_ = nullptr;
    unread_.clear();
    unread_bytes_ = 0;
    readable_.Ring();
    writable_.cancel();
    closing_.cancel();
    closed_->Cancel();
}

Task<void> WebSocketSession::WaitClosed() {
    for (;;) {
        if (!wire_) co_return;
        const bool is_done = close_sent_ && peer_ended_ && wire_->outbox().empty();
        if (is_done || *now_ >= close_deadline_) co_return;
        if (close_sent_ && peer_ended_) {
            co_await writable_.async_wait(kAwaitTuple);
        } else {
            co_await closing_.async_wait(kAwaitTuple);
        }
    }
}

}  // namespace vf::http

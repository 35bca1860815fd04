#include "http/reader.hpp"

#include <algorithm>

#include "http/reader_syntax.hpp"

namespace vf::http {
namespace {

constexpr std::size_t kMaxChunkLine = 256;           // the size and what extensions may need
constexpr std::uint64_t kMaxChunkLines = 1U << 20U;  // all chunk lines and trailers of one body
constexpr std::size_t kKeepCapacity = 2048;          // an idle connection keeps buffers up to this

}  // namespace

void RequestReader::Feed(std::string_view bytes) {
    if (begin_ == input_.size()) {
        input_.clear();
        begin_ = scan_ = 0;
    } else if (begin_ > kKeepCapacity) {
        input_.erase(0, begin_);
        scan_ -= begin_;
        begin_ = 0;
    }
    input_.append(bytes);
}

std::string RequestReader::TakeRest() {
    std::string rest(pending());
    input_.clear();
    begin_ = scan_ = 0;
    return rest;
}

void RequestReader::Shrink() {
    if (begin_ == input_.size() && input_.capacity() > kKeepCapacity) {
        input_ = std::string();
        begin_ = scan_ = 0;
    }
    if (body_.empty() && body_.capacity() > kKeepCapacity) body_ = std::string();
}

void RequestReader::Restart() {
    state_ = State::kStartLine;
    line_bytes_ = 0;
    skipped_empty_line_ = has_target_ = skip_ = false;
    head_.headers.Clear();
    head_.is_chunked = head_.has_length = false;
    head_.content_length = 0;
    head_.keep_alive = true;
    authority_.clear();
    body_.clear();
    if (body_.capacity() > kKeepCapacity) body_ = std::string();
    body_bytes_ = remaining_ = 0;
}

RequestReader::Event RequestReader::Fail(ErrorKind kind, std::string code, std::string message) {
    GiveUp(Error(kind, std::move(code), std::move(message)));
    return Event::kFailed;
}

void RequestReader::GiveUp(Error error) {
    state_ = State::kFailed;
    error_ = std::move(error);
}

RequestReader::Event RequestReader::Malformed(std::string message) {
    return Fail(ErrorKind::kInvalid, "malformed_request", std::move(message));
}

RequestReader::Event RequestReader::Next() {
    if (state_ == State::kHandedOver) Restart();
    Event event = Event::kNeedMore;
    while (Step(event)) {
    }
    if (event == Event::kComplete) state_ = State::kHandedOver;
    return event;
}

bool RequestReader::Step(Event& event) {
    std::string_view line;
    switch (state_) {
        case State::kStartLine: return TakeLine(line, event) && StartLine(line, event);
        case State::kFields:
            if (!TakeLine(line, event)) return false;
            return line.empty() ? EndOfFields(event) : Field(line, event);
        case State::kDecide: event = Event::kHead; return false;
        case State::kLengthBody:
        case State::kChunkData: return TakeBody(event);
        case State::kChunkSize: return TakeLine(line, event) && ChunkSize(line, event);
        case State::kChunkEnd:
            if (!TakeLine(line, event)) return false;
            if (!line.empty()) {
                event = Malformed("A chunk is longer than its size says.");
                return false;
            }
            state_ = State::kChunkSize;
            return true;
        case State::kTrailers:
            if (!TakeLine(line, event)) return false;
            if (line.empty()) {
                state_ = State::kComplete;
                event = Event::kComplete;
                return false;
            }
            return Field(line, event);
        case State::kComplete:
        case State::kHandedOver: event = Event::kComplete; return false;
        case State::kFailed: event = Event::kFailed; return false;
    }
    return false;
}

// Takes one line without its CR LF off the input. False when there is none yet or on an error.
bool RequestReader::TakeLine(std::string_view& line, Event& event) {
    const std::size_t end = input_.find('\n', scan_);
    if (end == std::string::npos) return CheckPartialLine(event);
    if (end == begin_ || input_[end - 1] != '\r') {
        event = Malformed("A line ends with LF alone; lines end with CR LF.");
        return false;
    }
    line = std::string_view(input_).substr(begin_, end - 1 - begin_);
    if (std::ranges::any_of(line, IsForbiddenControl)) {
        event = Malformed("The request has a control character outside of its body.");
        return false;
    }
    if (TooLong(end + 1 - begin_, event)) return false;
    line_bytes_ += end + 1 - begin_;
    begin_ = scan_ = end + 1;
    return true;
}

// The unfinished line is looked at too, so that garbage is refused at once and not after a timeout.
bool RequestReader::CheckPartialLine(Event& event) {
    event = Event::kNeedMore;
    const bool ends_with_cr = input_.size() > scan_ && input_.back() == '\r';
    std::string_view fresh = std::string_view(input_).substr(scan_);
    if (ends_with_cr) fresh.remove_suffix(1);
    if (std::ranges::any_of(fresh, IsForbiddenControl)) {
        event = Malformed("The request has a control character outside of its body.");
        return false;
    }
    scan_ = input_.size() - (ends_with_cr ? 1 : 0);
    if (state_ == State::kStartLine) {
        std::string_view method = pending().substr(0, pending().find(' '));
        if (method.ends_with('\r')) method.remove_suffix(1);
        if (method.size() > kMaxMethod || !std::ranges::all_of(method, IsTokenChar)) {
            event = Malformed("The request does not start with a method.");
            return false;
        }
    }
    TooLong(pending().size(), event);
    return false;
}

bool RequestReader::TooLong(std::uint64_t unread, Event& event) {
    if (state_ == State::kStartLine && unread > limits_.target_bytes + 64) {
        event = Fail(ErrorKind::kUriTooLong, "uri_too_long",
                     "The request target is longer than " + std::to_string(limits_.target_bytes) +
                         " bytes.");
        return true;
    }
    if (state_ < State::kDecide && line_bytes_ + unread > limits_.header_bytes) {
        event =
            Fail(ErrorKind::kHeadersTooLarge, "headers_too_large",
                 "The header is larger than " + std::to_string(limits_.header_bytes) + " bytes.");
        return true;
    }
    if (state_ == State::kChunkSize || state_ == State::kChunkEnd) {
        if (unread > kMaxChunkLine || line_bytes_ + unread > kMaxChunkLines) {
            event = Malformed("A chunk's size line is too long.");
            return true;
        }
    }
    if (state_ == State::kTrailers && unread + line_bytes_ > kMaxChunkLines) {
        event = Fail(ErrorKind::kHeadersTooLarge, "headers_too_large", "The trailer is too large.");
        return true;
    }
    return false;
}

void RequestReader::ReadBody(std::uint64_t limit) {
    body_limit_ = limit;
    line_bytes_ = 0;
    if (head_.is_chunked) {
        state_ = State::kChunkSize;
        return;
    }
    if (head_.content_length == 0) {
        state_ = State::kComplete;
        return;
    }
    if (head_.content_length > limit) {
        Fail(ErrorKind::kTooLarge, "body_too_large",
             "The body is larger than " + std::to_string(limit) + " bytes.");
        return;
    }
    remaining_ = head_.content_length;
    state_ = State::kLengthBody;
}

void RequestReader::SkipBody(std::uint64_t limit) {
    skip_ = true;
    ReadBody(limit);
}

bool RequestReader::ChunkSize(std::string_view line, Event& event) {
    constexpr std::size_t kMaxDigits = 15;  // 60 bits
    std::uint64_t size = 0;
    std::size_t digits = 0;
    for (; digits < line.size(); ++digits) {
        const char c = line[digits];
        std::uint64_t value = 0;
        if (c >= '0' && c <= '9') {
            value = static_cast<std::uint64_t>(c - '0');
        } else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f') {
            value = static_cast<std::uint64_t>((c | 0x20) - 'a') + 10;
        } else {
            break;
        }
        size = size << 4U | value;
        if (digits == kMaxDigits) break;
    }
    const std::string_view extension = line.substr(digits);
    if (digits == 0 || digits >= kMaxDigits || (!extension.empty() && extension[0] != ';')) {
        event = Malformed("A chunk's size is not a hexadecimal number.");
        return false;
    }
    if (size > body_limit_ - body_bytes_) {
        event = Fail(ErrorKind::kTooLarge, "body_too_large",
                     "The body is larger than " + std::to_string(body_limit_) + " bytes.");
        return false;
    }
    remaining_ = size;
    state_ = size == 0 ? State::kTrailers : State::kChunkData;
    return true;
}

bool RequestReader::TakeBody(Event& event) {
    const std::string_view piece =
        pending().substr(0, std::min<std::uint64_t>(remaining_, pending().size()));
    if (!skip_) body_.append(piece);
    begin_ += piece.size();
    scan_ = begin_;
    remaining_ -= piece.size();
    body_bytes_ += piece.size();
    if (remaining_ > 0) {
        event = Event::kNeedMore;
        return false;
    }
    if (state_ == State::kChunkData) {
        state_ = State::kChunkEnd;
        return true;
    }
    state_ = State::kComplete;
    event = Event::kComplete;
    return false;
}

}  // namespace vf::http

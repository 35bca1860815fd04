#pragma once
// Reads HTTP/1.x requests out of bytes, without a socket: RFC 9112, strict. Lines end with CR LF
// only; folded lines, a space before the colon, control characters, two Content-Length fields and
// Content-Length beside Transfer-Encoding are refused, since every one of them has been used to
// make two servers see different requests in the same bytes.
//
// Use: Feed() what arrived, then Next() until it says kNeedMore or kFailed. After kHead the caller
// must choose ReadBody() or SkipBody(); after kComplete body() is whole and the next call of Next()
// starts the next request, dropping head and body.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "http/headers.hpp"

namespace vf::http {

struct RequestHead {
    std::string method;  // a token, maybe unknown to us
    std::string target;  // origin-form or "*"
    int minor_version = 1;
    Headers headers;
    bool is_chunked = false;
    bool has_length = false;
    std::uint64_t content_length = 0;
    bool keep_alive = true;

    bool has_body() const { return is_chunked || content_length > 0; }
};

class RequestReader {
public:
    struct Limits {
        std::uint64_t header_bytes = 16 * 1024;  // request line, fields and line ends
        std::uint64_t target_bytes = 8 * 1024;
        std::uint64_t headers = 100;
    };
    enum class Event { kNeedMore, kHead, kComplete, kFailed };

    explicit RequestReader(const Limits& limits) : limits_(limits) {}

    void Feed(std::string_view bytes);
    Event Next();

    // Collects the body; more than `limit` bytes is kFailed with kTooLarge.
    void ReadBody(std::uint64_t limit);
    // Throws the body away; more than `limit` bytes is kFailed.
    void SkipBody(std::uint64_t limit);

    // Ends reading with this error, e.g. a timeout.
    void GiveUp(Error error);

    RequestHead& head() { return head_; }
    std::string& body() { return body_; }
    const Error& error() const { return error_; }

    // True when the request line of the present request has been read: head().target is valid.
    bool has_target() const { return has_target_; }
    // True between requests when nothing of the next one has arrived.
    bool is_idle() const {
        return (state_ == State::kStartLine || state_ == State::kHandedOver) && pending().empty();
    }
    bool in_body() const { return state_ > State::kDecide && state_ < State::kComplete; }
    // Bytes of the present body that have arrived, after chunk decoding.
    std::uint64_t body_bytes() const { return body_bytes_; }
    // What has arrived behind a whole request: the first bytes of another protocol.
    std::string TakeRest();
    // Lets go of memory that an idle connection does not need.
    void Shrink();

private:
    enum class State {
        kStartLine,
        kFields,
        kDecide,
        kLengthBody,
        kChunkSize,
        kChunkData,
        kChunkEnd,
        kTrailers,
        kComplete,
        kHandedOver,  // kComplete was returned
        kFailed,
    };

    std::string_view pending() const { return std::string_view(input_).substr(begin_); }
    void Restart();
    Event Fail(ErrorKind kind, std::string code, std::string message);
    Event Malformed(std::string message);

    // One step of the present state; kNeedMore ends, kHead and kComplete are passed on, no value
    // means "go on".
    bool Step(Event& event);
    bool TakeLine(std::string_view& line, Event& event);
    bool CheckPartialLine(Event& event);
    bool TooLong(std::uint64_t unread, Event& event);
    bool StartLine(std::string_view line, Event& event);
    bool SetTarget(std::string_view target, Event& event);
    bool Field(std::string_view line, Event& event);
    bool EndOfFields(Event& event);
    bool CheckHost(Event& event);
    bool CheckFraming(Event& event);
    bool CheckTransferCoding(Event& event);
    bool ChunkSize(std::string_view line, Event& event);
    bool TakeBody(Event& event);

    Limits limits_;
    State state_ = State::kStartLine;
    std::string input_;
    std::size_t begin_ = 0;         // of what is not read yet
    std::size_t scan_ = 0;          // up to here there is no line end
    std::uint64_t line_bytes_ = 0;  // of this head or of this body's chunk lines and trailers
    bool skipped_empty_line_ = false;
    bool has_target_ = false;

    RequestHead head_;
    std::string authority_;  // of an absolute target
    std::string body_;
    std::uint64_t body_limit_ = 0;
    std::uint64_t body_bytes_ = 0;
    std::uint64_t remaining_ = 0;  // of the body or of the chunk
    bool skip_ = false;
    Error error_;
};

}  // namespace vf::http

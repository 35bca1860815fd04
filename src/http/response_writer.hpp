#pragma once
// A response's head as bytes (RFC 9112), and what is done to a body before it is sent.

#include <cstdint>
#include <string>
#include <string_view>

#include "http/request.hpp"
#include "http/response.hpp"

namespace vf::http {

enum class BodyFraming {
    kNone,  // no body and no length: 204, 304, HEAD of a stream
    kLength,
    kChunked,
    kUntilClose,  // HTTP/1.0
};

struct HeadOptions {
    int minor_version = 1;
    bool keep_alive = true;
    bool upgrade = false;  // to the protocol that the response names
    BodyFraming framing = BodyFraming::kLength;
    std::uint64_t length = 0;
    std::string_view request_id;
    std::string_view date;  // IMF-fixdate
};

// Control characters in a handler's values become spaces, so that no value can end its line.
void AppendResponseHead(std::string& out, const Response& response, const HeadOptions& options);

// Compresses a text body when that is allowed and worth it, and says Vary.
void CompressBody(Response& response, const Request& request);

// "5\r\n" before a chunk of five bytes.
void AppendChunkSize(std::string& out, std::size_t size);

}  // namespace vf::http

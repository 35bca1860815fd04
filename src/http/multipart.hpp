#pragma once
// multipart/form-data (RFC 7578), whole in memory.

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace vf::http {

struct Part {
    std::string name;        // of the form field; never empty
    std::string filename;    // as sent, "" for a plain field: never use it as a path
    std::string media_type;  // lower case without parameters, "text/plain" when not given
    std::string data;
};

struct MultipartLimits {
    std::size_t parts = 64;
    std::size_t header_bytes = 4096;  // of one part
};

// `content_type` is the request's Content-Type with its boundary. Errors are kInvalid
// ("malformed_multipart") or kTooLarge ("too_many_parts", "part_headers_too_large").
Result<std::vector<Part>> ParseMultipart(std::string_view content_type, std::string_view body,
                                         const MultipartLimits& limits = {});

}  // namespace vf::http

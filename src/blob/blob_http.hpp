#pragma once
// What the blob routes say over HTTP: ranges, names in headers, JSON. Pure functions.

#include <optional>
#include <string>
#include <string_view>

#include "base/json.hpp"
#include "blob/blob.hpp"
#include "http/request.hpp"

namespace vf::blob {

// RFC 9110, section 14.1.2, one range of bytes. kNone: there is no Range that concerns us (absent,
// another unit, malformed, or several ranges): the whole content is the answer.
struct RangeOf {
    enum class Kind { kNone, kRange, kUnsatisfiable };
    Kind kind = Kind::kNone;
    ByteRange range;
};
RangeOf ParseRange(std::string_view header, std::uint64_t bytes);

// The same with If-Range: a range is for the version that the caller has, or not at all.
RangeOf RangeFor(const http::Request& request, const BlobInfo& info);

// RFC 6266 and 8187: always an attachment, so that no browser runs what somebody uploaded; a name
// that every old client reads, and the true one. Neither can hold a path, a quote or a line end.
std::string ContentDisposition(const BlobInfo& info);

std::string Etag(const BlobInfo& info);
json::value ToJson(const BlobInfo& info);

}  // namespace vf::blob

#pragma once
// The files of one folder, read once at start and served from memory: strong ETag, If-None-Match,
// Content-Type by extension, gzip where it helps, security headers. A request never touches the
// file system, so no path of a user's can reach it.

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "http/request.hpp"
#include "http/response.hpp"

namespace vf::http {

struct StaticOptions {
    std::string content_security_policy;  // sent with HTML
    std::string cache_control = "no-cache";
    std::string index = "index.html";        // answers for the folder itself
    std::uint64_t max_bytes = 64ULL << 20U;  // of all files together
};

class StaticFiles {
public:
    // kInvalid with a sentence for the operator when the folder cannot be read or is too large.
    // Hidden files and symbolic links that leave the folder are left out.
    static Result<StaticFiles> Load(const std::string& folder, StaticOptions options);

    // Adds one file that is not in the folder, e.g. "openapi.json".
    void Add(std::string path, std::string content);

    // `path` is relative: "" or "assets/app.js". kNotFound when there is no such file.
    Result<Response> Serve(const Request& request, std::string_view path) const;

private:
    struct File {
        std::shared_ptr<const std::string> content;
        std::shared_ptr<const std::string> gzip;  // null when it is no smaller
        std::string media_type;
        std::string etag;       // quoted
        std::string gzip_etag;  // quoted; the two bodies differ, so do their tags
    };

    StaticOptions options_;
    std::map<std::string, File, std::less<>> files_;
};

// Content-Type of a file name; "application/octet-stream" when unknown.
std::string_view MediaTypeOf(std::string_view file_name);

// True when an If-None-Match list names `etag` (weak comparison, RFC 9110 section 13.1.2) or is
// "*".
bool MatchesEtag(std::string_view if_none_match, std::string_view etag);

}  // namespace vf::http

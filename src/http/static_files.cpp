#include "http/static_files.hpp"

#include <fmt/format.h>
#include <openssl/sha.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>

#include "http/gzip.hpp"
#include "http/negotiate.hpp"

namespace vf::http {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::pair<std::string_view, std::string_view>, 22> kTypes = {{
    {".css", "text/css; charset=utf-8"},
    {".flac", "audio/flac"},
    {".gif", "image/gif"},
    {".htm", "text/html; charset=utf-8"},
    {".html", "text/html; charset=utf-8"},
    {".ico", "image/x-icon"},
    {".jpg", "image/jpeg"},
    {".js", "text/javascript; charset=utf-8"},
    {".json", "application/json"},
    {".map", "application/json"},
    {".mjs", "text/javascript; charset=utf-8"},
    {".mp3", "audio/mpeg"},
    {".ogg", "audio/ogg"},
    {".png", "image/png"},
    {".svg", "image/svg+xml"},
    {".txt", "text/plain; charset=utf-8"},
    {".wasm", "application/wasm"},
    {".wav", "audio/wav"},
    {".webp", "image/webp"},
    {".woff2", "font/woff2"},
    {".xml", "application/xml"},
    {".yaml", "application/yaml"},
}};

constexpr std::size_t kMinGzip = 1024;
constexpr int kBestLevel = 9;  // done once, at start

std::string Digest(std::string_view content) {
    std::array<unsigned char, SHA256_DIGEST_LENGTH> hash{};
    SHA256(reinterpret_cast<const unsigned char*>(content.data()), content.size(), hash.data());
    std::string out;
    for (std::size_t i = 0; i < 12; ++i) out += fmt::format("{:02x}", hash[i]);
    return out;
}

bool IsHidden(const fs::path& relative) {
    for (const fs::path& part : relative) {
        if (part.native().starts_with('.')) return true;
    }
    return false;
}

Error Unreadable(const std::string& folder, const std::string& why) {
    return {ErrorKind::kInvalid, "static_folder_unreadable",
            fmt::format("The folder of static files {} cannot be served: {}.", folder, why)};
}

}  // namespace

std::string_view MediaTypeOf(std::string_view file_name) {
    for (const auto& [extension, type] : kTypes) {
        if (file_name.ends_with(extension)) return type;
    }
    return "application/octet-stream";
}

bool MatchesEtag(std::string_view if_none_match, std::string_view etag) {
    std::string_view list = if_none_match;
    while (!list.empty()) {
        const std::size_t end = std::min(list.find(','), list.size());
        std::string_view item = Trim(list.substr(0, end));
        list.remove_prefix(std::min(end + 1, list.size()));
        if (item == "*") return true;
        if (item.starts_with("W/")) item.remove_prefix(2);
        if (!item.empty() && item == etag) return true;
    }
    return false;
}

Result<StaticFiles> StaticFiles::Load(const std::string& folder, StaticOptions options) {
    StaticFiles files;
    files.options_ = std::move(options);
    std::error_code ec;
    const fs::path root = fs::canonical(folder, ec);
    if (ec) return Unreadable(folder, ec.message());
    std::uint64_t total = 0;
    fs::recursive_directory_iterator entries(root, ec);
    if (ec) return Unreadable(folder, ec.message());
    for (const fs::directory_entry& entry : entries) {
        const fs::path relative = entry.path().lexically_relative(root);
        if (IsHidden(relative) || !entry.is_regular_file(ec)) continue;
        const fs::path real = fs::canonical(entry.path(), ec);
        if (ec || *real.lexically_relative(root).begin() == "..") continue;
        std::ifstream in(entry.path(), std::ios::binary);
        std::string content(std::istreambuf_iterator<char>(in), {});
        if (!in) return Unreadable(folder, relative.string() + " is not readable");
        total += content.size();
        if (total > files.options_.max_bytes) return Unreadable(folder, "it is too large");
        files.Add(relative.generic_string(), std::move(content));
    }
    return files;
}

void StaticFiles::Add(std::string path, std::string content) {
    File file;
    file.media_type = MediaTypeOf(path);
    const std::string digest = Digest(content);
    file.etag = '"' + digest + '"';
    file.gzip_etag = '"' + digest + "-gzip\"";
    if (content.size() >= kMinGzip && IsCompressible(file.media_type)) {
        std::string small = Gzip(content, kBestLevel);
        if (!small.empty() && small.size() < content.size()) {
            file.gzip = std::make_shared<const std::string>(std::move(small));
        }
    }
    file.content = std::make_shared<const std::string>(std::move(content));
    files_.insert_or_assign(std::move(path), std::move(file));
}

Result<Response> StaticFiles::Serve(const Request& request, std::string_view path) const {
    auto found = files_.find(path);
    if (found == files_.end()) {
        const std::string slash = path.empty() ? "" : "/";
        found = files_.find(std::string(path) + slash + options_.index);
    }
    if (found == files_.end()) {
        return Error(ErrorKind::kNotFound, "not_found", "There is no such file.");
    }
    const File& file = found->second;
    const bool gzip = file.gzip && AcceptsGzip(request.headers.Joined("Accept-Encoding"));
    const std::string& etag = gzip ? file.gzip_etag : file.etag;
    Response response;
    response.headers.Add("ETag", etag);
    response.headers.Add("Cache-Control", options_.cache_control);
    if (file.gzip) response.headers.Add("Vary", "Accept-Encoding");
    if (MatchesEtag(request.headers.Joined("If-None-Match"), etag)) {
        response.status = 304;
        return response;
    }
    response.headers.Add("Content-Type", file.media_type);
    if (gzip) response.headers.Add("Content-Encoding", "gzip");
    response.headers.Add("Referrer-Policy", "no-referrer");
    response.headers.Add("Cross-Origin-Opener-Policy", "same-origin");
    if (file.media_type.starts_with("text/html")) {
        response.headers.Add("X-Frame-Options", "DENY");
        if (!options_.content_security_policy.empty()) {
            response.headers.Add("Content-Security-Policy", options_.content_security_policy);
        }
    }
    response.body = gzip ? file.gzip : file.content;
    return response;
}

}  // namespace vf::http

#include "neural/download.hpp"

#include <fmt/format.h>

#include <fstream>

#include "http/client.hpp"
#include "neural/store.hpp"

namespace vf::neural {
namespace {

namespace fs = std::filesystem;

constexpr int kMostRedirects = 5;

Error Failed(std::string code, std::string message) {
    return Error(ErrorKind::kInvalid, std::move(code), std::move(message));
}

bool IsRedirect(int status) {
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

Error TooLarge(const Download& download) {
    return Failed("too_large", fmt::format("{} has more than {} MiB (models.max_bytes).",
                                           download.url, download.max_bytes >> 20U));
}

// What the client says, but for the bound that is ours.
Error Broken(const Error& error, const Download& download) {
    return error.kind() == ErrorKind::kTooLarge ? TooLarge(download) : error;
}

// `location` as seen from `url`; empty when it leads to where nobody should go.
std::string Resolve(const std::string& url, const std::string& location) {
    if (location.starts_with("https://")) return location;
    if (location.starts_with("http://")) return url.starts_with("https://") ? "" : location;
    if (!location.starts_with('/') || location.starts_with("//")) return {};
    const std::size_t host = url.find("://");
    if (host == std::string::npos) return {};
    return url.substr(0, url.find('/', host + 3)) + location;
}

Task<Result<void>> Receive(std::shared_ptr<BytePipe> pipe, const Download& download) {
    std::ofstream out(download.file, std::ios::binary | std::ios::trunc);
    std::uint64_t bytes = 0;
    for (;;) {
        const std::optional<std::string> chunk = co_await pipe->Read();
        if (!chunk) break;
        bytes += chunk->size();
        if (bytes > download.max_bytes) {
            pipe->Abandon();
            co_return TooLarge(download);
        }
        out << *chunk;
    }
    if (pipe->failed()) co_return Broken(*pipe->error(), download);
    out.close();
    if (!out) co_return Failed("download_failed", "There is no room for the download.");
    if (download.size > 0 && bytes != download.size) {
        co_return Failed("wrong_size", fmt::format("{} has {} bytes instead of {}.", download.url,
                                                   bytes, download.size));
    }
    co_return Result<void>();
}

Task<Result<void>> Get(http::HttpClient& client, const Download& download) {
    std::string url = download.url;
    for (int hop = 0; hop <= kMostRedirects; ++hop) {
        http::ClientRequest request;
        request.url = url;
        request.stream_response = true;
        request.max_response_bytes = download.max_bytes + 1;
        Result<http::ClientResponse> response = co_await client.Send(std::move(request));
        if (!response) co_return Broken(response.error(), download);
        if (response->status == 200) {
            Result<void> received = co_await Receive(response->pipe, download);
            co_return received;
        }
        response->pipe->Abandon();
        if (!IsRedirect(response->status)) {
            co_return Failed("download_failed",
                             fmt::format("{} answers {}.", download.url, response->status));
        }
        const std::string location(response->headers.Get("Location"));
        url = Resolve(url, location);
        if (url.empty()) {
            co_return Failed(
                "download_failed",
                fmt::format("{} leads to an address that is not followed.", download.url));
        }
    }
    co_return Failed("download_failed", fmt::format("{} leads in a circle.", download.url));
}

Task<Result<void>> Run(http::HttpClient& client, const Download& download) {
    Result<void> got = co_await Get(client, download);
    client.Close();
    co_return got;
}

}  // namespace

Result<void> Fetch(const Download& download) {
    asio::io_context loop(1);
    http::HttpClient client(loop);
    Result<void> got = RunTask(loop, Run(client, download));
    if (got && !download.sha256.empty()) {
        const Result<std::string> hash = Sha256OfFile(download.file);
        if (!hash) {
            got = hash.error();
        } else if (*hash != download.sha256) {
            got = Failed("wrong_sha256",
                         fmt::format("{} is not what its publisher describes: its SHA-256 is {} "
                                     "instead of {}.",
                                     download.url, *hash, download.sha256));
        }
    }
    if (!got) {
        std::error_code ignored;
        fs::remove(download.file, ignored);
    }
    return got;
}

}  // namespace vf::neural

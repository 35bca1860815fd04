// Bytes of a client, through the request reader, admission and multipart. The first byte chooses
// how the rest is cut into pieces. Checked beside memory errors: that cutting does not change what
// is read, and that what is read keeps the reader's promises.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "http/admission.hpp"
#include "http/multipart.hpp"
#include "http/reader.hpp"

namespace {

using vf::http::RequestReader;
using Event = RequestReader::Event;

constexpr std::uint64_t kMaxBody = 4096;

// Aborts, so that the fuzzer keeps the input.
void Require(bool holds) {
    if (!holds) std::abort();
}

vf::http::Router& Routes() {
    static vf::http::Router* const router = [] {
        auto* made = new vf::http::Router;
        const auto answer = [](vf::http::Request&) { return vf::http::Response(); };
        vf::http::RouteOptions options;
        options.consumes = {"application/json", "multipart/form-data"};
        options.produces = {"audio/wav", "text/plain"};
        made->Add(vf::http::Method::kGet, "/health", answer);
        made->Add(vf::http::Method::kPost, "/v1/{id:int}/a", answer, options);
        made->Add(vf::http::Method::kPut, "/v1/{id:uuid}/{rest:path}", answer, options);
        return made;
    }();
    return *router;
}

struct Summary {
    std::vector<std::string> seen;
    bool failed = false;
};

void CheckHead(const vf::http::RequestHead& head) {
    Require(head.headers.Count("Host") <= 1 && head.headers.Count("Content-Length") <= 1);
    Require(!head.is_chunked || !head.has_length);
    Require(head.target == "*" || head.target.starts_with('/'));
    for (const auto [name, value] : head.headers) {
        Require(!name.empty() && name.find_first_of(" \t\r\n:") == std::string_view::npos);
        Require(value.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos);
    }
}

Summary Read(std::string_view bytes, std::size_t step, bool admit) {
    RequestReader reader({2048, 512, 20});
    Summary summary;
    vf::http::Request request;
    while (!bytes.empty() && !summary.failed) {
        const std::size_t size = std::min(step, bytes.size());
        reader.Feed(bytes.substr(0, size));
        bytes.remove_prefix(size);
        for (;;) {
            const Event event = reader.Next();
            if (event == Event::kNeedMore) break;
            if (event == Event::kFailed) {
                summary.failed = true;
                summary.seen.push_back(reader.error().code());
                break;
            }
            if (event == Event::kComplete) {
                Require(reader.body().size() <= kMaxBody);
                summary.seen.push_back(reader.body());
                if (admit) {
                    (void)vf::http::ParseMultipart(request.headers.Get("Content-Type"),
                                                   reader.body());
                }
                continue;
            }
            CheckHead(reader.head());
            summary.seen.push_back(reader.head().method + ' ' + reader.head().target);
            if (admit) {
                vf::http::Admit(reader.head(), request, Routes(), kMaxBody);
                (void)request.QueryParams();
            }
            reader.ReadBody(kMaxBody);
        }
    }
    return summary;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
    const std::size_t step = 1 + data[0] % 64;
    const Summary pieces = Read(bytes, step, false);
    const Summary whole = Read(bytes, bytes.size(), true);
    if (!pieces.failed && !whole.failed) Require(pieces.seen == whole.seen);
    return 0;
}

#include "client.hpp"

#include <curl/curl.h>
#include <fmt/format.h>

#include "exit_codes.hpp"
#include "interrupt.hpp"

namespace vf::cli {
namespace {

constexpr long kConnectSeconds = 10;
constexpr std::size_t kMaxErrorBody = 64 * 1024;

Exit ExitForStatus(long status) {
    if (status == 401 || status == 402 || status == 403) return Exit::kAccess;
    if (status == 429 || status == 503) return Exit::kBusy;
    if (status >= 400 && status < 500) return Exit::kUsage;
    return Exit::kServerError;
}

// The `detail` and the wrong fields of a problem+json body.
std::string Explain(long status, const std::string& body, const std::string& request_id) {
    std::string message = fmt::format("the server answered {}", status);
    if (const auto parsed = json::Parse(body); parsed && parsed->root.is_object()) {
        const json::object& problem = parsed->root.get_object();
        if (const json::value* detail = problem.if_contains("detail");
            detail && detail->is_string()) {
            message = std::string(detail->get_string());
        }
    }
    if (!request_id.empty()) message += fmt::format(" (request {})", request_id);
    return message;
}

// The request's header lines, with the key when there is one.
class HeaderList {
public:
    explicit HeaderList(const Preferences& preferences) {
        if (!preferences.api_key.empty()) Add("Authorization: Bearer " + preferences.api_key);
    }
    ~HeaderList() { curl_slist_free_all(list_); }
    HeaderList(const HeaderList&) = delete;
    HeaderList& operator=(const HeaderList&) = delete;

    void Add(const std::string& line) { list_ = curl_slist_append(list_, line.c_str()); }
    curl_slist* get() const { return list_; }

private:
    curl_slist* list_ = nullptr;
};

}  // namespace

struct Client::Transfer {
    CURL* curl = nullptr;
    std::function<bool(std::string_view)> sink;
    std::string error_body;
    std::string request_id;
    bool stopped = false;

    static std::size_t OnBody(char* data, std::size_t size, std::size_t count, void* self_) {
        auto* self = static_cast<Transfer*>(self_);
        const std::string_view bytes(data, size * count);
        long status = 0;
        curl_easy_getinfo(self->curl, CURLINFO_RESPONSE_CODE, &status);
        if (status != 200) {
            self->error_body.append(
                bytes.substr(0, kMaxErrorBody - std::min(kMaxErrorBody, self->error_body.size())));
            return bytes.size();
        }
        if (!self->sink(bytes)) {
            self->stopped = true;
            return 0;
        }
        return bytes.size();
    }

    static std::size_t OnHeader(char* data, std::size_t size, std::size_t count, void* self_) {
        auto* self = static_cast<Transfer*>(self_);
        const std::string_view line(data, size * count);
        static constexpr std::string_view kName = "x-request-id:";
        if (line.size() > kName.size() && curl_strnequal(line.data(), kName.data(), kName.size())) {
            std::string_view value = line.substr(kName.size());
            while (!value.empty() && (value.front() == ' ')) value.remove_prefix(1);
            while (!value.empty() && (value.back() == '\r' || value.back() == '\n')) {
                value.remove_suffix(1);
            }
            self->request_id = std::string(value);
        }
        return line.size();
    }

    static int OnProgress(void*, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
        return Interrupted() ? 1 : 0;
    }
};

Client::Client(const Preferences& preferences) : preferences_(preferences) {
    curl_global_init(CURL_GLOBAL_DEFAULT);
    curl_ = curl_easy_init();
    if (!curl_) throw Failure(Exit::kLocal, "libcurl cannot be started");
}

Client::~Client() {
    curl_easy_cleanup(curl_);
}

void Client::Perform(const std::string& path, Transfer& transfer) {
    CURL* curl = curl_;
    transfer.curl = curl;
    std::string base = preferences_.server;
    while (base.ends_with('/')) base.pop_back();
    if (base.find("://") == std::string::npos) base = "http://" + base;
    const std::string url = base + path;
    curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, kConnectSeconds);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "voiceflow/" VOICEFLOW_VERSION);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &Transfer::OnBody);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &transfer);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, &Transfer::OnHeader);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, &transfer);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, &Transfer::OnProgress);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    char reason[CURL_ERROR_SIZE] = "";
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, reason);

    const CURLcode code = curl_easy_perform(curl);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, nullptr);
    if (Interrupted()) throw Failure(Exit::kInterrupted, "interrupted");
    if (transfer.stopped) return;
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    if (code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_HOST ||
        code == CURLE_OPERATION_TIMEDOUT) {
        throw Failure(Exit::kUnreachable,
                      fmt::format("no server at {}: {}; start one, or name another with --server",
                                  base, *reason ? reason : curl_easy_strerror(code)));
    }
    if (code != CURLE_OK) {
        throw Failure(Exit::kUnreachable, fmt::format("the connection to {} broke: {}", base,
                                                      *reason ? reason : curl_easy_strerror(code)));
    }
    if (status != 200) {
        throw Failure(ExitForStatus(status),
                      Explain(status, transfer.error_body, transfer.request_id));
    }
}

json::value Client::Get(const std::string& path) {
    std::string body;
    Transfer transfer;
    transfer.sink = [&](std::string_view bytes) {
        body.append(bytes);
        return true;
    };
    HeaderList headers(preferences_);
    headers.Add("Accept: application/json");
    curl_easy_reset(curl_);
    curl_easy_setopt(curl_, CURLOPT_HTTPHEADER, headers.get());
    Perform(path, transfer);
    auto parsed = json::Parse(body);
    if (!parsed) throw Failure(Exit::kServerError, "the server's answer is not JSON");
    return std::move(parsed->root);
}

void Client::Post(const std::string& path, const json::value& body,
                  const std::function<bool(std::string_view)>& sink) {
    Transfer transfer;
    transfer.sink = sink;
    const std::string text = json::Print(body);
    HeaderList headers(preferences_);
    headers.Add("Content-Type: application/json");
    headers.Add("Expect:");  // no waiting for 100 Continue
    curl_easy_reset(curl_);
    curl_easy_setopt(curl_, CURLOPT_HTTPHEADER, headers.get());
    curl_easy_setopt(curl_, CURLOPT_POST, 1L);
    curl_easy_setopt(curl_, CURLOPT_POSTFIELDS, text.c_str());
    curl_easy_setopt(curl_, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(text.size()));
    Perform(path, transfer);
}

std::string UrlEncode(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                           (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' || c == '~';
        if (plain) {
            out += c;
        } else {
            out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
        }
    }
    return out;
}

}  // namespace vf::cli

#include "http/client_transfer.hpp"

#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "http/reader_syntax.hpp"

namespace vf::http {
namespace {

constexpr std::size_t kMaxHeaderBytes = 64 * 1024;
constexpr std::size_t kPipeBytes = 256 * 1024;
constexpr long kBufferBytes = 64 * 1024;

Error InvalidUrl() {
    return {ErrorKind::kInvalid, "invalid_url",
            "The URL is not one that can be called: it needs http:// or https://, a host, and "
            "neither user nor password."};
}

void Quiet(SteadyTimer& timer) {
    timer.expires_at(SteadyTimer::time_point::max());
}

}  // namespace

ClientTransfer::ClientTransfer(Executor executor, ClientRequest request)
    : executor_(executor), request_(std::move(request)), easy_(curl_easy_init()),
      changed_(executor), deadline_(executor), chunk_taken_(executor) {
    Quiet(changed_);
    Quiet(chunk_taken_);
}

ClientTransfer::~ClientTransfer() {
    if (multi_ && !is_done_) multi_->Remove(easy_);
    curl_easy_cleanup(easy_);
    curl_slist_free_all(fields_);
}

Result<void> ClientTransfer::SetUrl() {
    if (request_.url.find('\0') != std::string::npos) return InvalidUrl();
    CURLU* url = curl_url();
    char* scheme = nullptr;
    char* host = nullptr;
    const bool is_read = curl_url_set(url, CURLUPART_URL, request_.url.c_str(),
                                      CURLU_PATH_AS_IS | CURLU_DISALLOW_USER) == CURLUE_OK &&
                         curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
                         curl_url_get(url, CURLUPART_HOST, &host, 0) == CURLUE_OK;
    const bool is_http =
        is_read && (std::string_view(scheme) == "http" || std::string_view(scheme) == "https");
    if (is_http) host_ = host;
    curl_free(scheme);
    curl_free(host);
    curl_url_cleanup(url);
    const bool is_plain =
        std::ranges::all_of(request_.url, [](unsigned char c) { return c > 0x20 && c < 0x7F; });
    if (!is_http || !is_plain) return InvalidUrl();
    curl_easy_setopt(easy_, CURLOPT_URL, request_.url.c_str());
    return {};
}

Result<void> ClientTransfer::SetHeaders() {
    const auto append = [this](const std::string& line) {
        fields_ = curl_slist_append(fields_, line.c_str());
    };
    for (const auto [name, value] : request_.headers) {
        if (!IsToken(name) || std::ranges::any_of(value, IsForbiddenControl)) {
            return Error(ErrorKind::kInvalid, "invalid_header",
                         "A header of the request has a name or a value that HTTP does not allow.");
        }
        // "Name;" is libcurl's way to send a field without a value.
        append(value.empty() ? fmt::format("{};", name) : fmt::format("{}: {}", name, value));
    }
    if (!request_.headers.Has("Expect")) append("Expect:");
    if (!request_.headers.Has("Content-Type")) append("Content-Type:");
    if (!request_.headers.Has("User-Agent")) append("User-Agent: VoiceFlow/" VOICEFLOW_VERSION);
    curl_easy_setopt(easy_, CURLOPT_HTTPHEADER, fields_);
    return {};
}

void ClientTransfer::SetBody() {
    const std::string method(MethodName(request_.method));
    const std::string& body = request_.shared_body ? *request_.shared_body : request_.body;
    if (request_.method == Method::kHead) {
        curl_easy_setopt(easy_, CURLOPT_NOBODY, 1L);
    } else if (request_.body_pipe) {
        curl_easy_setopt(easy_, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(easy_, CURLOPT_INFILESIZE_LARGE,
                         static_cast<curl_off_t>(request_.body_length));
        curl_easy_setopt(easy_, CURLOPT_READFUNCTION, &ClientTransfer::OnRead);
        curl_easy_setopt(easy_, CURLOPT_READDATA, this);
        curl_easy_setopt(easy_, CURLOPT_UPLOAD_BUFFERSIZE, kBufferBytes);
    } else if (!body.empty() ||
               (request_.method != Method::kGet && request_.method != Method::kDelete)) {
        curl_easy_setopt(easy_, CURLOPT_POSTFIELDS, body.data());
        curl_easy_setopt(easy_, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
    }
    if (request_.method != Method::kHead) {
        curl_easy_setopt(easy_, CURLOPT_CUSTOMREQUEST, method.c_str());
    }
}

Result<void> ClientTransfer::Prepare(const ClientOptions& options) {
    Result<void> url = SetUrl();
    if (!url) return url;
    Result<void> headers = SetHeaders();
    if (!headers) return headers;
    SetBody();
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(request_.idle_timeout).count();
    curl_easy_setopt(easy_, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy_, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    curl_easy_setopt(easy_, CURLOPT_PROXY, "");
    curl_easy_setopt(easy_, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy_, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(easy_, CURLOPT_BUFFERSIZE, kBufferBytes);
    curl_easy_setopt(easy_, CURLOPT_CONNECTTIMEOUT_MS,
                     static_cast<long>(request_.connect_timeout.count()));
    curl_easy_setopt(easy_, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(easy_, CURLOPT_LOW_SPEED_TIME, static_cast<long>(seconds));
    if (!options.ca_file.empty()) {
        curl_easy_setopt(easy_, CURLOPT_CAINFO, options.ca_file.c_str());
    }
    curl_easy_setopt(easy_, CURLOPT_OPENSOCKETFUNCTION, &ClientTransfer::OnOpen);
    curl_easy_setopt(easy_, CURLOPT_OPENSOCKETDATA, this);
    curl_easy_setopt(easy_, CURLOPT_HEADERFUNCTION, &ClientTransfer::OnHeader);
    curl_easy_setopt(easy_, CURLOPT_HEADERDATA, this);
    curl_easy_setopt(easy_, CURLOPT_WRITEFUNCTION, &ClientTransfer::OnBody);
    curl_easy_setopt(easy_, CURLOPT_WRITEDATA, this);
    return {};
}

void ClientTransfer::Start(std::shared_ptr<ClientMulti> multi, std::function<void(CURL*)> on_end) {
    multi_ = std::move(multi);
    on_end_ = std::move(on_end);
    const std::weak_ptr<ClientTransfer> weak = weak_from_this();
    deadline_.expires_after(request_.deadline);
    deadline_.async_wait([weak](const ErrorCode& ec) {
        const auto self = weak.lock();
        if (ec || !self) return;
        self->Fail(Error(ErrorKind::kDeadline, "request_timeout",
                         fmt::format("{} did not answer in time.", self->host_)));
    });
    if (request_.stream_response) {
        response_.pipe = std::make_shared<BytePipe>(executor_, kPipeBytes);
        // Not from within: whoever abandons may be called by us.
        response_.pipe->OnAbandon([weak, executor = executor_] {
            asio::post(executor, [weak] {
                if (const auto self = weak.lock()) self->End(CURLE_ABORTED_BY_CALLBACK);
            });
        });
    }
    if (request_.cancel) {
        request_.cancel->OnCancel([weak, executor = executor_] {
            asio::post(executor, [weak] {
                if (const auto self = weak.lock()) self->End(CURLE_ABORTED_BY_CALLBACK);
            });
        });
    }
    multi_->Add(easy_);
    if (request_.body_pipe) Spawn(executor_, Feed(shared_from_this()), "http_client_feed");
}

// --- what libcurl calls

curl_socket_t ClientTransfer::OnOpen(void* data, curlsocktype, curl_sockaddr* address) {
    auto* self = static_cast<ClientTransfer*>(data);
    if (self->request_.addresses == AddressPolicy::kPublicOnly && !IsPublicAddress(address->addr)) {
        self->is_address_refused_ = true;
        return CURL_SOCKET_BAD;
    }
    return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

std::size_t ClientTransfer::OnHeader(char* data, std::size_t size, std::size_t count, void* self) {
    return static_cast<ClientTransfer*>(self)->Header({data, size * count});
}

std::size_t ClientTransfer::OnBody(char* data, std::size_t size, std::size_t count, void* self) {
    return static_cast<ClientTransfer*>(self)->Body({data, size * count});
}

std::size_t ClientTransfer::OnRead(char* data, std::size_t size, std::size_t count, void* self) {
    return static_cast<ClientTransfer*>(self)->Read(data, size * count);
}

std::size_t ClientTransfer::Header(std::string_view line) {
    const std::size_t size = line.size();
    header_bytes_ += size;
    if (header_bytes_ > kMaxHeaderBytes) {
        is_too_large_ = true;
        return 0;
    }
    if (has_head_) return size;  // trailers
    const std::string_view text = Trim(line.substr(0, line.find_last_not_of("\r\n") + 1));
    if (text.starts_with("HTTP/")) {
        response_.headers.Clear();
    } else if (text.empty()) {
        long status = 0;
        curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
        if (status < 200) return size;  // an interim answer
        response_.status = static_cast<int>(status);
        has_head_ = true;
        if (response_.pipe) {
            deadline_.cancel();
            changed_.cancel();
        }
    } else if (const std::size_t colon = text.find(':'); colon != std::string_view::npos) {
        response_.headers.Add(text.substr(0, colon), Trim(text.substr(colon + 1)));
    }
    return size;
}

std::size_t ClientTransfer::Body(std::string_view bytes) {
    if (received_ + bytes.size() > request_.max_response_bytes) {
        is_too_large_ = true;
        return 0;
    }
    if (!response_.pipe) {
        received_ += bytes.size();
        response_.body += bytes;
        return bytes.size();
    }
    if (response_.pipe->queued_bytes() >= kPipeBytes) {
        is_receiving_paused_ = true;
        asio::post(executor_, [self = shared_from_this()] {
            Spawn(self->executor_, WaitForRoom(self), "http_client_room");
        });
        return CURL_WRITEFUNC_PAUSE;
    }
    received_ += bytes.size();
    return response_.pipe->WriteNow(std::string(bytes)) ? bytes.size() : 0;
}

std::size_t ClientTransfer::Read(char* out, std::size_t room) {
    if (is_body_broken_) return CURL_READFUNC_ABORT;
    const std::size_t size = std::min(room, chunk_.size() - chunk_at_);
    if (size == 0) {
        is_sending_paused_ = true;
        return CURL_READFUNC_PAUSE;
    }
    std::memcpy(out, chunk_.data() + chunk_at_, size);
    chunk_at_ += size;
    if (chunk_at_ == chunk_.size()) chunk_taken_.cancel();
    return size;
}

// --- pumps

Task<void> ClientTransfer::WaitForRoom(std::shared_ptr<ClientTransfer> self) {
    // An empty write waits for room and adds nothing.
    co_await self->response_.pipe->Write(std::string());
    if (self->is_done_) co_return;
    self->is_receiving_paused_ = false;
    self->Resume();
}

// The last chunk is handed over when the pipe has said that there is nothing after it.
Task<void> ClientTransfer::Feed(std::shared_ptr<ClientTransfer> self) {
    const std::shared_ptr<BytePipe> pipe = self->request_.body_pipe;
    const std::uint64_t length = self->request_.body_length;
    std::uint64_t total = 0;
    std::optional<std::string> chunk = co_await pipe->Read();
    while (chunk && !self->is_done_) {
        total += chunk->size();
        std::optional<std::string> next;
        if (total >= length) next = co_await pipe->Read();
        if (self->is_done_) co_return;
        if (total > length || next || (total == length && !pipe->complete())) break;
        self->chunk_ = *std::move(chunk);
        self->chunk_at_ = 0;
        self->is_sending_paused_ = false;
        self->Resume();
        if (total == length) co_return;
        while (!self->is_done_ && self->chunk_at_ < self->chunk_.size()) {
            co_await self->chunk_taken_.async_wait(kAwaitTuple);
        }
        chunk = co_await pipe->Read();
    }
    const bool is_empty = length == 0 && total == 0 && pipe->complete();
    if (self->is_done_ || is_empty) co_return;
    self->is_body_broken_ = true;
    self->is_sending_paused_ = false;
    self->Resume();
}

void ClientTransfer::Resume() {
    int paused = CURLPAUSE_CONT;
    if (is_receiving_paused_) paused |= CURLPAUSE_RECV;
    if (is_sending_paused_) paused |= CURLPAUSE_SEND;
    curl_easy_pause(easy_, paused);
}

// --- the end

Error ClientTransfer::ErrorOf(CURLcode code) const {
    const auto say = [this](ErrorKind kind, const char* name, std::string_view what) {
        return Error(kind, name, fmt::format(fmt::runtime(what), host_));
    };
    if (is_too_large_) {
        return say(ErrorKind::kTooLarge, "response_too_large", "The answer of {} is too large.");
    }
    if (is_body_broken_) {
        return say(ErrorKind::kInvalid, "request_body_broken",
                   "The body for {} was not as long as it was said to be, or broke off.");
    }
    double connected = 0;
    curl_easy_getinfo(easy_, CURLINFO_CONNECT_TIME, &connected);
    switch (code) {
        case CURLE_ABORTED_BY_CALLBACK:
            return say(ErrorKind::kUnavailable, "request_cancelled",
                       "Nobody waits for the answer of {} any more.");
        case CURLE_COULDNT_RESOLVE_HOST:
            return say(ErrorKind::kUnavailable, "name_not_found", "The name {} has no address.");
        case CURLE_COULDNT_CONNECT:
            if (is_address_refused_) {
                return say(ErrorKind::kInvalid, "address_refused",
                           "{} has an address that may not be called: only public ones may.");
            }
            return say(ErrorKind::kUnavailable, "connect_failed",
                       "No connection to {} could be made.");
        case CURLE_OPERATION_TIMEDOUT:
            if (connected <= 0) {
                return say(ErrorKind::kUnavailable, "connect_failed",
                           "No connection to {} could be made in time.");
            }
            return say(ErrorKind::kDeadline, "request_timeout", "{} did not go on in time.");
        case CURLE_PEER_FAILED_VERIFICATION:
        case CURLE_SSL_CONNECT_ERROR:
        case CURLE_SSL_CACERT_BADFILE:
            return say(ErrorKind::kUnavailable, "tls_failed",
                       "No trusted encrypted connection to {} could be made.");
        case CURLE_URL_MALFORMAT:
        case CURLE_LOGIN_DENIED: return InvalidUrl();
        default:  // whatever the other side said, it was no answer
            return say(ErrorKind::kUnavailable, "connection_broken",
                       "The connection to {} broke off.");
    }
}

void ClientTransfer::End(CURLcode code) {
    if (is_done_) return;
    Finish(code == CURLE_OK ? std::nullopt : std::optional(ErrorOf(code)));
}

void ClientTransfer::Fail(Error error) {
    if (!is_done_) Finish(std::move(error));
}

void ClientTransfer::Finish(std::optional<Error> error) {
    is_done_ = true;
    multi_->Remove(easy_);
    deadline_.cancel();
    chunk_taken_.cancel();
    if (request_.body_pipe) request_.body_pipe->Abandon();
    if (response_.pipe && error) response_.pipe->Fail(*error);
    if (response_.pipe && !error) response_.pipe->Finish();
    error_ = std::move(error);
    changed_.cancel();
    on_end_(easy_);
}

Task<void> ClientTransfer::Wait() {
    for (;;) {
        const bool is_streaming = response_.pipe && has_head_;
        if (is_done_ || is_streaming) co_return;
        co_await changed_.async_wait(kAwaitTuple);
    }
}

Result<ClientResponse> ClientTransfer::Take() {
    // A streamed answer that broke off after its head says so in its pipe.
    if (error_ && !(response_.pipe && has_head_)) return *error_;
    ClientResponse taken;
    taken.status = response_.status;
    taken.headers = std::move(response_.headers);
    taken.body = std::move(response_.body);
    taken.pipe = response_.pipe;
    return taken;
}

}  // namespace vf::http

#include "http/client.hpp"

#include <curl/curl.h>

#include <stdexcept>
#include <unordered_map>
#include <utility>
#include <vector>

#include "http/client_multi.hpp"
#include "http/client_transfer.hpp"

namespace vf::http {

// What runs, and the two sets of connections. Kept alive by every Send() that is under way.
class ClientCore : public std::enable_shared_from_this<ClientCore> {
public:
    ClientCore(Executor executor, ClientOptions options)
        : executor_(executor), options_(std::move(options)), any_(Make()), public_(Make()) {}

    Result<std::shared_ptr<ClientTransfer>> Start(ClientRequest request);
    void Close();
    std::size_t running() const { return running_.size(); }

private:
    std::shared_ptr<ClientMulti> Make() {
        return std::make_shared<ClientMulti>(executor_, static_cast<long>(options_.connections),
                                             static_cast<long>(options_.connections_per_host),
                                             [this](CURL* easy, CURLcode code) {
                                                 const auto found = running_.find(easy);
                                                 if (found == running_.end()) return;
                                                 const auto transfer = found->second;
                                                 transfer->End(code);
                                             });
    }

    Executor executor_;
    ClientOptions options_;
    bool is_closed_ = false;
    std::unordered_map<CURL*, std::shared_ptr<ClientTransfer>> running_;
    // Apart, so that a connection that one policy refuses is never there to be used again.
    std::shared_ptr<ClientMulti> any_;
    std::shared_ptr<ClientMulti> public_;
};

Result<std::shared_ptr<ClientTransfer>> ClientCore::Start(ClientRequest request) {
    if (is_closed_) {
        return Error(ErrorKind::kUnavailable, "client_closed", "The server is stopping.");
    }
    if (running_.size() >= options_.exchanges) {
        return Error(ErrorKind::kUnavailable, "client_busy",
                     "Too many calls to other servers are under way.")
            .RetryAfter(std::chrono::seconds(1));
    }
    const bool is_public = request.addresses == AddressPolicy::kPublicOnly;
    auto transfer = std::make_shared<ClientTransfer>(executor_, std::move(request));
    const Result<void> prepared = transfer->Prepare(options_);
    if (!prepared) return prepared.error();
    running_.emplace(transfer->easy(), transfer);
    transfer->Start(is_public ? public_ : any_, [weak = weak_from_this()](CURL* easy) {
        if (const auto self = weak.lock()) self->running_.erase(easy);
    });
    return transfer;
}

void ClientCore::Close() {
    if (std::exchange(is_closed_, true)) return;
    for (const auto& [easy, transfer] : std::exchange(running_, {})) {
        transfer->Fail(Error(ErrorKind::kUnavailable, "client_closed", "The server is stopping."));
    }
    any_->Close();
    public_->Close();
}

HttpClient::HttpClient(asio::io_context& loop, ClientOptions options) {
    static const CURLcode kStarted = curl_global_init(CURL_GLOBAL_DEFAULT);
    if (kStarted != CURLE_OK) throw std::runtime_error("libcurl cannot start");
    core_ = std::make_shared<ClientCore>(loop.get_executor(), std::move(options));
}

HttpClient::~HttpClient() {
    Close();
}

void HttpClient::Close() {
    core_->Close();
}

std::size_t HttpClient::running() const {
    return core_->running();
}

Task<Result<ClientResponse>> HttpClient::Send(ClientRequest request) {
    const std::shared_ptr<ClientCore> core = core_;
    Result<std::shared_ptr<ClientTransfer>> started = core->Start(std::move(request));
    if (!started) co_return std::move(started).error();
    const std::shared_ptr<ClientTransfer> transfer = *std::move(started);
    co_await transfer->Wait();
    co_return transfer->Take();
}

}  // namespace vf::http

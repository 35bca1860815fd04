#pragma once
// One exchange of the outbound client: libcurl's easy handle and its callbacks. Inside the client
// only. Shared by the caller of Send(), the core's list and the pipes' pumps.

#include <curl/curl.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "http/client.hpp"
#include "http/client_multi.hpp"

namespace vf::http {

class ClientTransfer : public std::enable_shared_from_this<ClientTransfer> {
public:
    ClientTransfer(Executor executor, ClientRequest request);
    ~ClientTransfer();

    // kInvalid for what cannot be sent.
    Result<void> Prepare(const ClientOptions& options);
    // `on_end` is called once, when nothing more will happen.
    void Start(std::shared_ptr<ClientMulti> multi, std::function<void(CURL*)> on_end);
    // Ends it as libcurl says, or with an error of ours. Repeating does nothing.
    void End(CURLcode code);
    void Fail(Error error);

    // Until there is an answer (its head, when it is streamed) or an error.
    Task<void> Wait();
    Result<ClientResponse> Take();

    CURL* easy() const { return easy_; }

private:
    static std::size_t OnHeader(char* data, std::size_t size, std::size_t count, void* self);
    static std::size_t OnBody(char* data, std::size_t size, std::size_t count, void* self);
    static std::size_t OnRead(char* data, std::size_t size, std::size_t count, void* self);
    static curl_socket_t OnOpen(void* self, curlsocktype purpose, curl_sockaddr* address);
    static Task<void> WaitForRoom(std::shared_ptr<ClientTransfer> self);
    static Task<void> Feed(std::shared_ptr<ClientTransfer> self);

    Result<void> SetUrl();
    Result<void> SetHeaders();
    void SetBody();
    std::size_t Header(std::string_view line);
    std::size_t Body(std::string_view bytes);
    std::size_t Read(char* out, std::size_t room);
    void Resume();
    void Finish(std::optional<Error> error);
    Error ErrorOf(CURLcode code) const;

    Executor executor_;
    ClientRequest request_;
    std::string host_;
    CURL* easy_;
    curl_slist* fields_ = nullptr;
    std::shared_ptr<ClientMulti> multi_;
    std::function<void(CURL*)> on_end_;

    ClientResponse response_;
    std::size_t header_bytes_ = 0;
    std::uint64_t received_ = 0;
    bool has_head_ = false;
    bool is_done_ = false;
    bool is_too_large_ = false;
    bool is_address_refused_ = false;
    std::optional<Error> error_;
    SteadyTimer changed_;  // what Wait() waits on
    SteadyTimer deadline_;

    bool is_receiving_paused_ = false;
    bool is_sending_paused_ = false;
    std::string chunk_;  // of the request's body: what Read() has not taken yet
    std::size_t chunk_at_ = 0;
    bool is_body_broken_ = false;
    SteadyTimer chunk_taken_;
};

}  // namespace vf::http

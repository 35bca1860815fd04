#pragma once
// One libcurl multi handle on the loop: its sockets and its timer are asio's. Inside the client
// only.

#include <curl/curl.h>

#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <functional>
#include <map>
#include <memory>

#include "base/task.hpp"

namespace vf::http {

class ClientMulti : public std::enable_shared_from_this<ClientMulti> {
public:
    // `on_done` is called for every transfer that has ended, outside of libcurl's own calls.
    using OnDone = std::function<void(CURL*, CURLcode)>;

    ClientMulti(Executor executor, long connections, long connections_per_host, OnDone on_done);
    ~ClientMulti();
    ClientMulti(const ClientMulti&) = delete;
    ClientMulti& operator=(const ClientMulti&) = delete;

    // Both outside of libcurl's callbacks.
    void Add(CURL* easy);
    void Remove(CURL* easy);
    // Nothing of it keeps the loop busy afterwards. No transfer may be left.
    void Close();

private:
    struct Socket;
    using Sockets = std::map<curl_socket_t, std::shared_ptr<Socket>>;

    static int OnSocket(CURL* easy, curl_socket_t fd, int what, void* self, void* socket);
    static int OnTimer(CURLM* multi, long wait_ms, void* self);
    void Watch(curl_socket_t fd, int what);
    void Arm(const std::shared_ptr<Socket>& socket, int direction);
    void Drive(curl_socket_t fd, int events);

    Executor executor_;
    OnDone on_done_;
    CURLM* multi_;
    SteadyTimer timer_;
    Sockets sockets_;
};

}  // namespace vf::http

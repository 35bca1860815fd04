#include "http/client_multi.hpp"

#include <fcntl.h>

#include <stdexcept>
#include <utility>

namespace vf::http {

using Descriptor = asio::posix::basic_stream_descriptor<Executor>;

// A descriptor of our own for libcurl's socket: libcurl closes its own when it likes, and the
// number may be somebody else's right after.
struct ClientMulti::Socket {
    Socket(Executor executor, curl_socket_t socket, int own)
        : fd(socket), descriptor(executor, own) {}
    curl_socket_t fd;
    Descriptor descriptor;
    int wanted = 0;  // CURL_POLL_IN | CURL_POLL_OUT
    int armed = 0;
};

ClientMulti::ClientMulti(Executor executor, long connections, long connections_per_host,
                         OnDone on_done)
    : executor_(executor), on_done_(std::move(on_done)), multi_(curl_multi_init()),
      timer_(executor) {
    if (!multi_) throw std::runtime_error("libcurl cannot start");
    curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &ClientMulti::OnSocket);
    curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
    curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &ClientMulti::OnTimer);
    curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
    curl_multi_setopt(multi_, CURLMOPT_MAX_TOTAL_CONNECTIONS, connections);
    curl_multi_setopt(multi_, CURLMOPT_MAX_HOST_CONNECTIONS, connections_per_host);
    curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, connections);
}

ClientMulti::~ClientMulti() {
    Close();
}

void ClientMulti::Close() {
    if (!multi_) return;
    curl_multi_cleanup(std::exchange(multi_, nullptr));
    sockets_.clear();
    timer_.cancel();
}

void ClientMulti::Add(CURL* easy) {
    curl_multi_add_handle(multi_, easy);
}

void ClientMulti::Remove(CURL* easy) {
    if (multi_) curl_multi_remove_handle(multi_, easy);
}

int ClientMulti::OnSocket(CURL*, curl_socket_t fd, int what, void* self, void*) {
    static_cast<ClientMulti*>(self)->Watch(fd, what);
    return 0;
}

void ClientMulti::Watch(curl_socket_t fd, int what) {
    if (what == CURL_POLL_REMOVE) {
        sockets_.erase(fd);
        return;
    }
    std::shared_ptr<Socket>& socket = sockets_[fd];
    if (!socket) {
        const int own = ::fcntl(fd, F_DUPFD_CLOEXEC, 0);
        if (own < 0) {
            sockets_.erase(fd);  // out of descriptors: the transfer's deadline ends it
            return;
        }
        socket = std::make_shared<Socket>(executor_, fd, own);
    }
    socket->wanted = what == CURL_POLL_NONE ? 0 : what;
    Arm(socket, CURL_POLL_IN);
    Arm(socket, CURL_POLL_OUT);
}

void ClientMulti::Arm(const std::shared_ptr<Socket>& socket, int direction) {
    if ((socket->wanted & direction) == 0 || (socket->armed & direction) != 0) return;
    socket->armed |= direction;
    const bool is_read = direction == CURL_POLL_IN;
    socket->descriptor.async_wait(is_read ? Descriptor::wait_read : Descriptor::wait_write,
                                  [weak = weak_from_this(), watched = std::weak_ptr<Socket>(socket),
                                   direction](const ErrorCode& ec) {
                                      const std::shared_ptr<ClientMulti> self = weak.lock();
                                      const std::shared_ptr<Socket> ready = watched.lock();
                                      if (ec || !self || !ready) return;
                                      ready->armed &= ~direction;
                                      if ((ready->wanted & direction) != 0) {
                                          self->Drive(ready->fd, direction == CURL_POLL_IN
                                                                     ? CURL_CSELECT_IN
                                                                     : CURL_CSELECT_OUT);
                                      }
                                      const auto found = self->sockets_.find(ready->fd);
                                      if (found != self->sockets_.end() && found->second == ready) {
                                          self->Arm(ready, direction);
                                      }
                                  });
}

int ClientMulti::OnTimer(CURLM*, long wait_ms, void* data) {
    auto* self = static_cast<ClientMulti*>(data);
    if (wait_ms < 0) {
        self->timer_.cancel();
        return 0;
    }
    self->timer_.expires_after(std::chrono::milliseconds(wait_ms));
    self->timer_.async_wait([weak = self->weak_from_this()](const ErrorCode& ec) {
        const std::shared_ptr<ClientMulti> alive = weak.lock();
        if (!ec && alive) alive->Drive(CURL_SOCKET_TIMEOUT, 0);
    });
    return 0;
}

void ClientMulti::Drive(curl_socket_t fd, int events) {
    if (!multi_) return;
    int running = 0;
    curl_multi_socket_action(multi_, fd, events, &running);
    for (;;) {
        int left = 0;
        const CURLMsg* message = multi_ ? curl_multi_info_read(multi_, &left) : nullptr;
        if (!message) break;
        if (message->msg == CURLMSG_DONE) on_done_(message->easy_handle, message->data.result);
    }
}

}  // namespace vf::http

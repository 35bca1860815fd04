// Opening sockets and accepting connections.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/ip/address.hpp>
#include <cerrno>
#include <cstring>

#include "base/log.hpp"
#include "http/connection.hpp"
#include "http/server_core.hpp"

namespace vf::http {
namespace {

constexpr int kBacklog = 4096;            // the kernel cuts it at net.core.somaxconn
constexpr int kAcceptsAtOnce = 64;        // then others have their turn
constexpr std::size_t kMaxRefused = 256;  // connections beyond the limit that are told so

Error CannotListen(const std::string& where, int code) {
    std::string hint;
    if (code == EADDRINUSE) hint = "; another program listens there";
    if (code == EACCES) hint = "; ports below 1024 and some folders need more rights";
    return {ErrorKind::kInvalid, "cannot_listen",
            fmt::format("Cannot listen on {}: {}{}.", where, std::strerror(code), hint)};
}

Peer PeerOf(const sockaddr_storage& address) {
    Peer peer;
    char text[INET6_ADDRSTRLEN] = "";
    if (address.ss_family == AF_INET) {
        const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
        ::inet_ntop(AF_INET, &v4.sin_addr, text, sizeof text);
        peer.is_loopback = ntohl(v4.sin_addr.s_addr) >> 24U == 127;
    } else if (address.ss_family == AF_INET6) {
        const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
        if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) {
            ::inet_ntop(AF_INET, &v6.sin6_addr.s6_addr[12], text, sizeof text);
            peer.is_loopback = v6.sin6_addr.s6_addr[12] == 127;
        } else {
            ::inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof text);
            peer.is_loopback = IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr);
        }
    } else {
        peer.address = "unix";
        peer.is_loopback = true;
        return peer;
    }
    peer.address = text;
    return peer;
}

// Opens, binds and listens; -1 with errno.
int OpenSocket(int family, const sockaddr* address, socklen_t size) {
    const int fd = ::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return -1;
    const int on = 1;
    const int off = 0;
    if (family != AF_UNIX) ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (family == AF_INET6) ::setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    if (::bind(fd, address, size) == 0 && ::listen(fd, kBacklog) == 0) return fd;
    const int code = errno;
    ::close(fd);
    errno = code;
    return -1;
}

// A socket file that nobody listens on is left over from a crash.
bool RemoveStaleSocket(const sockaddr_un& address) {
    struct stat status{};
    if (::lstat(address.sun_path, &status) != 0) return errno == ENOENT;
    if (!S_ISSOCK(status.st_mode)) return false;
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int code = ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
    const bool is_stale = code != 0 && errno == ECONNREFUSED;
    ::close(fd);
    return is_stale && ::unlink(address.sun_path) == 0;
}

}  // namespace

Result<void> ServerCore::Listen() {
    const bool has_certificate = !options.tls_certificate.empty();
    if (has_certificate != !options.tls_key.empty()) {
        return Error(ErrorKind::kInvalid, "bad_tls_file",
                     "http.tls_certificate and http.tls_key must be set together.");
    }
    if (has_certificate) {
        Result<TlsContext> tls = TlsContext::Load(options.tls_certificate, options.tls_key);
        if (!tls) return std::move(tls).error();
        tls_ = std::move(*tls);
    }
    if (!options.host.empty()) {
        Result<void> opened = ListenTcp();
        if (!opened) return opened;
    }
    if (!options.unix_socket.empty()) {
        Result<void> opened = ListenUnix();
        if (!opened) return opened;
    }
    ScheduleTick();
    return {};
}

Result<void> ServerCore::ListenTcp() {
    const std::string host = options.host == "localhost" ? "127.0.0.1" : options.host;
    const std::string where = fmt::format("{} port {}", options.host, options.port);
    ErrorCode bad;
    const auto address = asio::ip::make_address(host, bad);
    if (bad) {
        return Error(ErrorKind::kInvalid, "cannot_listen",
                     "http.host is not an IP address: " + options.host);
    }
    const auto number = htons(static_cast<std::uint16_t>(options.port));
    sockaddr_storage storage{};
    socklen_t size = sizeof(sockaddr_in);
    if (address.is_v4()) {
        auto& v4 = reinterpret_cast<sockaddr_in&>(storage);
        v4.sin_family = AF_INET;
        v4.sin_port = number;
        v4.sin_addr.s_addr = htonl(address.to_v4().to_uint());
    } else {
        auto& v6 = reinterpret_cast<sockaddr_in6&>(storage);
        size = sizeof(sockaddr_in6);
        v6.sin6_family = AF_INET6;
        v6.sin6_port = number;
        v6.sin6_scope_id = static_cast<std::uint32_t>(address.to_v6().scope_id());
        const auto bytes = address.to_v6().to_bytes();
        std::memcpy(&v6.sin6_addr, bytes.data(), bytes.size());
    }
    const int fd = OpenSocket(storage.ss_family, reinterpret_cast<sockaddr*>(&storage), size);
    if (fd < 0) return CannotListen(where, errno);
    ::getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &size);
    // sin_port and sin6_port stand at the same place.
    port = ntohs(reinterpret_cast<const sockaddr_in&>(storage).sin_port);
    auto listener = std::make_shared<Listener>(executor);
    listener->descriptor.assign(fd);
    listeners_.push_back(listener);
    Watch(listener);
    return {};
}

Result<void> ServerCore::ListenUnix() {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (options.unix_socket.size() >= sizeof address.sun_path) {
        return CannotListen(options.unix_socket, ENAMETOOLONG);
    }
    std::memcpy(address.sun_path, options.unix_socket.data(), options.unix_socket.size());
    if (!RemoveStaleSocket(address)) return CannotListen(options.unix_socket, EADDRINUSE);
    const int fd = OpenSocket(AF_UNIX, reinterpret_cast<sockaddr*>(&address), sizeof address);
    if (fd < 0) return CannotListen(options.unix_socket, errno);
    constexpr mode_t kOwnerAndGroup = 0660;
    ::chmod(address.sun_path, kOwnerAndGroup);
    auto listener = std::make_shared<Listener>(executor);
    listener->descriptor.assign(fd);
    listener->is_unix = true;
    listeners_.push_back(listener);
    Watch(listener);
    return {};
}

void ServerCore::StopAccepting() {
    for (const auto& listener : listeners_) {
        if (listener->is_unix) ::unlink(options.unix_socket.c_str());
        ErrorCode ignored;
        listener->descriptor.close(ignored);
    }
    listeners_.clear();
}

void ServerCore::Watch(std::shared_ptr<Listener> listener) {
    Descriptor& descriptor = listener->descriptor;
    descriptor.async_wait(Descriptor::wait_read, [self = shared_from_this(),
                                                  listener = std::move(listener)](ErrorCode error) {
        if (!error) self->AcceptAll(listener);
    });
}

void ServerCore::AcceptAll(const std::shared_ptr<Listener>& listener) {
    for (int i = 0; i < kAcceptsAtOnce; ++i) {
        sockaddr_storage address{};
        socklen_t size = sizeof address;
        const int fd =
            ::accept4(listener->descriptor.native_handle(), reinterpret_cast<sockaddr*>(&address),
                      &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            if (listener->is_unix) address.ss_family = AF_UNIX;
            Peer peer = PeerOf(address);
            peer.is_tls = tls_.has_value() && !listener->is_unix;
            Open(fd, std::move(peer));
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            if (!listener->is_starved) log::Warning("accept_failed", {{"errno", errno}});
            listener->is_starved = true;  // waiting now would spin
            return;
        } else if (errno == EAGAIN) {
            break;
        }  // else: the client is gone again
    }
    if (listener->descriptor.is_open()) Watch(listener);
}

void ServerCore::Open(int fd, Peer peer) {
    const auto limit = static_cast<std::size_t>(options.max_connections);
    if (connections_.size() >= limit + kMaxRefused) {
        ::close(fd);
        return;
    }
    if (peer.address != "unix") {
        const int on = 1;
        ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    const bool is_full = connections_.size() >= limit;
    const TlsContext* tls = peer.is_tls ? &*tls_ : nullptr;
    auto connection = std::make_shared<Connection>(shared_from_this(), fd, std::move(peer), tls);
    connection->index = connections_.size();
    connections_.push_back(connection);
    metrics.connections.Increment();
    if (is_full) {
        connection->Refuse();
    } else {
        connection->Start();
    }
}

}  // namespace vf::http

#include "http/transport.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <cerrno>
#include <climits>

namespace vf::http {
namespace {

IoResult FromErrno(IoResult::Kind would_block) {
    if (errno == EAGAIN || errno == EWOULDBLOCK) return {would_block, 0};
    return {IoResult::Kind::kError, 0};
}

class PlainTransport : public Transport {
public:
    explicit PlainTransport(int fd) : fd_(fd) {}

    IoResult Read(char* out, std::size_t size) override {
        ssize_t n = 0;
        do {
            n = ::recv(fd_, out, size, 0);
        } while (n < 0 && errno == EINTR);
        if (n > 0) return {IoResult::Kind::kDone, static_cast<std::size_t>(n)};
        if (n == 0) return {IoResult::Kind::kEnd, 0};
        return FromErrno(IoResult::Kind::kWantRead);
    }

    IoResult Write(const iovec* pieces, int count) override {
        msghdr message{};
        message.msg_iov = const_cast<iovec*>(pieces);
        message.msg_iovlen = static_cast<std::size_t>(count);
        ssize_t n = 0;
        do {
            n = ::sendmsg(fd_, &message, MSG_NOSIGNAL);
        } while (n < 0 && errno == EINTR);
        if (n >= 0) return {IoResult::Kind::kDone, static_cast<std::size_t>(n)};
        return FromErrno(IoResult::Kind::kWantWrite);
    }

    void FinishWriting() override { ::shutdown(fd_, SHUT_WR); }

private:
    int fd_;
};

// A BIO over send() and recv(): OpenSSL's own socket BIO raises SIGPIPE.
int BioWrite(BIO* bio, const char* data, int size) {
    const int fd = static_cast<int>(reinterpret_cast<std::intptr_t>(BIO_get_data(bio)));
    BIO_clear_retry_flags(bio);
    const ssize_t n = ::send(fd, data, static_cast<std::size_t>(size), MSG_NOSIGNAL);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_write(bio);
    return static_cast<int>(n);
}

int BioRead(BIO* bio, char* out, int size) {
    const int fd = static_cast<int>(reinterpret_cast<std::intptr_t>(BIO_get_data(bio)));
    BIO_clear_retry_flags(bio);
    const ssize_t n = ::recv(fd, out, static_cast<std::size_t>(size), 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_read(bio);
    return static_cast<int>(n);
}

long BioControl(BIO*, int command, long, void*) {
    return command == BIO_CTRL_FLUSH ? 1 : 0;
}

BIO_METHOD* BioMethod() {
    static BIO_METHOD* const method = [] {
        BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket");
        BIO_meth_set_write(made, BioWrite);
        BIO_meth_set_read(made, BioRead);
        BIO_meth_set_ctrl(made, BioControl);
        return made;
    }();
    return method;
}

class TlsTransport : public Transport {
public:
    TlsTransport(SSL_CTX* context, int fd) : fd_(fd), ssl_(SSL_new(context)) {
        BIO* bio = BIO_new(BioMethod());
        BIO_set_data(bio, reinterpret_cast<void*>(static_cast<std::intptr_t>(fd)));
        BIO_set_init(bio, 1);
        SSL_set_bio(ssl_, bio, bio);
        SSL_set_accept_state(ssl_);
    }
    ~TlsTransport() override { SSL_free(ssl_); }
    TlsTransport(const TlsTransport&) = delete;
    TlsTransport& operator=(const TlsTransport&) = delete;

    IoResult Read(char* out, std::size_t size) override {
        ERR_clear_error();
        std::size_t n = 0;
        const int code = SSL_read_ex(ssl_, out, size, &n);
        return Outcome(code, n);
    }

    IoResult Write(const iovec* pieces, int count) override {
        std::size_t total = 0;
        for (int i = 0; i < count; ++i) {
            if (pieces[i].iov_len == 0) continue;
            ERR_clear_error();
            std::size_t n = 0;
            const int code = SSL_write_ex(ssl_, pieces[i].iov_base, pieces[i].iov_len, &n);
            if (code != 1) {
                if (total > 0) break;  // the next call meets the same condition
                return Outcome(code, 0);
            }
            total += n;
            if (n < pieces[i].iov_len) break;
        }
        return {IoResult::Kind::kDone, total};
    }

    bool HasPending() const override { return SSL_has_pending(ssl_) == 1; }

    void FinishWriting() override {
        ERR_clear_error();
        if (SSL_is_init_finished(ssl_)) SSL_shutdown(ssl_);
        ::shutdown(fd_, SHUT_WR);
    }

private:
    IoResult Outcome(int code, std::size_t n) {
        if (code == 1) return {IoResult::Kind::kDone, n};
        switch (SSL_get_error(ssl_, code)) {
            case SSL_ERROR_WANT_READ: return {IoResult::Kind::kWantRead, 0};
            case SSL_ERROR_WANT_WRITE: return {IoResult::Kind::kWantWrite, 0};
            case SSL_ERROR_ZERO_RETURN: return {IoResult::Kind::kEnd, 0};
            default: return {IoResult::Kind::kError, 0};
        }
    }

    int fd_;
    SSL* ssl_;
};

int SelectProtocol(SSL*, const unsigned char** out, unsigned char* out_size,
                   const unsigned char* offered, unsigned int offered_size, void*) {
    static constexpr unsigned char kOurs[] = "\x08http/1.1";
    unsigned char* chosen = nullptr;
    const int code =
        SSL_select_next_proto(&chosen, out_size, kOurs, sizeof kOurs - 1, offered, offered_size);
    if (code != OPENSSL_NPN_NEGOTIATED) return SSL_TLSEXT_ERR_ALERT_FATAL;  // RFC 7301: no overlap
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

Error BadTls(const std::string& what, const std::string& file) {
    std::string reason = "unknown reason";
    if (const unsigned long code = ERR_peek_last_error(); code != 0) {
        const char* text = ERR_reason_error_string(code);
        if (text) reason = text;
    }
    ERR_clear_error();
    return {ErrorKind::kInvalid, "bad_tls_file", what + " " + file + " cannot be used: " + reason};
}

}  // namespace

std::unique_ptr<Transport> MakePlainTransport(int fd) {
    return std::make_unique<PlainTransport>(fd);
}

Result<TlsContext> TlsContext::Load(const std::string& certificate, const std::string& key) {
    TlsContext context;
    context.context_ = std::shared_ptr<SSL_CTX>(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
    SSL_CTX* ssl = context.context_.get();
    SSL_CTX_set_min_proto_version(ssl, TLS1_2_VERSION);
    SSL_CTX_set_options(
        ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                              SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_alpn_select_cb(ssl, SelectProtocol, nullptr);
    if (SSL_CTX_use_certificate_chain_file(ssl, certificate.c_str()) != 1) {
        return BadTls("The TLS certificate", certificate);
    }
    if (SSL_CTX_use_PrivateKey_file(ssl, key.c_str(), SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(ssl) != 1) {
        return BadTls("The TLS key", key);
    }
    return context;
}

std::unique_ptr<Transport> TlsContext::MakeTransport(int fd) const {
    return std::make_unique<TlsTransport>(context_.get(), fd);
}

}  // namespace vf::http

// The ways in: TLS, Unix socket, IPv6, and what is said when one cannot be opened.
#include <gmock/gmock.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <filesystem>
#include <fstream>

#include "base/json.hpp"
#include "base/log.hpp"

#include "http/test_server.hpp"

namespace vf::http {
namespace {

using testing::HasSubstr;

Response WhoAmI(Request& request) {
    return TextResponse(200, request.peer.address + (request.peer.is_loopback ? " loopback" : "") +
                                 (request.peer.is_tls ? " tls" : ""));
}

class Ways : public testing::Test {
protected:
    Ways() {
        std::string name = testing::TempDir() + "ways-XXXXXX";
        folder_ = ::mkdtemp(name.data());
    }
    ~Ways() override { std::filesystem::remove_all(folder_); }

    // A self-signed certificate for "localhost", made for this test only.
    void MakeCertificate(ServerOptions& options) {
        EVP_PKEY* key = EVP_EC_gen("P-256");
        X509* certificate = X509_new();
        ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
        X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
        X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
        X509_set_pubkey(certificate, key);
        X509_NAME* subject = X509_get_subject_name(certificate);
        X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                                   reinterpret_cast<const unsigned char*>("localhost"), -1, -1, 0);
        X509_set_issuer_name(certificate, subject);
        X509_sign(certificate, key, EVP_sha256());
        options.tls_certificate = folder_ + "/tls.crt";
        options.tls_key = folder_ + "/tls.key";
        FILE* out = std::fopen(options.tls_certificate.c_str(), "w");
        PEM_write_X509(out, certificate);
        std::fclose(out);
        out = std::fopen(options.tls_key.c_str(), "w");
        PEM_write_PrivateKey(out, key, nullptr, nullptr, 0, nullptr, nullptr);
        std::fclose(out);
        X509_free(certificate);
        EVP_PKEY_free(key);
    }

    std::string folder_;
};

class TlsClient {
public:
    TlsClient(std::uint16_t port, int max_version, const std::string& protocols)
        : client_(port), context_(SSL_CTX_new(TLS_client_method())), ssl_(SSL_new(context_)) {
        SSL_set_max_proto_version(ssl_, max_version);
        SSL_set_alpn_protos(ssl_, reinterpret_cast<const unsigned char*>(protocols.data()),
                            static_cast<unsigned>(protocols.size()));
        SSL_set_fd(ssl_, client_.fd());
    }
    ~TlsClient() {
        SSL_free(ssl_);
        SSL_CTX_free(context_);
    }
    bool Handshake() { return SSL_connect(ssl_) == 1; }
    std::string Protocol() {
        const unsigned char* name = nullptr;
        unsigned size = 0;
        SSL_get0_alpn_selected(ssl_, &name, &size);
        return {reinterpret_cast<const char*>(name), size};
    }
    std::string Talk(const std::string& bytes) {
        SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size()));
        std::string out;
        char buffer[4096];
        for (;;) {
            const int n = SSL_read(ssl_, buffer, sizeof buffer);
            if (n <= 0) break;
            out.append(buffer, static_cast<std::size_t>(n));
        }
        is_clean = SSL_get_error(ssl_, 0) == SSL_ERROR_ZERO_RETURN;
        return out;
    }
    bool is_clean = false;  // ended by close_notify

private:
    Client client_;
    SSL_CTX* context_;
    SSL* ssl_;
};

TEST_F(Ways, Tls) {
    ServerOptions options;
    MakeCertificate(options);
    TestServer server(options);
    server.Add(Method::kGet, "/", QuickHandler(WhoAmI));
    const std::string large(3'000'000, 'a');
    server.Add(Method::kGet, "/large", [large](Request&) { return TextResponse(200, large); });
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        TlsClient client(server.port(), version, "\x02h2\x08http/1.1");
        ASSERT_TRUE(client.Handshake());
        EXPECT_EQ(client.Protocol(), "http/1.1");
        const std::string reply = client.Talk(
            "GET / HTTP/1.1\r\nHost: t\r\n\r\nGET /large HTTP/1.1\r\nHost: t\r\n"
            "Connection: close\r\n\r\n");
        EXPECT_THAT(reply.substr(0, 1000), HasSubstr("127.0.0.1 loopback tls"));
        EXPECT_TRUE(reply.ends_with(large.substr(0, 1000)));
        EXPECT_GT(reply.size(), large.size());
        EXPECT_TRUE(client.is_clean);
    }
    TlsClient old(server.port(), TLS1_1_VERSION, "\x08http/1.1");
    EXPECT_FALSE(old.Handshake());
    TlsClient other(server.port(), TLS1_3_VERSION, "\x02h2");
    EXPECT_FALSE(other.Handshake());
    Client plain(server.port());
    plain.Send("GET / HTTP/1.1\r\nHost: t\r\n\r\n");
    plain.ReadToEnd();
    TlsClient again(server.port(), TLS1_3_VERSION, "\x08http/1.1");
    EXPECT_TRUE(again.Handshake());
}

TEST_F(Ways, UnixSocketBesideTcp) {
    ServerOptions options;
    options.unix_socket = folder_ + "/http.sock";
    {
        TestServer server(options);
        server.Add(Method::kGet, "/", QuickHandler(WhoAmI));
        Client local(options.unix_socket);
        EXPECT_EQ(local.Get("/").body, "unix loopback");
        Client tcp(server.port());
        EXPECT_EQ(tcp.Get("/").body, "127.0.0.1 loopback");

        asio::io_context loop;
        Router router;
        options.host = "";
        Server second(loop, router, options);
        const Result<void> taken = second.Listen();
        ASSERT_FALSE(taken);
        EXPECT_THAT(taken.error().message(), HasSubstr("another program listens there"));
        EXPECT_EQ(local.Get("/").status, 200);
    }
    EXPECT_FALSE(std::filesystem::exists(options.unix_socket));
}

TEST_F(Ways, AStaleUnixSocketIsReplaced) {
    ServerOptions options;
    options.unix_socket = folder_ + "/http.sock";
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    options.unix_socket.copy(address.sun_path, sizeof address.sun_path - 1);
    const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
    ASSERT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    ::close(fd);
    TestServer server(options);
    server.Add(Method::kGet, "/", QuickHandler(WhoAmI));
    Client local(options.unix_socket);
    EXPECT_EQ(local.Get("/").status, 200);
}

TEST_F(Ways, Ipv6TakesBothFamilies) {
    ServerOptions options;
    options.host = "::";
    TestServer server(options);
    server.Add(Method::kGet, "/", QuickHandler(WhoAmI));
    Client client(server.port());
    EXPECT_EQ(client.Get("/").body, "127.0.0.1 loopback");
}

TEST_F(Ways, TheAccessLogIsOneJsonLineWithoutWhatTheClientSaid) {
    const std::string path = folder_ + "/access.log";
    log::Configure(log::Level::kInfo, log::Format::kJson, path);
    {
        TestServer server({}, true);
        server.Add(Method::kGet, "/say/{text}", QuickHandler(WhoAmI));
        Client client(server.port());
        client.Get("/say/secret-words?key=secret-key",
                   "X-Request-Id: r-1\r\nUser-Agent: a\"b\xff" + std::string(300, 'c') + "\r\n");
    }
    log::Flush();
    log::Configure(log::Level::kInfo, log::Format::kJson, "");
    std::ifstream in(path);
    std::string line;
    ASSERT_TRUE(std::getline(in, line));
    EXPECT_THAT(line, testing::Not(HasSubstr("secret")));
    const Result<json::Parsed> parsed = json::Parse(line);
    ASSERT_TRUE(parsed) << line;
    const json::object& entry = parsed->root.as_object();
    EXPECT_EQ(entry.at("request_id"), "r-1");
    EXPECT_EQ(entry.at("method"), "GET");
    EXPECT_EQ(entry.at("route"), "/say/{text}");
    EXPECT_EQ(entry.at("status"), 200);
    EXPECT_EQ(entry.at("peer"), "127.0.0.1");
    EXPECT_EQ(entry.at("caller"), "anonymous");
    EXPECT_EQ(entry.at("complete"), true);
    EXPECT_GT(entry.at("bytes").to_number<int>(), 100);
    EXPECT_GE(entry.at("duration_ms").to_number<double>(), 0.0);
    EXPECT_LT(entry.at("user_agent").as_string().size(), 210U);
}

TEST_F(Ways, SaysWhatIsWrong) {
    asio::io_context loop;
    Router router;
    const auto message = [&](const ServerOptions& options) {
        Server server(loop, router, options);
        const Result<void> listening = server.Listen();
        return listening ? std::string() : listening.error().message();
    };
    TestServer server;
    ServerOptions options;
    options.port = server.port();
    EXPECT_THAT(message(options), HasSubstr("another program listens there"));
    options.host = "not an address";
    EXPECT_THAT(message(options), HasSubstr("not an IP address"));
    options.host = "127.0.0.1";
    options.tls_certificate = folder_ + "/none.crt";
    EXPECT_THAT(message(options), HasSubstr("must be set together"));
    options.tls_key = folder_ + "/none.key";
    EXPECT_THAT(message(options), HasSubstr("none.crt"));
}

}  // namespace
}  // namespace vf::http

// A server with two routes for bench/http/health.py: /health by a quick handler, /task by a
// coroutine. Arguments: port, path of the access log. Prints "ready" when it listens.
#include <charconv>
#include <cstdio>
#include <cstring>
#include <exception>

#include "base/log.hpp"
#include "http/server.hpp"

namespace {

vf::Task<vf::http::Response> Answer(vf::http::Request&) {
    co_return vf::http::TextResponse(200, "ok\n");
}

int Run(const char* port, const char* log_path) {
    vf::asio::io_context loop(1);
    vf::http::Router router;
    router.Add(vf::http::Method::kGet, "/health",
               [](vf::http::Request&) { return vf::http::TextResponse(200, "ok\n"); });
    router.Add(vf::http::Method::kGet, "/task", vf::http::Handler(Answer));
    vf::http::ServerOptions options;
    std::from_chars(port, port + std::strlen(port), options.port);
    vf::log::Configure(vf::log::Level::kInfo, vf::log::Format::kJson, log_path);
    vf::http::Server server(loop, router, options);
    const vf::Result<void> listening = server.Listen();
    if (!listening) {
        std::fprintf(stderr, "%s\n", listening.error().message().c_str());
        return 1;
    }
    std::puts("ready");
    std::fflush(stdout);
    loop.run();
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        std::fprintf(stderr, "usage: http_bench_server PORT ACCESS_LOG\n");
        return 2;
    }
    try {
        return Run(argv[1], argv[2]);
    } catch (const std::exception& e) {
        std::fprintf(stderr, "%s\n", e.what());
        return 1;
    }
}

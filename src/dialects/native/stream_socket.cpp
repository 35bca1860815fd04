#include "dialects/native/stream_socket.hpp"

#include "dialects/native/stream_socket_session.hpp"
#include "http/problem.hpp"

namespace vf::native {

void AddStreamSocket(http::Router& router, const StreamSocketDeps& deps) {
    http::RouteOptions options;
    options.errors = &http::ProblemResponse;
    options.guard = dialects::SocketGuard(deps.access, Scope::kSpeechWrite);
    const auto handler = [&deps](std::shared_ptr<http::WebSocket> socket) {
        return StreamSession::Run(std::make_shared<StreamSession>(deps, std::move(socket)));
    };
    router.AddSocket("/v1/stream", handler, options);
}

}  // namespace vf::native

#include "dialects/elevenlabs/elevenlabs_error.hpp"
#include "dialects/elevenlabs/elevenlabs_socket_session.hpp"

namespace vf::elevenlabs {

void AddSocketRoutes(http::Router& router, const Deps& deps) {
    http::RouteOptions options;
    options.errors = &ErrorResponse;
    options.guard = dialects::SocketGuard(deps.access, Scope::kSpeechWrite);
    const auto add = [&](const char* pattern, bool is_multi) {
        const auto handler = [&deps, is_multi](std::shared_ptr<http::WebSocket> socket) {
            auto session = std::make_shared<SocketSession>(deps, std::move(socket), is_multi);
            return SocketSession::Run(std::move(session));
        };
        router.AddSocket(pattern, handler, options);
    };
    add("/v1/text-to-speech/{voice_id}/stream-input", false);
    add("/v1/text-to-speech/{voice_id}/multi-stream-input", true);
}

}  // namespace vf::elevenlabs

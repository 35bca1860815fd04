#include "dialects/cartesia/cartesia_routes.hpp"

#include "dialects/cartesia/cartesia_error.hpp"

namespace vf::cartesia {

void AddRoutes(http::Router& router, const Deps& deps) {
    router.ErrorsUnder("/tts", &ErrorResponse);
    router.ErrorsUnder("/voices", &ErrorResponse);
    AddSpeechRoutes(router, deps);
    AddVoiceRoutes(router, deps);
    AddSocketRoute(router, deps);
    router.Mount("cartesia");
}

}  // namespace vf::cartesia

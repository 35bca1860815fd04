#include "dialects/elevenlabs/elevenlabs_routes.hpp"

#include "dialects/elevenlabs/elevenlabs_error.hpp"

namespace vf::elevenlabs {

void RouteAdder::operator()(http::Method method, const char* pattern, Scope scope,
                            Task<http::Response> (*handler)(http::Request&, const Deps&),
                            std::vector<std::string> consumes, std::uint64_t max_body) const {
    http::RouteOptions options;
    options.errors = &ErrorResponse;
    options.guard = deps.access.Guard(scope);
    options.consumes = std::move(consumes);
    options.max_body = max_body;
    router.Add(method, pattern, http::Handler([deps = &deps, handler](http::Request& request) {
                   return handler(request, *deps);
               }),
               std::move(options));
}

Routes::Routes(http::Router& router, Deps deps) : deps_(std::move(deps)) {
    for (const char* prefix :
         {"/v1/text-to-speech", "/v1/text-to-dialogue", "/v1/voices", "/v2/voices", "/v1/history",
          "/v1/pronunciation-dictionaries", "/v1/user", "/v1/usage"}) {
        router.ErrorsUnder(prefix, &ErrorResponse);
    }
    AddSpeechRoutes(router, deps_);
    AddVoiceRoutes(router, deps_);
    AddHistoryRoutes(router, deps_);
    AddDictionaryRoutes(router, deps_);
    AddAccountRoutes(router, deps_);
    AddSocketRoutes(router, deps_);
}

}  // namespace vf::elevenlabs

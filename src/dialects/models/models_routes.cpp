#include "dialects/models/models_routes.hpp"

#include "dialects/elevenlabs/elevenlabs_error.hpp"
#include "dialects/elevenlabs/elevenlabs_models.hpp"
#include "dialects/openai/openai_error.hpp"
#include "dialects/openai/openai_models.hpp"

namespace vf::models {
namespace {

using http::Request;
using http::Response;

// The prefix says it; without one the header does.
bool IsElevenLabs(const Request& request) {
    if (request.path.starts_with("/elevenlabs/")) return true;
    if (request.path.starts_with("/openai/")) return false;
    return request.headers.Has("xi-api-key");
}

Response Failed(const Error& error, const Request& request) {
    if (IsElevenLabs(request)) return elevenlabs::ErrorResponse(error, request);
    return openai::ErrorResponse(error, request);
}

Response One(const Request& request, const engines::Catalogue& catalogue) {
    const auto model = openai::FindModel(catalogue, request.PathParam("model"));
    if (model) return http::JsonResponse(200, *model);
    return Failed(Error(ErrorKind::kNotFound, "model_not_found",
                        "There is no model with this id. GET /v1/models lists them.",
                        {{"model", "not_found", "is not a model of this server."}}),
                  request);
}

}  // namespace

void AddRoutes(http::Router& router, const engines::Catalogue& catalogue,
               const identity::Access& access) {
    http::RouteOptions options;
    options.errors = &Failed;
    options.guard = access.Guard(Scope::kModelsRead);
    router.ErrorsUnder("/v1/models", &Failed);
    router.ErrorsUnder("/elevenlabs", &elevenlabs::ErrorResponse);
    router.ErrorsUnder("/openai", &openai::ErrorResponse);
    router.Mount("elevenlabs");
    router.Mount("openai");
    router.Add(http::Method::kGet, "/v1/models", http::QuickHandler([&catalogue](Request& request) {
                   if (IsElevenLabs(request)) {
                       return http::JsonResponse(200, elevenlabs::ModelArray(catalogue));
                   }
                   return http::JsonResponse(200, openai::ModelList(catalogue));
               }),
               options);
    router.Add(
        http::Method::kGet, "/v1/models/{model}",
        http::QuickHandler([&catalogue](Request& request) { return One(request, catalogue); }),
        options);
}

}  // namespace vf::models

#include "dialects/native/generate_link.hpp"

#include <fmt/format.h>

#include <cmath>

#include "audio/quality.hpp"
#include "base/json.hpp"
#include "dialects/speech_response.hpp"
#include "http/negotiate.hpp"

namespace vf::native {
namespace {

// How sure it is that every word is there: engines that tell their times spoke them.
double ConfidenceOf(speech::TimingSource source) {
    switch (source) {
        case speech::TimingSource::kEngine: return 1;
        case speech::TimingSource::kAligned: return 0.9;
        case speech::TimingSource::kEstimated: return 0.5;
    }
    return 0;
}

double Rounded(double value) {
    return std::round(value * 1000) / 1000;
}

}  // namespace

bool WantsLink(const http::Request& request) {
    static const std::vector<std::string> types{"audio/*", "application/json"};
    const std::string_view accept = request.headers.Get("Accept");
    if (accept.find("audio/") != std::string_view::npos) return false;
    return http::ChooseType(accept, types) == std::size_t{1};
}

Task<Result<http::Response>> LinkResponse(const http::Request& request,
                                          std::shared_ptr<speech::Speech> speech, std::string audio,
                                          blob::Blobs& blobs) {
    const audio::FormatInfo& format = audio::InfoOf(speech->format);
    blob::PutOptions options;
    options.content_type = format.media_type;
    options.name = fmt::format("{}.{}", speech->operation.Wire(), format.extension);
    // Milliseconds are what the database keeps.
    options.expires_at = std::chrono::floor<std::chrono::milliseconds>(blobs.now() + kLinkTime);
    options.live = request.caller.live;
    if (request.caller.plan) options.storage_bytes = request.caller.plan->storage_bytes;
    Result<blob::BlobInfo> stored =
        co_await blobs.Put(request.caller.team, std::move(options), std::move(audio));
    if (!stored) co_return std::move(stored).error();
    const blob::Blobs::Link link = blobs.MakeLink(*stored, kLinkTime);
    const double score =
        audio::QualityScore(speech->quality, ConfidenceOf(speech->timeline.source));
    http::Response response = dialects::AudioResponse(speech);
    response.headers.Set("Content-Type", "application/json");
    response.headers.Set("Vary", "Accept");
    response.body = json::Print(json::object{{"audio_url", link.path},
                                             {"quality_score", Rounded(score)},
                                             {"duration", Rounded(speech->seconds())},
                                             {"request_id", request.id}});
    co_return response;
}

}  // namespace vf::native

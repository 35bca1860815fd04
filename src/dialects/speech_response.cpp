#include "dialects/speech_response.hpp"

#include <string>

namespace vf::dialects {
namespace {

// Warnings name what the caller wrote: only what a header may hold is left of it.
std::string HeaderText(const std::vector<std::string>& warnings) {
    constexpr std::size_t kLongest = 2'000;
    std::string out;
    for (const std::string& warning : warnings) {
        if (!out.empty()) out += "; ";
        for (const char c : warning) out += c >= 0x20 && c < 0x7F ? c : '?';
        if (out.size() > kLongest) break;
    }
    if (out.size() > kLongest) out = out.substr(0, kLongest) + "...";
    return out;
}

}  // namespace

http::Response AudioResponse(const std::shared_ptr<speech::Speech>& owner) {
    const speech::Speech& speech = *owner;
    http::Response response;
    response.status = 200;
    response.headers.Set("Content-Type", audio::InfoOf(speech.format).media_type);
    response.headers.Set("Cache-Control", "no-store");
    response.headers.Set("X-VoiceFlow-Voice", speech.voice);
    response.headers.Set("X-VoiceFlow-Sample-Rate", std::to_string(speech.sample_rate));
    response.headers.Set("X-VoiceFlow-Operation", speech.operation.Wire());
    response.headers.Set("X-VoiceFlow-Characters", std::to_string(speech.characters));
    if (!speech.warnings.empty()) {
        response.headers.Set("X-VoiceFlow-Warning", HeaderText(speech.warnings));
    }
    response.on_done = [owner](bool is_whole) { owner->Delivered(is_whole); };
    return response;
}

void Sign(speech::SpeechRequest& speech, const http::Request& request) {
    speech.caller = request.caller;
    speech.operation = request.operation;
    speech.route = std::string(request.route);
}

void AbandonOnCancel(http::Request& request, const speech::Speech& speech) {
    // A request with an Idempotency-Key is done to its end: its client will ask for it again.
    if (!request.cancel || request.operation) return;
    request.cancel->OnCancel([pipe = speech.pipe] { pipe->Abandon(); });
}

}  // namespace vf::dialects

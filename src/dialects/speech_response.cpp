#include "dialects/speech_response.hpp"

#include <string>

namespace vf::dialects {

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

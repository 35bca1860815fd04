#include "dialects/openai/openai_sse.hpp"

#include <cmath>

#include "base/base64.hpp"
#include "base/json.hpp"

namespace vf::openai {
namespace {

// OpenAI counts tokens; we count what stands for them: four characters of text, or 50 ms of audio.
constexpr double kCharactersPerToken = 4;
constexpr double kSecondsPerToken = 0.05;

std::string Event(const json::value& data) {
    return "data: " + json::Print(data) + "\n\n";
}

std::string DoneEvent(const speech::Speech& speech) {
    const auto input = static_cast<std::int64_t>(
        std::ceil(static_cast<double>(speech.characters) / kCharactersPerToken));
    const auto output = static_cast<std::int64_t>(std::ceil(speech.seconds() / kSecondsPerToken));
    return Event(json::object{
        {"type", "speech.audio.done"},
        {"usage",
         {{"input_tokens", input}, {"output_tokens", output}, {"total_tokens", input + output}}}});
}

std::string ErrorEvent(const Error& error) {
    return Event(json::object{{"type", "error"},
                              {"error",
                               {{"message", error.message()},
                                {"type", "server_error"},
                                {"param", nullptr},
                                {"code", error.code()}}}});
}

}  // namespace

Task<void> WriteEvents(std::shared_ptr<speech::Speech> speech, std::shared_ptr<BytePipe> events) {
    BytePipe& audio = *speech->pipe;
    for (;;) {
        const std::optional<std::string> chunk = co_await audio.Read();
        if (!chunk) break;
        std::string delta =
            Event(json::object{{"type", "speech.audio.delta"}, {"audio", Base64(*chunk)}});
        const bool taken = co_await events->Write(std::move(delta));
        if (!taken) {
            audio.Abandon();
            co_return;
        }
    }
    if (audio.failed()) {
        events->WriteNow(ErrorEvent(*audio.error()));
        events->Fail(*audio.error());
        co_return;
    }
    if (audio.abandoned()) {
        events->Fail(Error());
        co_return;
    }
    events->WriteNow(DoneEvent(*speech));
    events->Finish();
}

}  // namespace vf::openai

#include "dialects/elevenlabs/elevenlabs_socket_start.hpp"

#include "dialects/elevenlabs/elevenlabs_alignment.hpp"
#include "dialects/elevenlabs/elevenlabs_speech_body.hpp"
#include "dialects/elevenlabs/stored_settings.hpp"
#include "dialects/speech_response.hpp"

namespace vf::elevenlabs {
namespace {

// Keeps what a context says for the team's history.
class HistoryTap final : public SocketTap {
public:
    HistoryTap(history::History& history, std::unique_ptr<history::Recording> recording,
               Caller caller, history::Item item)
        : history_(history), recording_(std::move(recording)), caller_(std::move(caller)),
          item_(std::move(item)) {}

    void Hear(std::string_view audio) override { recording_->Append(audio); }

    void End(speech::Speech& speech, std::string text) override {
        recording_->ReplaceStart(speech.exact_header);
        item_.request_id = speech.operation.Wire();
        item_.text = std::move(text);
        item_.characters = static_cast<std::int64_t>(speech.characters);
        item_.alignments = Alignments(speech.timeline);
        if (item_.text.empty()) return;
        history_.Keep(std::move(caller_), std::move(item_), std::move(recording_));
    }

private:
    history::History& history_;
    std::unique_ptr<history::Recording> recording_;
    Caller caller_;
    history::Item item_;
};

}  // namespace

Task<Result<void>> Prepare(const Deps* deps, SocketStart* start, speech::SpeechRequest* request) {
    const voices::StoredSettings stored =
        co_await deps->voice_settings.Find(request->caller.team, request->voice);
    Result<VoiceSettings> settings = ReadVoiceSettings(start->voice_settings, FromStored(stored));
    if (!settings) co_return std::move(settings).error();
    start->settings = *settings;
    const engines::VoiceView voices = co_await deps->speech.Voices(request->caller.team);
    if (const engines::Voice* voice = voices.Find(request->voice)) start->voice_name = voice->name;
    Apply(*settings, *request);
    Result<std::vector<dictionaries::Locator>> locators = ReadLocators(start->dictionaries);
    if (!locators) co_return std::move(locators).error();
    auto named = *std::move(locators);
    co_return co_await dialects::UseDictionaries(*request, deps->dictionaries, std::move(named));
}

std::unique_ptr<SocketTap> MakeTap(const Deps& deps, const SocketStart& start,
                                   const speech::SpeechRequest& request) {
    if (!start.is_logged) return nullptr;
    std::unique_ptr<history::Recording> recording = deps.history.Record();
    if (!recording) return nullptr;
    history::Item item;
    item.voice = request.voice;
    item.voice_name = start.voice_name;
    item.model = request.model;
    item.settings = ToJson(start.settings);
    item.output_format = start.output_format;
    const audio::FormatInfo& format = audio::InfoOf(request.format);
    item.content_type = format.media_type;
    item.extension = format.extension;
    return std::make_unique<HistoryTap>(deps.history, std::move(recording), request.caller,
                                        std::move(item));
}

}  // namespace vf::elevenlabs

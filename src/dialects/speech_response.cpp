#include "dialects/speech_response.hpp"

#include <map>
#include <string>

#include "text/ssml.hpp"

namespace vf::dialects {
namespace {

constexpr std::size_t kMostLexicons = 10;  // of one SSML text

using Lexicons = std::map<std::string, std::shared_ptr<const text::Lexicon>, std::less<>>;

// What <lexicon> asks for. Markup that cannot be read has its error told by who speaks it.
Task<std::shared_ptr<const Lexicons>> LoadNamed(const speech::SpeechRequest& speech,
                                                dictionaries::Dictionaries& dictionaries) {
    auto out = std::make_shared<Lexicons>();
    if (speech.markup != speech::Markup::kSsml ||
        speech.text.find("<lexicon") == std::string::npos) {
        co_return out;
    }
    const Result<text::Script> script = text::ReadSsml(speech.text);
    if (!script) co_return out;
    for (const std::string& name : script->lexicons) {
        if (out->size() == kMostLexicons) break;
        auto lexicon = co_await dictionaries.LoadByName(speech.caller.team, name);
        if (lexicon) out->emplace(name, std::move(lexicon));
    }
    co_return out;
}

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

Task<Result<void>> UseDictionaries(speech::SpeechRequest& speech,
                                   dictionaries::Dictionaries& dictionaries,
                                   std::vector<dictionaries::Locator> named) {
    const TeamId team = speech.caller.team;
    if (named.empty()) {
        auto own = dictionaries.TryLoadDefaults(team);
        if (!own) own = co_await dictionaries.LoadDefaults(team);
        speech.dictionaries = *std::move(own);
    } else {
        auto loaded = co_await dictionaries.LoadAll(team, std::move(named));
        if (!loaded) co_return std::move(loaded).error();
        speech.dictionaries = *std::move(loaded);
    }
    std::shared_ptr<const Lexicons> lexicons = co_await LoadNamed(speech, dictionaries);
    if (!lexicons->empty()) {
        speech.find_dictionary =
            [lexicons](std::string_view name) -> std::shared_ptr<const text::Lexicon> {
            const auto found = lexicons->find(name);
            return found == lexicons->end() ? nullptr : found->second;
        };
    }
    co_return Result<void>();
}

void AbandonOnCancel(http::Request& request, const speech::Speech& speech) {
    // A request with an Idempotency-Key is done to its end: its client will ask for it again.
    if (!request.cancel || request.operation) return;
    request.cancel->OnCancel([pipe = speech.pipe] { pipe->Abandon(); });
}

}  // namespace vf::dialects

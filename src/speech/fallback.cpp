#include "speech/fallback.hpp"

#include <algorithm>
#include <set>
#include <tuple>
#include <vector>

#include "speech/catalogue_match.hpp"

namespace vf::speech {
namespace {

bool IsNeuralOfOurs(const engines::Voice& voice) {
    return voice.speaker == nullptr && voice.technology == "neural";
}

// The neural voice of ours that speaks the language best.
const engines::Voice* NeuralVoice(const engines::VoiceView& voices, std::string_view language) {
    const engines::Voice* best = nullptr;
    int best_match = 0;
    for (const engines::Voice* voice : voices.All()) {
        if (!IsNeuralOfOurs(*voice)) continue;
        const int match = LanguageMatch(*voice, language);
        if (match > best_match) {
            best = voice;
            best_match = match;
        }
    }
    return best;
}

// The first voice of each vendor that speaks the language, in the team's order.
std::vector<const engines::Voice*> VendorVoices(const engines::VoiceView& voices,
                                                std::string_view language) {
    std::vector<const engines::Voice*> found;
    std::set<std::string> seen;
    for (const engines::Voice* voice : voices.Fallbacks()) {
        if (LanguageMatch(*voice, language) == 0) continue;
        if (seen.insert(voice->deployment).second) found.push_back(voice);
    }
    return found;
}

std::string OwnLanguage(const engines::Voice* voice) {
    return voice == nullptr || voice->languages.empty() ? "en" : voice->languages.front();
}

// Whether the voice did not even begin for a reason of its own.
bool IsWorthAnother(const Error& error) {
    if (error.kind() == ErrorKind::kUnavailable) {
        return error.code() != "cancelled" && error.code() != "stopping";
    }
    return error.code() == "vendor_rate_limited";
}

}  // namespace

const engines::Voice* PreferredVoice(const engines::VoiceView& voices, std::string_view language,
                                     const std::string& default_voice) {
    if (voices.Fallbacks().empty()) return nullptr;
    const std::string spoken =
        language.empty() ? OwnLanguage(voices.Find(default_voice)) : std::string(language);
    if (const engines::Voice* neural = NeuralVoice(voices, spoken)) return neural;
    const std::vector<const engines::Voice*> vendors = VendorVoices(voices, spoken);
    return vendors.empty() ? nullptr : vendors.front();
}

Fallback::Fallback(const engines::VoiceView& voices, const engines::Voice& chosen,
                   std::string language, const std::string& default_voice) {
    const bool may_switch = chosen.speaker ? chosen.fallback.has_value()
                                           : IsNeuralOfOurs(chosen) && !voices.Fallbacks().empty();
    if (!may_switch) return;
    if (language.empty())
        language = OwnLanguage(chosen.speaker ? voices.Find(default_voice) : &chosen);
    if (LanguageMatch(chosen, language) == 0) language = OwnLanguage(&chosen);
    for (const engines::Voice* voice : VendorVoices(voices, language)) {
        if (voice->deployment != chosen.deployment) waiting_.push_back(voice->id);
    }
    const engines::Voice* neural = NeuralVoice(voices, language);
    if (neural != nullptr && neural->id != chosen.id) waiting_.push_back(neural->id);
    const engines::Voice* built_in = nullptr;
    for (const engines::Voice* voice : voices.catalogue().All()) {
        if (IsNeuralOfOurs(*voice)) continue;
        if (LanguageMatch(*voice, language) == 0) continue;
        const auto rank = [&](const engines::Voice& one) {
            return std::tuple(std::min(LanguageMatch(one, language), 2), QualityRank(one),
                              one.id == default_voice, LanguageMatch(one, language));
        };
        if (built_in == nullptr || rank(*voice) > rank(*built_in)) built_in = voice;
    }
    if (built_in != nullptr) waiting_.push_back(built_in->id);
}

std::optional<std::string> Fallback::Next(const Error& error) {
    if (waiting_.empty() || !IsWorthAnother(error)) return std::nullopt;
    std::string next = std::move(waiting_.front());
    waiting_.pop_front();
    return next;
}

}  // namespace vf::speech

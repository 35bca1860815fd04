#include "dialects/elevenlabs/elevenlabs_alignment.hpp"

#include <cmath>

#include "base/base64.hpp"

namespace vf::elevenlabs {
namespace {

// Milliseconds are more than anybody sees.
double Rounded(double seconds) {
    return std::round(seconds * 1000) / 1000;
}

}  // namespace

json::value Alignment(const std::vector<speech::TimelineItem>& characters) {
    if (characters.empty()) return nullptr;
    json::array labels;
    json::array starts;
    json::array ends;
    labels.reserve(characters.size());
    starts.reserve(characters.size());
    ends.reserve(characters.size());
    for (const speech::TimelineItem& item : characters) {
        labels.emplace_back(item.label);
        starts.emplace_back(Rounded(item.start_seconds));
        ends.emplace_back(Rounded(item.end_seconds));
    }
    return json::object{{"characters", std::move(labels)},
                        {"character_start_times_seconds", std::move(starts)},
                        {"character_end_times_seconds", std::move(ends)}};
}

json::value Alignments(const speech::Timeline& timeline) {
    json::value alignment = Alignment(timeline.characters);
    json::value normalised = Alignment(timeline.normalised_characters);
    if (alignment.is_null() || normalised.is_null()) return nullptr;
    return json::object{{"alignment", std::move(alignment)},
                        {"normalized_alignment", std::move(normalised)}};
}

json::object TimedAudio(const std::string& audio, json::value alignment, json::value normalised) {
    return {{"audio_base64", Base64(audio)},
            {"alignment", std::move(alignment)},
            {"normalized_alignment", std::move(normalised)}};
}

}  // namespace vf::elevenlabs

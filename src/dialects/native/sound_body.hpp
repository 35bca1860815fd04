#pragma once
// The members that a generate body and a socket's start message share: how the speech sounds, how
// its text is read. Both structs name them alike; the templates need no more.

#include <fmt/format.h>

#include <boost/describe.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/json_body.hpp"
#include "dictionaries/dictionaries.hpp"
#include "speech/speech.hpp"

namespace vf::native {

struct NormalisationBody {
    std::optional<bool> enabled;
    std::vector<std::string> off;
    std::optional<std::string> emoji;
    std::optional<std::string> markdown;
};
BOOST_DESCRIBE_STRUCT(NormalisationBody, (), (enabled, off, emoji, markdown))
void CheckBody(const NormalisationBody& body, json::Checker& check);
text::NormaliseOptions OptionsOf(const NormalisationBody& body);

// "mp3, opus, …"
std::string FormatNames();

// "dict_…" or "dict_…@dver_…".
void CheckLocators(const std::vector<std::string>& texts, json::Checker& check);
std::vector<dictionaries::Locator> LocatorsOf(const std::vector<std::string>& texts);

template <class Body>
void CheckSound(const Body& body, json::Checker& check) {
    CheckLocators(body.dictionaries, check);
    check.Range("pitch_range", body.pitch_range, 0.25, 2.0);
    check.Range("brightness", body.brightness, -12.0, 12.0);
    check.Range("presence", body.presence, -12.0, 12.0);
    check.Range("dynamics", body.dynamics, 0.5, 2.0);
    check.template Range<std::int64_t>("bit_rate", body.bit_rate, 6'000, 320'000);
    check.template Range<std::int64_t>("seed", body.seed, 0, 4'294'967'295);
    check.Range("speed", body.speed, 0.25, 4.0);
    check.Range("pitch", body.pitch, -12.0, 12.0);
    check.Range("volume", body.volume, -20.0, 10.0);
    check.template Range<std::int64_t>("sample_rate", body.sample_rate, 1, 192'000);
    if (body.format && !audio::FindFormat(*body.format)) {
        check.Fail("format", "format_not_supported",
                   fmt::format("must be one of {}.", FormatNames()));
    }
}

template <class Body>
void ApplySound(const Body& body, speech::SpeechRequest& speech) {
    speech.voice = body.voice.value_or("");
    speech.language = body.language.value_or("");
    if (body.format) speech.format = audio::FindFormat(*body.format)->format;
    speech.sample_rate = static_cast<int>(body.sample_rate.value_or(0));
    speech.speed = body.speed.value_or(1.0);
    speech.pitch = body.pitch.value_or(0.0);
    speech.volume = body.volume.value_or(0.0);
    speech.bit_rate = static_cast<int>(body.bit_rate.value_or(0));
    speech.shaping = {body.pitch_range.value_or(1.0), body.brightness.value_or(0.0),
                      body.presence.value_or(0.0), body.dynamics.value_or(1.0)};
    if (body.normalisation) speech.normalise = OptionsOf(*body.normalisation);
    if (body.seed) speech.seed = static_cast<std::uint32_t>(*body.seed);
}

}  // namespace vf::native

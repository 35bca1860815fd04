// SPDX-License-Identifier: GPL-3.0-or-later
//
// espeak-ng keeps everything in globals, so all settings are set before every request. Text goes
// in as plain UTF-8 and SSML is never read (no espeakSSML), for SSML could name files and run
// commands. Phonemes in [[ ]] are read (espeakPHONEMES) only where a request brings some, and then
// the text itself has no brackets. espeak_Synchronize and espeak_Terminate can hang and are never
// called.
#include "espeak/speech.hpp"

#include <espeak-ng/speak_lib.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "espeak/input.hpp"
#include "espeak/stream.hpp"

namespace vf::worker {
namespace {

using engines::Request;

constexpr int kWordsPerMinute = 175;
constexpr int kChunkMilliseconds = 100;

// Returns 1 to stop.
int OnAudio(short* samples, int count, espeak_EVENT* events) {
    return static_cast<EspeakStream*>(events->user_data)->Take(samples, count, events) ? 0 : 1;
}

// The names of the phonemes that were spoken.
int OnProbe(short* /*samples*/, int /*count*/, espeak_EVENT* events) {
    auto& names = *static_cast<std::vector<std::string>*>(events->user_data);
    for (; events->type != espeakEVENT_LIST_TERMINATED; ++events) {
        if (events->type != espeakEVENT_PHONEME || events->id.string[0] == '\0') continue;
        names.emplace_back(events->id.string,
                           strnlen(events->id.string, sizeof(events->id.string)));
    }
    return 0;
}

std::vector<std::string> NamesOf(const std::string& mnemonics) {
    std::vector<std::string> names;
    const std::string text = "[[" + mnemonics + "]]";
    espeak_SetSynthCallback(OnProbe);
    espeak_Synth(text.c_str(), text.size() + 1, 0, POS_CHARACTER, 0,
                 espeakCHARS_UTF8 | espeakPHONEMES, nullptr, &names);
    espeak_SetSynthCallback(OnAudio);
    return names;
}

// Reading stops at what is unknown, so a sound that every language has must still be heard behind.
bool VoiceKnows(const std::string& mnemonics) {
    const std::vector<std::string> names = NamesOf(mnemonics + "|s|a");
    return names.size() >= 3 || NamesOf(mnemonics).size() > 1;
}

// Pitch 80 raises F0 by 1.36 (5.3 semitones): 5.6 steps a semitone.
int PitchValue(double semitones) {
    return std::clamp(static_cast<int>(std::lround(50 + 5.6 * semitones)), 0, 99);
}

int RangeValue(double factor) {
    return std::clamp(static_cast<int>(std::lround(50 * factor)), 0, 99);
}

// All of them, since the last request's are still there.
void SetParameters(const Request& request) {
    espeak_SetParameter(espeakRATE, static_cast<int>(std::lround(kWordsPerMinute * request.speed)),
                        0);
    espeak_SetParameter(espeakPITCH, PitchValue(request.pitch), 0);
    espeak_SetParameter(espeakRANGE, RangeValue(request.pitch_range), 0);
    espeak_SetParameter(espeakVOLUME, 100, 0);
    espeak_SetParameter(espeakPUNCTUATION, espeakPUNCT_NONE, 0);
    espeak_SetParameter(espeakCAPITALS, 0, 0);
}

}  // namespace

EspeakSpeech::EspeakSpeech() : phonemes_(VoiceKnows) {}

bool EspeakSpeech::Open() {
    rate_ = espeak_Initialize(AUDIO_OUTPUT_SYNCHRONOUS, kChunkMilliseconds, nullptr,
                              espeakINITIALIZE_PHONEME_EVENTS | espeakINITIALIZE_PHONEME_IPA |
                                  espeakINITIALIZE_DONT_EXIT);
    if (rate_ <= 0) return false;
    espeak_SetSynthCallback(OnAudio);
    voices_ = ListEspeakVoices();
    return !voices_.empty();
}

Result<std::vector<std::string>> EspeakSpeech::ReadPhonemes(const Request& request) {
    std::vector<std::string> all;
    for (const engines::Pronunciation& one : request.pronunciations) {
        Result<std::string> phonemes = phonemes_.For(request.voice, one.phonemes);
        if (!phonemes) return std::move(phonemes).error();
        all.push_back(std::move(*phonemes));
    }
    return all;
}

Result<void> EspeakSpeech::Speak(const Request& request, Sink& sink) {
    const auto voice = std::ranges::find(voices_, request.voice, &EspeakVoice::id);
    if (voice == voices_.end()) {
        return Error(ErrorKind::kInvalid, "unknown_voice", "no such voice here");
    }
    if (espeak_SetVoiceByName(voice->identifier.c_str()) != EE_OK) {
        return Error(ErrorKind::kInvalid, "unknown_voice", "the voice's data is missing");
    }
    const Result<std::vector<std::string>> phonemes = ReadPhonemes(request);
    if (!phonemes) return phonemes.error();
    SetParameters(request);
    const EspeakInput input = MakeEspeakInput(request, *phonemes);
    const unsigned int flags = espeakCHARS_UTF8 | (input.has_phonemes ? espeakPHONEMES : 0U);
    EspeakStream stream(request, input, sink, rate_);
    const espeak_ERROR spoken = espeak_Synth(input.text.c_str(), input.text.size() + 1, 0,
                                             POS_CHARACTER, 0, flags, nullptr, &stream);
    if (stream.too_long()) {
        return Error(ErrorKind::kInvalid, "segment_too_long",
                     "the text would take longer than four minutes");
    }
    if (spoken != EE_OK) {
        return Error(ErrorKind::kInvalid, "text_not_spoken", "espeak-ng refused the text");
    }
    stream.Finish();
    return {};
}

}  // namespace vf::worker

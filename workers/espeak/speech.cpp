// SPDX-License-Identifier: GPL-3.0-or-later
//
// espeak-ng keeps everything in globals, so all settings are set before every request. Text goes
// in as plain UTF-8: neither SSML nor phonemes in [[ ]] are read (no espeakSSML, no
// espeakPHONEMES), for SSML could name files and run commands. espeak_Synchronize and
// espeak_Terminate can hang and are never called.
#include "espeak/speech.hpp"

#include <espeak-ng/speak_lib.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/utf8.hpp"

namespace vf::worker {
namespace {

using engines::Request;
using engines::TimingEvent;

constexpr int kWordsPerMinute = 175;
constexpr int kChunkMilliseconds = 100;
constexpr std::uint64_t kMostSeconds = 240;

// One request on its way through the callback.
struct Stream {
    const Request& request;
    Sink& sink;
    int rate;
    std::vector<std::uint32_t> offsets;  // byte of each character, and the end
    std::uint64_t sent = 0;
    std::vector<TimingEvent> ready;  // complete, for the next frame
    std::optional<TimingEvent> word, phoneme;
    bool too_long = false;
};

std::uint64_t SampleAt(const Stream& stream, int milliseconds) {
    return static_cast<std::uint64_t>(std::max(milliseconds, 0)) *
           static_cast<std::uint64_t>(stream.rate) / 1'000;
}

// espeak-ng tells starts only: an event ends where the next of its kind begins.
void Close(std::optional<TimingEvent>& open, std::uint64_t at, Stream& stream) {
    if (!open) return;
    open->end_sample = std::max(open->start_sample, at);
    stream.ready.push_back(std::move(*open));
    open.reset();
}

void OpenWord(const espeak_EVENT& event, std::uint64_t at, Stream& stream) {
    Close(stream.word, at, stream);
    const auto last = stream.offsets.size() - 1;
    const auto first = static_cast<std::size_t>(std::max(event.text_position - 1, 0));
    const auto end = first + static_cast<std::size_t>(std::max(event.length, 0));
    TimingEvent word;
    word.text_begin = stream.offsets[std::min(first, last)];
    word.text_end = stream.offsets[std::min(end, last)];
    word.start_sample = at;
    word.label = stream.request.text.substr(word.text_begin, word.text_end - word.text_begin);
    stream.word = std::move(word);
}

void OpenPhoneme(const espeak_EVENT& event, std::uint64_t at, Stream& stream) {
    Close(stream.phoneme, at, stream);
    const std::string_view name(event.id.string, strnlen(event.id.string, sizeof(event.id.string)));
    if (name.empty() || Utf8FindInvalid(name)) return;
    TimingEvent phoneme;
    phoneme.kind = TimingEvent::kPhoneme;
    if (stream.word) {
        phoneme.text_begin = stream.word->text_begin;
        phoneme.text_end = stream.word->text_end;
    }
    phoneme.start_sample = at;
    phoneme.label = name;
    stream.phoneme = std::move(phoneme);
}

void ReadEvents(const espeak_EVENT* event, Stream& stream) {
    for (; event->type != espeakEVENT_LIST_TERMINATED; ++event) {
        const std::uint64_t at = SampleAt(stream, event->audio_position);
        if (event->type == espeakEVENT_WORD) {
            OpenWord(*event, at, stream);
        } else if (event->type == espeakEVENT_PHONEME) {
            OpenPhoneme(*event, at, stream);
        } else if (event->type == espeakEVENT_END || event->type == espeakEVENT_MSG_TERMINATED) {
            Close(stream.phoneme, at, stream);
            Close(stream.word, at, stream);
        }
    }
}

// Returns 1 to stop.
int OnAudio(short* samples, int count, espeak_EVENT* events) {
    Stream& stream = *static_cast<Stream*>(events->user_data);
    if (stream.request.events) {
        ReadEvents(events, stream);
        if (!stream.ready.empty() && !stream.sink.Events(std::exchange(stream.ready, {}))) return 1;
    }
    if (samples == nullptr || count <= 0) return 0;
    stream.sent += static_cast<std::uint64_t>(count);
    if (stream.sent > kMostSeconds * static_cast<std::uint64_t>(stream.rate)) {
        stream.too_long = true;
        return 1;
    }
    return stream.sink.Audio({samples, static_cast<std::size_t>(count)}) ? 0 : 1;
}

std::vector<std::uint32_t> CharacterOffsets(std::string_view text) {
    std::vector<std::uint32_t> offsets;
    for (std::size_t at = 0; at < text.size(); at += Utf8SequenceLength(text.substr(at))) {
        offsets.push_back(static_cast<std::uint32_t>(at));
    }
    offsets.push_back(static_cast<std::uint32_t>(text.size()));
    return offsets;
}

// Pitch 80 raises F0 by 1.36 (5.3 semitones): 5.6 steps a semitone.
int PitchValue(double semitones) {
    return std::clamp(static_cast<int>(std::lround(50 + 5.6 * semitones)), 0, 99);
}

}  // namespace

bool EspeakSpeech::Open() {
    rate_ = espeak_Initialize(AUDIO_OUTPUT_SYNCHRONOUS, kChunkMilliseconds, nullptr,
                              espeakINITIALIZE_PHONEME_EVENTS | espeakINITIALIZE_PHONEME_IPA |
                                  espeakINITIALIZE_DONT_EXIT);
    if (rate_ <= 0) return false;
    espeak_SetSynthCallback(OnAudio);
    voices_ = ListEspeakVoices();
    return !voices_.empty();
}

Result<void> EspeakSpeech::Speak(const Request& request, Sink& sink) {
    const auto voice = std::ranges::find(voices_, request.voice, &EspeakVoice::id);
    if (voice == voices_.end()) {
        return Error(ErrorKind::kInvalid, "unknown_voice", "no such voice here");
    }
    if (espeak_SetVoiceByName(voice->identifier.c_str()) != EE_OK) {
        return Error(ErrorKind::kInvalid, "unknown_voice", "the voice's data is missing");
    }
    espeak_SetParameter(espeakRATE, static_cast<int>(std::lround(kWordsPerMinute * request.speed)),
                        0);
    espeak_SetParameter(espeakPITCH, PitchValue(request.pitch), 0);
    espeak_SetParameter(espeakRANGE, 50, 0);
    espeak_SetParameter(espeakVOLUME, 100, 0);
    espeak_SetParameter(espeakPUNCTUATION, espeakPUNCT_NONE, 0);
    espeak_SetParameter(espeakCAPITALS, 0, 0);
    Stream stream{request, sink, rate_, CharacterOffsets(request.text)};
    const espeak_ERROR spoken = espeak_Synth(request.text.c_str(), request.text.size() + 1, 0,
                                             POS_CHARACTER, 0, espeakCHARS_UTF8, nullptr, &stream);
    if (stream.too_long) {
        return Error(ErrorKind::kInvalid, "segment_too_long",
                     "the text would take longer than four minutes");
    }
    if (spoken != EE_OK) {
        return Error(ErrorKind::kInvalid, "text_not_spoken", "espeak-ng refused the text");
    }
    return {};
}

}  // namespace vf::worker

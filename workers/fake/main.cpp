#include <algorithm>
#include <cmath>
#include <ctime>
#include <numbers>

#include "fake/fake.hpp"

namespace vf::worker {
namespace {

using namespace vf::engines;

struct Word {
    std::size_t begin, end;
    std::string label;
};

void AddWords(std::string_view text, std::size_t begin, std::size_t end, std::vector<Word>& words) {
    while (begin < end) {
        const std::size_t from = text.find_first_not_of(" \n\t", begin);
        if (from >= end) break;
        const std::size_t to = std::min(text.find_first_of(" \n\t", from), end);
        words.push_back({from, to, std::string(text.substr(from, to - from))});
        begin = to;
    }
}

// What has phonemes is one word, whose label are the phonemes.
std::vector<Word> Words(const Request& request) {
    std::vector<Word> words;
    std::size_t at = 0;
    for (const Pronunciation& one : request.pronunciations) {
        AddWords(request.text, at, one.begin, words);
        words.push_back({one.begin, one.end, one.phonemes});
        at = one.end;
    }
    AddWords(request.text, at, request.text.size(), words);
    return words;
}

// One event per word, the words sharing the whole length evenly.
std::vector<TimingEvent> WordEvents(const Request& request, std::size_t samples) {
    const std::vector<Word> words = Words(request);
    std::vector<TimingEvent> events;
    for (std::size_t i = 0; i < words.size(); ++i) {
        events.push_back({TimingEvent::kWord, static_cast<std::uint32_t>(words[i].begin),
                          static_cast<std::uint32_t>(words[i].end), samples * i / words.size(),
                          samples * (i + 1) / words.size(), words[i].label});
    }
    return events;
}

// 50 ms a byte, so that longer texts take longer.
void SpeakTone(const Request& request, Sink& sink) {
    const double seconds = 0.05 * static_cast<double>(request.text.size()) / request.speed;
    const auto samples = Tone(seconds, 440 * std::exp2(request.pitch / 12));
    if (sink.Events(WordEvents(request, samples.size()))) SendInChunks(samples, sink);
}

// A click of one millisecond at the start of each word, 200 ms a word; fake-untimed does not tell
// when.
void SpeakClicks(const Request& request, Sink& sink) {
    const std::size_t count = Words(request).size();
    const auto per_word = static_cast<std::size_t>(kFakeRate * 0.2 / request.speed);
    std::vector<std::int16_t> samples(count * per_word);
    for (std::size_t i = 0; i < count; ++i) {
        std::fill_n(samples.begin() + static_cast<std::ptrdiff_t>(i * per_word), kFakeRate / 1'000,
                    std::int16_t{20'000});
    }
    const bool is_timed = request.voice != "fake-untimed";
    if (is_timed && !sink.Events(WordEvents(request, samples.size()))) return;
    SendInChunks(samples, sink);
}

// Speaks in real time: 20 ms of audio every 20 ms.
void SpeakSlowly(const Request& request, Sink& sink) {
    const auto samples = Tone(0.05 * static_cast<double>(request.text.size()));
    std::span<const std::int16_t> rest = samples;
    while (!rest.empty()) {
        const auto part = rest.first(std::min(kFirstChunk, rest.size()));
        if (!sink.Audio(part)) return;
        rest = rest.subspan(part.size());
        const timespec pause{0, 20'000'000};
        nanosleep(&pause, nullptr);
    }
}

class FakeEngine : public Engine {
public:
    explicit FakeEngine(std::string_view name) : name_(name) {}

    Hello Describe() override {
        Hello hello;
        hello.protocol = name_ == "fake-old" ? 99 : kProtocolVersion;
        hello.engine = name_ == "fake-other-name" ? "flite" : name_;
        hello.version = "1";
        hello.licence = "Apache-2.0";
        const std::vector<std::string_view> good{"tone",   "clicks", "untimed",
                                                 "silent", "slow",   "report"};
        for (const std::string_view voice : good) Add(hello, voice);
        for (const std::string_view voice : MisbehavingVoices()) Add(hello, voice);
        return hello;
    }

    Result<void> Speak(const Request& request, Sink& sink) override {
        if (request.voice == "fake-tone") {
            SpeakTone(request, sink);
        } else if (request.voice == "fake-clicks" || request.voice == "fake-untimed") {
            SpeakClicks(request, sink);
        } else if (request.voice == "fake-slow") {
            SpeakSlowly(request, sink);
        } else if (request.voice == "fake-refuse") {
            return Error(ErrorKind::kInvalid, "text_refused", "this voice refuses every text");
        } else if (request.voice != "fake-silent" && !Report(request, sink) &&
                   !Misbehave(request, sink)) {
            return Error(ErrorKind::kInvalid, "unknown_voice", "no such voice here");
        }
        return {};
    }

private:
    static void Add(Hello& hello, std::string_view voice) {
        Voice v;
        v.id = "fake-" + std::string(voice);
        v.name = v.id;
        v.languages = {"en"};
        v.gender = "neutral";
        v.quality = "basic";
        v.technology = "formant";
        v.sample_rate = kFakeRate;
        v.licence = "Apache-2.0";
        v.description = "For tests.";
        v.speed_min = 0.5;
        v.speed_max = 2;
        v.pitch_min = -12;
        v.pitch_max = 12;
        v.pitch_range_min = 0.1;
        v.pitch_range_max = 4;
        v.phoneme_alphabet = "ipa";
        v.tells_times = voice != "untimed";
        hello.voices.push_back(std::move(v));
    }

    std::string name_;
};

std::unique_ptr<Engine> Make(std::string_view name) {
    MisbehaveEarly(name);
    if (name == "fake-absent") {
        Say("the fake engine has no data here");
        return nullptr;
    }
    return std::make_unique<FakeEngine>(name);
}

}  // namespace

bool SendInChunks(std::span<const std::int16_t> samples, Sink& sink) {
    std::size_t size = kFirstChunk;
    while (!samples.empty()) {
        const auto part = samples.first(std::min(size, samples.size()));
        if (!sink.Audio(part)) return false;
        samples = samples.subspan(part.size());
        size = kChunk;
    }
    return true;
}

std::vector<std::int16_t> Tone(double seconds, double frequency) {
    std::vector<std::int16_t> samples(static_cast<std::size_t>(seconds * kFakeRate));
    for (std::size_t i = 0; i < samples.size(); ++i) {
        const double phase = 2 * std::numbers::pi * frequency * static_cast<double>(i) / kFakeRate;
        samples[i] = static_cast<std::int16_t>(8'000 * std::sin(phase));
    }
    return samples;
}

}  // namespace vf::worker

int main(int argc, char** argv) {
    vf::worker::Run(argc, argv, vf::worker::Make, {});
}

#include "speech/listener.hpp"

#include <algorithm>

#include "base/log.hpp"

namespace vf::speech {
namespace {

// The mean loss of a word's frame. Measured: 4.3 to 6 for right texts of flite's voices, 7 to 8 for
// espeak-ng's, 9.9 and up for wrong texts, where they can be aligned at all.
constexpr double kHighestLoss = 9;

bool FitsWell(const std::vector<engines::TimingEvent>& events) {
    double loss = 0;
    double samples = 0;
    for (const engines::TimingEvent& event : events) {
        if (event.kind != engines::TimingEvent::kWord) continue;
        const auto length = static_cast<double>(event.end_sample - event.start_sample);
        loss += event.loss * length;
        samples += length;
    }
    return samples > 0 && loss <= kHighestLoss * samples;
}

}  // namespace

Listener::Listener(engines::Engines& engines, const text::Segment& segment,
                   const engines::Voice& voice, bool wants_timing)
    : engines_(engines), segment_(segment), voice_(voice),
      listens_(wants_timing && !voice.tells_times && !segment.heard && !voice.languages.empty() &&
               engines.Aligns(voice.languages.front())) {}

void Listener::Hear(std::span<const std::int16_t> samples) {
    if (!listens_) return;
    audio_.append(reinterpret_cast<const char*>(samples.data()), samples.size_bytes());
}

Task<std::vector<engines::TimingEvent>> Listener::Find() {
    engines::AlignRequest request;
    request.language = voice_.languages.front();
    request.text = segment_.text;
    request.audio = std::make_shared<const std::string>(std::move(audio_));
    request.sample_rate = voice_.sample_rate;
    Result<engines::Alignment> found = co_await engines_.Align(std::move(request));
    if (!found) {
        log::Debug("segment_not_aligned", {{"voice", voice_.id}, {"code", found.error().code()}});
        co_return std::vector<engines::TimingEvent>();
    }
    std::vector<engines::TimingEvent> events = std::move(found->events);
    if (!FitsWell(events)) co_return std::vector<engines::TimingEvent>();
    const double scale = static_cast<double>(voice_.sample_rate) / found->sample_rate;
    const auto scaled = [scale](std::uint64_t sample) {
        return static_cast<std::uint64_t>(static_cast<double>(sample) * scale);
    };
    for (engines::TimingEvent& event : events) {
        event.start_sample = scaled(event.start_sample);
        event.end_sample = scaled(event.end_sample);
        if (event.kind != engines::TimingEvent::kWord) continue;
        event.label = segment_.text.substr(event.text_begin, event.text_end - event.text_begin);
    }
    co_return events;
}

}  // namespace vf::speech

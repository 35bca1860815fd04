#pragma once
// One request on its way through espeak-ng's callback: its events, and its audio, which waits until
// all events that it holds are complete.
// SPDX-License-Identifier: GPL-3.0-or-later

#include <espeak-ng/speak_lib.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "common/worker.hpp"
#include "espeak/input.hpp"

namespace vf::worker {

class EspeakStream {
public:
    EspeakStream(const engines::Request& request, const EspeakInput& input, Sink& sink, int rate)
        : request_(request), input_(input), sink_(sink), rate_(rate) {}

    // What the callback was called with. False: stop.
    bool Take(const short* samples, int count, const espeak_EVENT* events);
    // What still waits. Call when the synthesis has ended by itself.
    void Finish();
    bool too_long() const { return too_long_; }

private:
    std::uint64_t SampleAt(int milliseconds) const;
    void Read(const espeak_EVENT& event);
    void OpenWord(const espeak_EVENT& event, std::uint64_t at);
    void OpenPhoneme(const espeak_EVENT& event, std::uint64_t at);
    void CloseWord(std::uint64_t at);
    void ClosePhoneme(std::uint64_t at);
    // Sends the complete events, then the samples up to `until`.
    bool Send(std::uint64_t until);

    const engines::Request& request_;
    const EspeakInput& input_;
    Sink& sink_;
    int rate_;
    std::vector<std::int16_t> held_;
    std::uint64_t sent_ = 0;                   // samples; held_ begins there
    std::vector<engines::TimingEvent> ready_;  // complete, for the next frame
    std::optional<engines::TimingEvent> word_, phoneme_;
    std::optional<std::uint64_t> quiet_since_;  // within the open word
    bool too_long_ = false;
};

}  // namespace vf::worker

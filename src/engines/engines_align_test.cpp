// Texts found in audio, by the real aligner in what flite speaks.
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>

#include "engines/engines_fixture.hpp"
#include "engines/protocol.hpp"

namespace vf::engines {
namespace {

constexpr const char* kText = "she sells fresh bread and cheese on the market square every morning";

class AlignTest : public EnginesTest {
protected:
    AlignTest() {
        options_.enable = "flite";
        options_.alignment_audio = std::chrono::seconds(20);
        Start();
    }

    Result<Alignment> Align(std::string text, std::string audio, int rate) {
        AlignRequest request;
        request.language = "en-US";
        request.text = std::move(text);
        request.audio = std::make_shared<const std::string>(std::move(audio));
        request.sample_rate = rate;
        return Run(engines_->Align(std::move(request)));
    }
    std::string ErrorOf(std::string text, std::string audio, int rate) {
        const Result<Alignment> found = Align(std::move(text), std::move(audio), rate);
        return found ? "" : found.error().code();
    }
    static std::string Bytes(const std::vector<std::int16_t>& samples) {
        return {reinterpret_cast<const char*>(samples.data()), samples.size() * 2};
    }
    int RateOf(const std::string& voice) { return engines_->catalogue().Find(voice)->sample_rate; }

    asio::cancellation_signal stop_;
};

std::vector<TimingEvent> Only(TimingEvent::Kind kind, const std::vector<TimingEvent>& events) {
    std::vector<TimingEvent> chosen;
    std::ranges::copy_if(events, std::back_inserter(chosen), [&](const TimingEvent& e) {
        return e.kind == kind && e.text_end > e.text_begin;
    });
    return chosen;
}

// The bar of the timeline: within 25 ms of the engine's own times on the average, 95 % within 60.
TEST_F(AlignTest, FindsTheEnginesOwnTimes) {
    std::vector<double> off;
    for (const char* voice : {"slt", "rms", "awb"}) {
        const Spoken spoken = Speak(voice, kText);
        const Result<Alignment> found = Align(kText, Bytes(spoken.samples), RateOf(voice));
        ASSERT_TRUE(found) << found.error().message();
        const auto told = Only(TimingEvent::kWord, spoken.events);
        const auto heard = Only(TimingEvent::kWord, found->events);
        ASSERT_EQ(heard.size(), 12U);
        ASSERT_EQ(told.size(), 12U);
        const double rate = RateOf(voice);
        for (std::size_t i = 0; i < told.size(); ++i) {
            EXPECT_EQ(heard[i].text_begin, told[i].text_begin);
            EXPECT_EQ(heard[i].text_end, told[i].text_end);
            EXPECT_LT(heard[i].loss, 20) << kText << " " << i;
            off.push_back(std::abs(static_cast<double>(heard[i].start_sample) / 16e3 -
                                   static_cast<double>(told[i].start_sample) / rate));
            off.push_back(std::abs(static_cast<double>(heard[i].end_sample) / 16e3 -
                                   static_cast<double>(told[i].end_sample) / rate));
        }
        EXPECT_EQ(Only(TimingEvent::kPhoneme, found->events).size(),
                  Only(TimingEvent::kPhoneme, spoken.events).size());
        // In order, without a gap, to the audio's end.
        std::uint64_t end = 0;
        for (const TimingEvent& event : found->events) {
            if (event.kind != TimingEvent::kPhoneme) continue;
            EXPECT_EQ(event.start_sample, end);
            end = event.end_sample;
        }
        EXPECT_NEAR(static_cast<double>(end) / 16e3,
                    static_cast<double>(spoken.samples.size()) / rate, 0.01);
    }
    std::ranges::sort(off);
    const double mean = std::accumulate(off.begin(), off.end(), 0.0) / double(off.size());
    RecordProperty("mean_ms", std::to_string(mean * 1e3));
    EXPECT_LT(mean, 0.025);
    EXPECT_LT(off[off.size() * 95 / 100], 0.060);
}

TEST_F(AlignTest, TellsAWrongTextByItsLoss) {
    const Spoken spoken = Speak("slt", kText);
    const auto loss = [&](std::string text) {
        const Result<Alignment> found =
            Align(std::move(text), Bytes(spoken.samples), RateOf("slt"));
        double sum = 0;
        std::size_t count = 0;
        if (!found) return 1e9;
        for (const TimingEvent& word : Only(TimingEvent::kWord, found->events)) {
            sum += word.loss;
            ++count;
        }
        return sum / static_cast<double>(count);
    };
    EXPECT_GT(loss("a completely other sentence stands here instead of it"), 2 * loss(kText));
}

TEST_F(AlignTest, WordsOutsideOfTheDictionaryAreGuessed) {
    const Spoken spoken = Speak("slt", "the blorptangle wuzzled");
    const Result<Alignment> found =
        Align("the 'blorptangle' wuzzled", Bytes(spoken.samples), RateOf("slt"));
    ASSERT_TRUE(found) << found.error().message();
    const auto words = Only(TimingEvent::kWord, found->events);
    ASSERT_EQ(words.size(), 3U);
    EXPECT_EQ(words[1].text_begin, 4U);
    EXPECT_EQ(words[1].text_end, 17U);
}

TEST_F(AlignTest, RefusesWhatCannotBeAligned) {
    const std::string second(32'000, '\0');
    EXPECT_EQ(ErrorOf("", second, 16'000), "empty_text");
    EXPECT_EQ(ErrorOf("hello", "", 16'000), "invalid_audio");
    EXPECT_EQ(ErrorOf(std::string(kMaxAlignedTextBytes + 1, 'a'), second, 16'000), "text_too_long");
    EXPECT_EQ(ErrorOf("a\xff", second, 16'000), "invalid_text");
    EXPECT_EQ(ErrorOf("hello", second + std::string(21 * 32'000, '\0'), 16'000), "audio_too_long");
    EXPECT_EQ(ErrorOf("hello", "RIFF, but no more of it", 0), "invalid_audio");
    EXPECT_EQ(ErrorOf("42 ...", second, 16'000), "alignment_failed");
    std::string many;
    for (int i = 0; i < 100; ++i) many += "hello ";
    EXPECT_EQ(ErrorOf(many, second, 16'000), "alignment_failed");
    // And it goes on working.
    const Spoken spoken = Speak("slt", kText);
    EXPECT_TRUE(Align(kText, Bytes(spoken.samples), RateOf("slt")));
}

// Larger than the socket's buffer, so that the worker still waits for the rest.
TEST_F(AlignTest, ACallerMayGoWhileItsAudioIsOnItsWay) {
    const Spoken spoken = Speak("slt", kText);
    for (int i = 0; i < 3; ++i) {
        AlignRequest request;
        request.language = "en";
        request.text = kText;
        request.audio = std::make_shared<const std::string>(8U << 20U, '\0');
        request.sample_rate = 96'000;
        {
            bool done = false;
            asio::co_spawn(loop_, engines_->Align(std::move(request)),
                           asio::bind_cancellation_slot(
                               stop_.slot(), [&](std::exception_ptr, auto) { done = true; }));
            Until([&] { return !engines_->WorkerPidsForTest("align").empty(); });
            stop_.emit(asio::cancellation_type::terminal);
            Until([&] { return done; });
        }
        const Result<Alignment> found = Align(kText, Bytes(spoken.samples), RateOf("slt"));
        EXPECT_TRUE(found) << found.error().message();
    }
}

}  // namespace
}  // namespace vf::engines

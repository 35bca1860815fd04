#include "audio/joiner.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "audio/test_audio.hpp"

namespace vf::audio {
namespace {

constexpr int kRate = 16000;

// Something like a sentence: silence, noise with a gap in it, silence. Times in ms.
std::vector<float> Sentence(int lead, int tail, unsigned seed, double floor = 0.0005) {
    auto out = Noise(kRate, lead / 1000.0, floor, seed);
    const auto append = [&out](const std::vector<float>& part) {
        out.insert(out.end(), part.begin(), part.end());
    };
    append(Tone(kRate, 180 + seed * 10, 0.4, 0.3, 0.7));
    append(Noise(kRate, 0.12, floor, seed + 1));
    append(Tone(kRate, 240, 0.3, 0.2, 1.0));
    append(Noise(kRate, tail / 1000.0, floor, seed + 2));
    return out;
}

struct Spoken {
    std::vector<float> samples;
    std::vector<std::int64_t> offsets;
    std::vector<std::int64_t> begins;
};

Spoken Join(const std::vector<std::pair<Pause, std::vector<float>>>& segments,
            std::size_t longest = 1000, unsigned seed = 1) {
    Joiner joiner(kRate);
    Spoken spoken;
    const auto take = [&](const std::vector<float>& part) {
        spoken.samples.insert(spoken.samples.end(), part.begin(), part.end());
    };
    for (const auto& [pause, samples] : segments) {
        joiner.StartSegment(pause);
        InRandomPieces(samples, longest, seed,
                       [&](std::span<const float> piece) { take(joiner.Write(piece)); });
        take(joiner.EndSegment());
        spoken.offsets.push_back(joiner.segment_offset().value_or(-1000000));
        spoken.begins.push_back(joiner.segment_begin());
    }
    take(joiner.Finish());
    EXPECT_EQ(joiner.position(), spoken.samples.size());
    return spoken;
}

// Stretches of at least 200 ms in which every 5 ms are below -46 dBFS, in ms.
std::vector<double> Pauses(std::span<const float> samples) {
    std::vector<double> pauses;
    const std::size_t window = kRate / 200;
    std::size_t quiet = 0;
    bool spoke = false;
    for (std::size_t at = 0; at + window <= samples.size(); at += window) {
        if (Rms(samples.subspan(at, window)) < 0.005) {
            ++quiet;
            continue;
        }
        if (spoke && quiet * 5 >= 200) pauses.push_back(static_cast<double>(quiet) * 5);
        quiet = 0;
        spoke = true;
    }
    return pauses;
}

TEST(Joiner, PausesAreAsAskedWhateverSilenceTheEngineLeft) {
    for (const auto& [lead, tail] : {std::pair{0, 0}, {10, 10}, {50, 180}, {300, 500}, {1, 900}}) {
        const auto spoken = Join({{Pause::kNone, Sentence(lead, tail, 1)},
                                  {Pause::kSentence, Sentence(lead, tail, 2)},
                                  {Pause::kParagraph, Sentence(lead, tail, 3)}});
        const auto pauses = Pauses(spoken.samples);
        ASSERT_EQ(pauses.size(), 2U) << lead << " " << tail;
        EXPECT_NEAR(pauses[0], 350, 15) << lead << " " << tail;
        EXPECT_NEAR(pauses[1], 700, 15) << lead << " " << tail;
    }
}

TEST(Joiner, ClausesAndExplicitPauses) {
    Joiner joiner(kRate);
    std::vector<float> all;
    const auto take = [&](const std::vector<float>& part) {
        all.insert(all.end(), part.begin(), part.end());
    };
    for (const int pause : {0, 1200, 225}) {
        joiner.StartSegment(std::chrono::milliseconds(pause));
        take(joiner.Write(Sentence(40, 100, 4)));
        take(joiner.EndSegment());
    }
    take(joiner.Finish());
    const auto pauses = Pauses(all);
    ASSERT_EQ(pauses.size(), 2U);
    EXPECT_NEAR(pauses[0], 1200, 15);
    EXPECT_NEAR(pauses[1], 225, 15);
    const auto sentence = Sentence(40, 100, 4);
    const auto clause = Join({{Pause::kNone, sentence}, {Pause::kClause, sentence}});
    // 820 ms of sound twice, 40 ms of first lead, 120 ms of pause, the last tail.
    EXPECT_NEAR(static_cast<double>(clause.samples.size()) / kRate, 0.04 + 1.64 + 0.12 + 0.1,
                0.012);
}

TEST(Joiner, FirstLeadPassesUntouchedAndAtOnce) {
    const auto sentence = Sentence(120, 100, 5);
    Joiner joiner(kRate);
    joiner.StartSegment(Pause::kNone);
    std::vector<float> out;
    for (std::size_t at = 0; at + 320 <= 4800; at += 320) {
        const auto part = joiner.Write(std::span(sentence).subspan(at, 320));
        out.insert(out.end(), part.begin(), part.end());
        EXPECT_GE(out.size() + 160, at + 320);
    }
    EXPECT_TRUE(std::equal(out.begin(), out.end(), sentence.begin()));
    EXPECT_EQ(joiner.segment_offset(), 0);
}

TEST(Joiner, OffsetsFindEverySegmentInTheOutput) {
    const std::vector<std::vector<float>> sentences = {Sentence(80, 200, 6), Sentence(200, 100, 7),
                                                       Sentence(0, 40, 8)};
    const auto spoken = Join({{Pause::kNone, sentences[0]},
                              {Pause::kSentence, sentences[1]},
                              {Pause::kSentence, sentences[2]}});
    for (std::size_t i = 0; i < sentences.size(); ++i) {
        // A stretch in the middle of what is audible, found where the offset says.
        for (std::size_t s = 4800; s < 6400; ++s) {
            const auto at =
                static_cast<std::size_t>(static_cast<std::int64_t>(s) + spoken.offsets[i]);
            ASSERT_EQ(spoken.samples[at], sentences[i][s]);
        }
        EXPECT_GE(spoken.begins[i], 0);
    }
    EXPECT_EQ(spoken.offsets[0], 0);
    EXPECT_GT(spoken.begins[2], spoken.begins[1]);
}

TEST(Joiner, JoinsWithoutClicks) {
    // Segments that begin and end in the middle of loud sound, with a phase that would click.
    std::vector<std::pair<Pause, std::vector<float>>> segments;
    std::vector<float> steps;
    for (int i = 0; i < 4; ++i) {
        segments.emplace_back(Pause::kSentence, Tone(kRate, 200 + 13 * i, 0.5, 0.6, 1.5));
        const auto& tone = segments.back().second;
        for (std::size_t s = 1; s < tone.size(); ++s)
            steps.push_back(std::abs(tone[s] - tone[s - 1]));
    }
    std::sort(steps.begin(), steps.end());
    const float allowed = steps[steps.size() * 999 / 1000];
    auto spoken = Join(segments);
    spoken.samples.push_back(0);
    for (std::size_t s = 1; s < spoken.samples.size(); ++s) {
        ASSERT_LE(std::abs(spoken.samples[s] - spoken.samples[s - 1]), allowed * 1.0001F) << s;
    }
}

TEST(Joiner, TheCutIntoCallsDoesNotChangeASample) {
    const std::vector<std::pair<Pause, std::vector<float>>> segments = {
        {Pause::kNone, Sentence(33, 77, 9)},
        {Pause::kSentence, Sentence(123, 311, 10)},
        {Pause::kNone, Sentence(3, 0, 11)}};
    const auto expected = Join(segments, 100000);
    for (const std::size_t longest : {1U, 79U, 81U, 4000U}) {
        const auto spoken = Join(segments, longest, 77);
        EXPECT_TRUE(spoken.samples == expected.samples) << longest;
        EXPECT_EQ(spoken.offsets, expected.offsets);
    }
}

TEST(Joiner, SilentSegmentsLeaveNothingBehind) {
    const std::vector<float> silence(8000);
    const auto sentence = Sentence(50, 100, 12);
    const auto spoken = Join({{Pause::kNone, sentence},
                              {Pause::kParagraph, silence},
                              {Pause::kSentence, {}},
                              {Pause::kSentence, sentence}});
    const auto pauses = Pauses(spoken.samples);
    ASSERT_EQ(pauses.size(), 1U);
    EXPECT_NEAR(pauses[0], 700, 15);
    EXPECT_EQ(spoken.offsets[1], -1000000);
    EXPECT_TRUE(Join({}).samples.empty());
    EXPECT_TRUE(Join({{Pause::kNone, {}}}).samples.empty());
    EXPECT_EQ(Join({{Pause::kNone, silence}}).samples.size(), silence.size());
}

TEST(Joiner, LastTailIsNaturalAndShort) {
    const auto spoken = Join({{Pause::kNone, Sentence(0, 900, 13)}});
    std::size_t last = spoken.samples.size();
    while (last > 0 && std::abs(spoken.samples[last - 1]) < 0.01) --last;
    EXPECT_LE(spoken.samples.size() - last, kRate / 5U);
    EXPECT_GE(spoken.samples.size() - last, kRate / 10U);
}

TEST(Joiner, LongSilenceInsideASegmentIsNotKeptForEver) {
    Joiner joiner(kRate);
    joiner.StartSegment(Pause::kNone);
    auto out = joiner.Write(Tone(kRate, 200, 0.2));
    const auto more = joiner.Write(std::vector<float>(kRate * 10));
    EXPECT_GE(out.size() + more.size(), kRate * 8U);
    const auto after = joiner.Write(Tone(kRate, 200, 0.2));
    EXPECT_GE(after.size(), kRate * 2U);
    EXPECT_EQ(out.size() + more.size() + after.size() + joiner.EndSegment().size() +
                  joiner.Finish().size(),
              static_cast<std::size_t>(kRate * 10.4));
}

}  // namespace
}  // namespace vf::audio

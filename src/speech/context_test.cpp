// Parts of a text, put together, against the text spoken in one piece.
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "speech/corridor_testing.hpp"

namespace vf::speech {
namespace {

constexpr int kRate = 16000;

std::vector<double> Samples(const std::string& pcm) {
    std::vector<double> out;
    for (std::size_t i = 0; i + 1 < pcm.size(); i += 2) {
        const auto low = static_cast<unsigned char>(pcm[i]);
        const auto high = static_cast<signed char>(pcm[i + 1]);
        out.push_back((high * 256 + low) / 32768.0);
    }
    return out;
}

std::vector<double> Around(const std::vector<double>& samples, double seconds) {
    const auto at = static_cast<std::ptrdiff_t>(seconds * kRate);
    const auto from = std::max<std::ptrdiff_t>(0, at - kRate / 10);
    const auto to = std::min(static_cast<std::ptrdiff_t>(samples.size()), at + kRate / 10);
    return {samples.begin() + from, samples.begin() + to};
}

double Rms(const std::vector<double>& samples) {
    double sum = 0;
    for (const double s : samples) sum += s * s;
    return std::sqrt(sum / static_cast<double>(samples.size()));
}

// The lag with the best normalised autocorrelation, as Hz.
double F0(const std::vector<double>& samples) {
    double best = 0;
    int lag_of_best = 1;
    for (int lag = kRate / 300; lag <= kRate / 80; ++lag) {
        double together = 0;
        double energy = 0;
        for (std::size_t i = static_cast<std::size_t>(lag); i < samples.size(); ++i) {
            together += samples[i] * samples[i - static_cast<std::size_t>(lag)];
            energy += samples[i] * samples[i];
        }
        const double score = together / (energy + 1e-9);
        if (score > best * 1.02) {
            best = score;
            lag_of_best = lag;
        }
    }
    return static_cast<double>(kRate) / lag_of_best;
}

class ContextTest : public CorridorTest {
protected:
    // Each part knows what stands around it. The engines cannot be started twice: one run.
    static Task<std::vector<Spoken>> SpeakAllTask(ContextTest* self,
                                                  std::vector<SpeechRequest> requests) {
        co_await self->engines.Start();
        std::vector<Spoken> out;
        for (SpeechRequest& request : requests) {
            Spoken spoken;
            request.whole = true;
            request.sample_rate = kRate;
            auto started = co_await self->service.Start(request);
            if (!started) {
                spoken.error = started.error().code();
            } else {
                spoken.speech = *started;
                auto body = co_await self->service.Collect(spoken.speech);
                if (body) spoken.body = *body;
            }
            out.push_back(std::move(spoken));
        }
        co_await self->engines.Stop();
        co_return out;
    }

    std::vector<Spoken> SpeakParts(const std::string& first, const std::string& second) {
        std::vector<SpeechRequest> requests{Request("slt", first + second), Request("slt", first),
                                            Request("slt", second)};
        requests[1].next_text = second;
        requests[2].previous_text = first;
        return RunTask(loop, SpeakAllTask(this, std::move(requests)));
    }

    void Compare(const std::string& first, const std::string& second) {
        const std::vector<Spoken> spoken = SpeakParts(first, second);
        for (const Spoken& one : spoken) ASSERT_EQ(one.error, "");
        const std::vector<double> whole = Samples(spoken[0].body);
        std::vector<double> joined = Samples(spoken[1].body);
        const double join = static_cast<double>(joined.size()) / kRate;
        const std::vector<double> rest = Samples(spoken[2].body);
        joined.insert(joined.end(), rest.begin(), rest.end());
        EXPECT_NEAR(static_cast<double>(joined.size()), static_cast<double>(whole.size()),
                    0.03 * kRate);
        // Every character of both parts has its time, and nothing else has.
        std::string heard;
        for (std::size_t i = 1; i < 3; ++i) {
            for (const TimelineItem& c : spoken[i].speech->timeline.characters) heard += c.label;
        }
        EXPECT_EQ(heard, first + second);
        const std::vector<double> a = Around(whole, join);
        const std::vector<double> b = Around(joined, join);
        EXPECT_NEAR(Rms(b) / Rms(a), 1, 0.1);
        if (Rms(a) > 0.01) EXPECT_NEAR(F0(b) / F0(a), 1, 0.1);
        // No step that the whole does not have.
        const auto at = static_cast<std::size_t>(join * kRate);
        double step = 0;
        double most = 0;
        for (std::size_t i = 1; i < joined.size(); ++i) {
            const double here = std::abs(joined[i] - joined[i - 1]);
            most = std::max(most, here);
            if (i + 16 > at && i < at + 16) step = std::max(step, here);
        }
        EXPECT_LT(step, 0.5 * most);
    }
};

TEST_F(ContextTest, InTheMiddleOfASentence) {
    Compare("Good morning. We are leaving now ", "and nobody will be able to follow us. Bye.");
}

TEST_F(ContextTest, BetweenSentences) {
    Compare("Good morning, everybody. ", "We are leaving now.");
}

TEST_F(ContextTest, InsideTheOnlySentence) {
    Compare("All of these ", "words are one sentence.");
}

}  // namespace
}  // namespace vf::speech

// Times that are found in the audio, against those that flite tells of the same audio.
#include <gtest/gtest.h>

#include "speech/corridor_testing.hpp"
#include "speech/listener.hpp"

namespace vf::speech {
namespace {

using engines::TimingEvent;

class ListenerTest : public CorridorTest {
protected:
    struct Told {
        std::vector<std::int16_t> samples;
        std::vector<TimingEvent> events;
    };

    static Task<Told> SpeakSegment(ListenerTest* self, std::string voice, std::string text) {
        engines::SegmentRequest request;
        request.voice = std::move(voice);
        request.text = std::move(text);
        Told told;
        auto spoken = co_await self->engines.Speak(std::move(request));
        const std::unique_ptr<engines::Utterance> utterance = *std::move(spoken);
        for (;;) {
            auto next = co_await utterance->Next();
            if (!next || !*next) break;
            engines::EngineChunk& chunk = **next;
            told.samples.insert(told.samples.end(), chunk.samples.begin(), chunk.samples.end());
            told.events.insert(told.events.end(), chunk.events.begin(), chunk.events.end());
        }
        co_return told;
    }

    // `text` is what the audio is said to hold.
    static Task<void> Listen(ListenerTest* self, std::string spoken, std::string text) {
        co_await self->engines.Start();
        std::string said = std::move(spoken);
        self->told_ = co_await SpeakSegment(self, "slt", std::move(said));
        engines::Voice voice = *self->engines.catalogue().Find("slt");
        voice.tells_times = false;
        text::Segment segment;
        segment.text = std::move(text);
        Listener listener(self->engines, segment, voice, true);
        EXPECT_TRUE(listener.listens());
        listener.Hear(self->told_.samples);
        self->found_ = co_await listener.Find();
        co_await self->engines.Stop();
    }

    static std::vector<TimingEvent> Words(const std::vector<TimingEvent>& events) {
        std::vector<TimingEvent> words;
        for (const TimingEvent& event : events) {
            if (event.kind == TimingEvent::kWord) words.push_back(event);
        }
        return words;
    }

    Told told_;
    std::vector<TimingEvent> found_;
};

TEST_F(ListenerTest, FindsTheWordsAndPhonesOfASegment) {
    const std::string text = "Fresh bread, and cheese.";
    RunTask(loop, Listen(this, text, text));
    const auto words = Words(found_);
    const auto told = Words(told_.events);
    ASSERT_EQ(words.size(), 4U);
    ASSERT_EQ(told.size(), 4U);
    for (std::size_t i = 0; i < words.size(); ++i) {
        EXPECT_EQ(words[i].label, (std::vector{"Fresh", "bread", "and", "cheese"}[i]));
        EXPECT_NEAR(static_cast<double>(words[i].start_sample),
                    static_cast<double>(told[i].start_sample), 0.08 * 16'000);
    }
    EXPECT_NEAR(static_cast<double>(found_.back().end_sample),
                static_cast<double>(told_.samples.size()), 2);
}

TEST_F(ListenerTest, DoesNotBelieveAWrongText) {
    RunTask(loop, Listen(this, "Fresh bread, and cheese on the table.",
                         "Nobody has said any such thing here."));
    EXPECT_TRUE(found_.empty());
}

TEST_F(ListenerTest, DoesNotListenWhereItIsTold) {
    text::Segment segment;
    segment.text = "Hello.";
    engines::Voice voice;
    voice.languages = {"en-US"};
    EXPECT_FALSE(Listener(engines, segment, voice, true).listens());
    voice.tells_times = false;
    EXPECT_TRUE(Listener(engines, segment, voice, true).listens());
    EXPECT_FALSE(Listener(engines, segment, voice, false).listens());
    voice.languages = {"de"};
    EXPECT_FALSE(Listener(engines, segment, voice, true).listens());
}

}  // namespace
}  // namespace vf::speech

// Texts that come bit by bit: what is spoken when, and that nothing is lost or said twice.
#include <gtest/gtest.h>

#include "speech/corridor_testing.hpp"
#include "speech/live_text.hpp"
#include "speech/timed_reader.hpp"

namespace vf::speech {
namespace {

std::string TakeOf(LiveText& text) {
    const LiveText::Part part = text.Take();
    return text.all().substr(part.begin, part.end - part.begin);
}

TEST(LiveText, SpeaksWholeSentencesAtOnce) {
    LiveText text({}, "en", false);
    std::vector<std::string> taken;
    for (const char* word :
         {"Hello ", "there. ", "Dr. ", "Who ", "said ", "3.5 ", "is ", "it! ", "And ", "then"}) {
        text.Append(word);
        if (std::string part = TakeOf(text); !part.empty()) taken.push_back(std::move(part));
    }
    EXPECT_EQ(taken, (std::vector<std::string>{"Hello there. ", "Dr. Who said 3.5 is it! "}));
    EXPECT_EQ(text.waiting(), 8U);
    EXPECT_FALSE(text.TakeAll().empty());
    EXPECT_TRUE(text.TakeAll().empty());
}

TEST(LiveText, AStopWithoutASpaceMayGoOn) {
    LiveText text({}, "en", false);
    text.Append("It costs 3.");
    EXPECT_EQ(TakeOf(text), "");
    text.Append("50 now. ");
    EXPECT_EQ(TakeOf(text), "It costs 3.50 now. ");
}

TEST(LiveText, AScheduleWaitsForItsCharacters) {
    LivePolicy policy;
    policy.schedule = {20, 40};
    LiveText text(policy, "en", false);
    text.Append("Short one. ");
    EXPECT_EQ(TakeOf(text), "");
    text.Append("Another one here. An");
    EXPECT_EQ(TakeOf(text), "Short one. Another one here. ");
    text.Append("d without any end for quite a long time it goes");
    EXPECT_EQ(TakeOf(text), "And without any end for quite a long time it ");
    EXPECT_EQ(text.waiting(), 4U);
}

TEST(LiveText, MarkupIsNotCut) {
    LiveText text({}, "en", true);
    text.Append("<emphasis>One. Two. ");
    EXPECT_EQ(TakeOf(text), "");
    text.Append("Three.</emphasis> <break time=\"1.5s\"/> Four. ");
    EXPECT_FALSE(TakeOf(text).empty());
    EXPECT_EQ(text.waiting(), 0U);
}

class LiveTest : public CorridorTest {
protected:
    struct Heard {
        std::string error;
        std::string audio;
        std::string characters;
        std::vector<double> starts;
        std::vector<TimelineItem> words;
        double seconds = 0;
        int flushed = 0;
    };
    using Script = std::function<void(LiveSpeech&, Heard&)>;

    static Task<Heard> HearTask(LiveTest* self, SpeechRequest request, LivePolicy policy,
                                const Script* script) {
        co_await self->engines.Start();
        Heard heard;
        auto started = co_await self->service.StartLive(std::move(request), std::move(policy));
        if (!started) {
            heard.error = started.error().code();
        } else {
            const std::unique_ptr<LiveSpeech> live = *std::move(started);
            (*script)(*live, heard);
            TimedReader reader(live->speech());
            for (;;) {
                Result<std::optional<TimedChunk>> next = co_await reader.Next();
                if (!next) heard.error = next.error().code();
                if (!next || !*next) break;
                const TimedChunk& chunk = **next;
                EXPECT_DOUBLE_EQ(chunk.start_seconds, heard.seconds);
                heard.seconds = chunk.end_seconds;
                heard.audio += chunk.audio;
                heard.words.insert(heard.words.end(), chunk.words.begin(), chunk.words.end());
                for (const TimelineItem& c : chunk.characters) {
                    heard.characters += c.label;
                    heard.starts.push_back(c.start_seconds);
                }
            }
            while (self->service.at_work() > 0) co_await Sleep(std::chrono::milliseconds(1));
        }
        co_await self->engines.Stop();
        co_return heard;
    }

    Heard Hear(SpeechRequest request, const Script& script, LivePolicy policy = {}) {
        return RunTask(loop, HearTask(this, std::move(request), std::move(policy), &script));
    }
};

class LiveSteps : public LiveTest, public testing::WithParamInterface<std::size_t> {};

TEST_P(LiveSteps, SayEveryCharacterOnce) {
    const std::string text = "Hello there, old friend. How are you today? Fine, I hope.";
    const Heard heard = Hear(Request("slt", ""), [&](LiveSpeech& live, Heard&) {
        for (std::size_t at = 0; at < text.size(); at += GetParam()) {
            EXPECT_TRUE(live.Append(std::string_view(text).substr(at, GetParam())));
        }
        live.End();
    });
    EXPECT_EQ(heard.error, "");
    EXPECT_EQ(heard.characters, text);
    EXPECT_TRUE(std::is_sorted(heard.starts.begin(), heard.starts.end()));
    EXPECT_GT(heard.seconds, 2.5);
    EXPECT_EQ(heard.audio.size(), 2 * static_cast<std::size_t>(heard.seconds * 24000 + 0.5));
}

INSTANTIATE_TEST_SUITE_P(Characters, LiveSteps, testing::Values(1, 5, 100));

TEST_F(LiveTest, FlushIsToldWhenItsAudioIsThere) {
    const Heard heard = Hear(Request("slt", ""), [](LiveSpeech& live, Heard& into) {
        EXPECT_TRUE(live.Append("No end yet"));
        live.Flush([&into, &live] {
            ++into.flushed;
            EXPECT_TRUE(live.Append("and more of it"));
            live.Flush([&into, &live] {
                ++into.flushed;
                live.End();
            });
        });
    });
    EXPECT_EQ(heard.error, "");
    EXPECT_EQ(heard.flushed, 2);
    EXPECT_EQ(heard.characters, "No end yetand more of it");
}

TEST_F(LiveTest, WordsOfMarkupStandWhereTheyWereWritten) {
    const std::string text =
        "One <emphasis>two</emphasis>. Three &amp; <mark name=\"m\"/>four! Five.";
    SpeechRequest request = Request("slt", "");
    request.markup = Markup::kSsml;
    request.wants_timing = true;
    const Heard heard = Hear(request, [&](LiveSpeech& live, Heard&) {
        for (const char c : text) EXPECT_TRUE(live.Append(std::string_view(&c, 1)));
        live.End();
    });
    EXPECT_EQ(heard.error, "");
    std::vector<std::string> labels;
    std::vector<std::string> written;
    for (const TimelineItem& word : heard.words) {
        labels.push_back(word.label);
        written.push_back(text.substr(word.text_begin, word.text_end - word.text_begin));
    }
    EXPECT_EQ(labels, (std::vector<std::string>{"One", "two", "Three", "&", "four", "Five"}));
    EXPECT_EQ(written, (std::vector<std::string>{"One", "two", "Three", "&amp;", "four", "Five"}));
}

TEST_F(LiveTest, TheLanguageMayBeFoundOut) {
    SpeechRequest request = Request("slt", "");
    request.language = "auto";
    const Heard heard = Hear(request, [](LiveSpeech& live, Heard&) {
        EXPECT_TRUE(live.Append("The weather is going to be fine tomorrow. "));
        live.End();
    });
    EXPECT_EQ(heard.error, "");
    EXPECT_GT(heard.seconds, 1);
}

TEST_F(LiveTest, NothingToSayIsNoError) {
    const Heard heard = Hear(Request("slt", ""), [](LiveSpeech& live, Heard& into) {
        live.Flush([&into] { ++into.flushed; });
        EXPECT_TRUE(live.Append(" ... "));
        live.End();
    });
    EXPECT_EQ(heard.error, "");
    EXPECT_EQ(heard.flushed, 1);
    EXPECT_EQ(heard.seconds, 0);
}

TEST_F(LiveTest, BoundsAndCancel) {
    SpeechRequest request = Request("slt", "");
    request.max_characters = 10;
    const Heard heard = Hear(request, [](LiveSpeech& live, Heard&) {
        EXPECT_TRUE(live.Append("12345 "));
        const Result<void> more = live.Append("67890");
        ASSERT_FALSE(more);
        EXPECT_EQ(more.error().code(), "text_too_long");
        EXPECT_EQ(live.Append("\xff").error().code(), "invalid_utf8");
        live.Cancel();
        EXPECT_TRUE(live.has_ended());
    });
    EXPECT_EQ(heard.error, "");
    EXPECT_EQ(heard.audio, "");
}

TEST_F(LiveTest, AnUnknownVoiceIsToldAtOnce) {
    EXPECT_EQ(Hear(Request("nobody", ""), [](LiveSpeech&, Heard&) {}).error, "voice_not_found");
}

TEST_F(LiveTest, AFailureReachesTheReader) {
    const Heard heard = Hear(Request("fake-crash", ""), [](LiveSpeech& live, Heard&) {
        EXPECT_TRUE(live.Append("This breaks. "));
        live.End();
    });
    EXPECT_EQ(heard.error, "engine_failed");
}

}  // namespace
}  // namespace vf::speech

// Plans, languages, timelines, and a speech rendered by real worker programs.
#include <gtest/gtest.h>

#include <thread>

#include "engines/engines.hpp"
#include "speech/catalogue_match.hpp"
#include "speech/corridor_testing.hpp"
#include "speech/plan.hpp"
#include "speech/speech_service.hpp"
#include "speech/timeline_builder.hpp"

namespace vf::speech {
namespace {

engines::Voice MakeVoice(std::string id, std::vector<std::string> languages,
                         std::string quality = "standard") {
    engines::Voice voice;
    voice.id = std::move(id);
    voice.languages = std::move(languages);
    voice.quality = std::move(quality);
    voice.engine = "test";
    voice.sample_rate = 16000;
    voice.gain_db = 3;
    voice.speed_min = 0.5;
    voice.speed_max = 2;
    return voice;
}

class PlanTest : public testing::Test {
protected:
    PlanTest() {
        catalogue.Add(MakeVoice("plain-en", {"en"}, "basic"));
        catalogue.Add(MakeVoice("alloy", {"en-US", "en"}));
        catalogue.Add(MakeVoice("british", {"en-GB"}));
        catalogue.Add(MakeVoice("anna", {"de"}));
        request.text = "Hello there. How are you?";
    }

    std::string Code() {
        const auto plan = MakePlan(request, catalogue, options);
        return plan ? "voice " + plan->voice().id
                    : plan.error().code() + " " + plan.error().param();
    }

    engines::Catalogue catalogue;
    SpeechOptions options;
    SpeechRequest request;
};

TEST_F(PlanTest, ChoosesTheVoice) {
    EXPECT_EQ(Code(), "voice alloy");
    request.voice = "anna";
    EXPECT_EQ(Code(), "voice anna");
    request.voice = "nobody";
    EXPECT_EQ(Code(), "voice_not_found voice");
    request.voice = "anna";
    request.language = "en";
    EXPECT_EQ(Code(), "language_not_supported language");
    request.voice = "";
    EXPECT_EQ(Code(), "voice alloy");
    request.language = "en-GB";
    EXPECT_EQ(Code(), "voice alloy") << "its plain \"en\" covers every region";
    request.language = "de-AT";
    EXPECT_EQ(Code(), "voice anna");
    request.language = "fr";
    EXPECT_EQ(Code(), "language_not_supported language");
    request.language = "not a tag";
    EXPECT_EQ(Code(), "invalid_language language");
}

TEST_F(PlanTest, ChecksTextAndNumbers) {
    request.text = "";
    EXPECT_EQ(Code(), "text_empty text");
    request.text = "\xff";
    EXPECT_EQ(Code(), "invalid_utf8 text");
    request.text = "?! ...";
    EXPECT_EQ(Code(), "text_not_speakable text");
    request.text = std::string(5001, 'a');
    EXPECT_EQ(Code(), "text_too_long text");
    request.max_characters = 10;
    request.text_field = "input";
    request.text = "eleven char";
    EXPECT_EQ(Code(), "text_too_long input");
    request.text = "ten chars!";
    EXPECT_EQ(Code(), "voice alloy");
    request.speed = 4.1;
    EXPECT_EQ(Code(), "out_of_range speed");
    request.speed = std::numeric_limits<double>::quiet_NaN();
    EXPECT_EQ(Code(), "out_of_range speed");
    request.speed = 1;
    request.pitch = -13;
    EXPECT_EQ(Code(), "out_of_range pitch");
    request.pitch = 0;
    request.volume = 11;
    EXPECT_EQ(Code(), "out_of_range volume");
    request.volume = 0;
    request.sample_rate = 12345;
    EXPECT_EQ(Code(), "unsupported_sample_rate sample_rate");
}

TEST_F(PlanTest, GivesTheEngineWhatItCanAndKeepsTheRest) {
    request.speed = 4;
    request.pitch = 5;
    request.volume = -6;
    const auto plan = MakePlan(request, catalogue, options);
    ASSERT_TRUE(plan);
    EXPECT_DOUBLE_EQ(plan->styles[0].engine_speed, 2);
    EXPECT_DOUBLE_EQ(plan->styles[0].stretch_speed, 2);
    EXPECT_DOUBLE_EQ(plan->styles[0].engine_pitch, 0);
    EXPECT_DOUBLE_EQ(plan->styles[0].stretch_pitch, 5);
    EXPECT_DOUBLE_EQ(plan->styles[0].gain_db, -3);
    ASSERT_EQ(plan->text.segments.size(), 2U);
    EXPECT_EQ(plan->text.segments[1].before, text::Pause::kSentence);
}

TEST(LanguageTags, AreChecked) {
    for (const char* tag : {"en", "en-US", "zh-Hant-TW", "sr-Latn", "es-419", "yue"}) {
        EXPECT_TRUE(IsLanguageTag(tag)) << tag;
    }
    for (const char* tag : {"", "e", "en-", "-en", "en--US", "en_US", "123", "en US", "abcdefghi",
                            "en-abcdefghi", "é"}) {
        EXPECT_FALSE(IsLanguageTag(tag)) << tag;
    }
}

TEST(Timeline, StaysMonotoneAndInsideTheAudio) {
    Timeline timeline;
    TimelineBuilder builder(timeline);
    text::Composition text;
    text::Segment segment;
    segment.text = "a b c";
    segment.mapped = text::MappedText::Of(segment.text);
    segment.end = 5;
    for (std::size_t i = 0; i < 5; ++i) {
        text.characters.push_back({i, i + 1, segment.text.substr(i, 1)});
    }
    const auto word = [](std::uint32_t at) {
        engines::TimingEvent event;
        event.text_begin = at;
        event.text_end = at + 1;
        return event;
    };
    builder.AddText(text, 0);
    builder.StartSegment(segment, "");
    builder.Add(word(0), 0, 0.5);
    builder.Add(word(2), 0.4, 0.3);
    builder.Add(word(4), 0.9, 2);
    builder.EndSegment(0, 2);
    builder.Close(1.5);
    for (const auto* list : {&timeline.words, &timeline.characters}) {
        double last = 0;
        for (const TimelineItem& item : *list) {
            EXPECT_GE(item.start_seconds, last);
            EXPECT_GE(item.end_seconds, item.start_seconds);
            last = item.end_seconds;
        }
        EXPECT_DOUBLE_EQ(last, 1.5);
    }
    EXPECT_EQ(timeline.words.size(), 3U);
    EXPECT_EQ(timeline.characters.size(), 5U);
}

TEST_F(CorridorTest, EveryWordIsFoundInTheCallersText) {
    const std::string text = "Caf\xc3\xa9 \xe2\x80\x9cquoted\xe2\x80\x9d words. And $12.50 more.";
    const Spoken spoken = Speak(Request("slt", text));
    ASSERT_EQ(spoken.error, "");
    std::vector<std::string> words;
    double last = 0;
    for (const TimelineItem& item : spoken.speech->timeline.words) {
        ASSERT_LE(item.text_begin, item.text_end);
        ASSERT_LE(item.text_end, text.size());
        EXPECT_GE(item.start_seconds, last);
        last = item.end_seconds;
        words.push_back(text.substr(item.text_begin, item.text_end - item.text_begin));
    }
    ASSERT_GE(words.size(), 6U);
    EXPECT_NE(words.front().find("Caf\xc3\xa9"), std::string::npos) << words.front();
    EXPECT_NE(words.back().find("more"), std::string::npos) << words.back();
    EXPECT_LE(last, spoken.speech->seconds());
    EXPECT_GT(last, spoken.speech->seconds() - 1);
    EXPECT_EQ(spoken.body.size(), 2 * spoken.speech->samples);
}

// Where the samples of the finished audio are loud: the clicks.
std::vector<double> ClickSeconds(const std::string& pcm, int rate) {
    std::vector<double> clicks;
    for (std::size_t i = 0; i + 1 < pcm.size(); i += 2) {
        const auto low = static_cast<unsigned char>(pcm[i]);
        const auto sample = static_cast<std::int16_t>(low | pcm[i + 1] << 8);
        const double at = static_cast<double>(i) / 2 / rate;
        if (std::abs(sample) > 1500 && (clicks.empty() || at - clicks.back() > 0.05)) {
            clicks.push_back(at);
        }
    }
    return clicks;
}

class ClickTrain : public CorridorTest, public testing::WithParamInterface<double> {};

TEST_P(ClickTrain, TimesHoldThroughTheWholeChain) {
    SpeechRequest request = Request("fake-clicks", "One two three. Four five six.");
    request.speed = GetParam();
    const Spoken spoken = Speak(request);
    ASSERT_EQ(spoken.error, "");
    const std::vector<double> clicks = ClickSeconds(spoken.body, 24000);
    std::vector<double> words;
    for (const TimelineItem& item : spoken.speech->timeline.words) {
        words.push_back(item.start_seconds);
    }
    ASSERT_EQ(words.size(), 6U);
    ASSERT_EQ(clicks.size(), 6U);
    for (std::size_t i = 0; i < 6; ++i) {
        EXPECT_NEAR(words[i], clicks[i], GetParam() == 1 ? 0.005 : 0.03) << i;
    }
}

INSTANTIATE_TEST_SUITE_P(Speeds, ClickTrain, testing::Values(1.0, 1.5, 0.75));

TEST_F(CorridorTest, AFailureBecomesAnErrorNotACutBody) {
    EXPECT_EQ(Speak(Request("fake-crash", "This breaks.")).error, "engine_failed");
}

TEST_F(CorridorTest, AbandoningStopsTheWork) {
    std::string text;
    for (int i = 0; i < 100; ++i) text += "A sentence that nobody wants. ";
    const auto started = std::chrono::steady_clock::now();
    const Spoken spoken = Speak(Request("slt", text), true);
    EXPECT_EQ(spoken.error, "");
    EXPECT_LT(std::chrono::steady_clock::now() - started, std::chrono::seconds(20));
}

TEST_F(CorridorTest, AWholeReplyTooLargeIsRefused) {
    options.max_whole_bytes = 1000;
    SpeechService small(loop, engines, dsp, options);
    auto speak = [](engines::Engines* started_engines,
                    SpeechService* service) -> Task<std::string> {
        co_await started_engines->Start();
        auto started = co_await service->Start(Request("slt", "More than a thousand bytes."));
        auto body = co_await service->Collect(*started);
        while (service->at_work() > 0) co_await Sleep(std::chrono::milliseconds(1));
        co_await started_engines->Stop();
        if (body) co_return "";
        co_return body.error().code();
    };
    EXPECT_EQ(RunTask(loop, speak(&engines, &small)), "audio_too_long");
}

TEST_F(CorridorTest, SaysSoBeforeTheEnginesAreUp) {
    auto started = RunTask(loop, service.Start(Request("slt", "Too early.")));
    ASSERT_FALSE(started);
    EXPECT_EQ(started.error().code(), "engines_starting");
    EXPECT_TRUE(started.error().retry_after());
}

}  // namespace
}  // namespace vf::speech

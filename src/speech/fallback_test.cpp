// Who speaks in whose place.
#include <gtest/gtest.h>

#include "engines/speaker.hpp"
#include "engines/unknown_voices.hpp"
#include "speech/corridor_testing.hpp"
#include "speech/fallback.hpp"

namespace vf::speech {
namespace {

class Mute final : public engines::Speaker {
public:
    Task<Result<std::unique_ptr<engines::Utterance>>> Speak(engines::SegmentRequest) override {
        co_return Error();
    }
};

engines::Voice Voice(std::string id, std::vector<std::string> languages,
                     std::string technology = "formant", std::string quality = "standard") {
    engines::Voice voice;
    voice.id = std::move(id);
    voice.languages = std::move(languages);
    voice.technology = std::move(technology);
    voice.quality = std::move(quality);
    return voice;
}

engines::Voice VendorVoice(const std::string& connection, const std::string& id,
                           std::vector<std::string> languages, std::optional<int> fallback) {
    engines::Voice voice = Voice(connection + ":" + id, std::move(languages), "neural");
    voice.speaker = std::make_shared<Mute>();
    voice.deployment = connection;
    voice.fallback = fallback;
    return voice;
}

class FallbackTest : public testing::Test {
protected:
    FallbackTest() {
        catalogue.Add(Voice("alloy", {"en-US"}));
        catalogue.Add(Voice("espeak-de", {"de"}, "formant", "basic"));
    }
    void AddNeural() { catalogue.Add(Voice("piper", {"en-GB"}, "neural")); }
    engines::VoiceView View(std::vector<engines::Voice> own) {
        return {catalogue, std::make_shared<engines::TeamVoices>(std::move(own))};
    }
    std::string Preferred(const engines::VoiceView& view, std::string_view language = "") {
        const engines::Voice* voice = PreferredVoice(view, language, "alloy");
        return voice ? voice->id : "";
    }
    static std::string Order(Fallback fallback) {
        const Error away(ErrorKind::kUnavailable, "vendor_unavailable", "");
        std::string all;
        while (const auto next = fallback.Next(away)) all += *next + " ";
        return all;
    }

    engines::Catalogue catalogue;
};

TEST_F(FallbackTest, WithoutAVendorThatMayNothingChanges) {
    AddNeural();
    EXPECT_EQ(Preferred(catalogue), "");
    EXPECT_EQ(Preferred(View({VendorVoice("el", "a", {"en"}, std::nullopt)})), "");
    const engines::VoiceView view = View({VendorVoice("el", "a", {"en"}, std::nullopt)});
    EXPECT_EQ(Order(Fallback(view, *view.Find("el:a"), "en", "alloy")), "");
    EXPECT_EQ(Order(Fallback(view, *view.Find("piper"), "en", "alloy")), "");
    EXPECT_EQ(Order(Fallback()), "");
}

TEST_F(FallbackTest, NeuralBeforeVendorBeforeBuiltIn) {
    const engines::VoiceView view = View(
        {VendorVoice("second", "b", {"en", "fr"}, 2), VendorVoice("first", "a", {"en"}, 1),
         VendorVoice("first", "c", {"en"}, 1), VendorVoice("never", "d", {"en"}, std::nullopt)});
    EXPECT_EQ(Preferred(view), "first:a");
    EXPECT_EQ(Preferred(view, "fr-CA"), "second:b");
    EXPECT_EQ(Preferred(view, "de"), "") << "no vendor speaks it: as ever";
    EXPECT_EQ(Order(Fallback(view, *view.Find("first:a"), "", "alloy")), "second:b alloy ");
    EXPECT_EQ(Order(Fallback(view, *view.Find("never:d"), "en", "alloy")), "");
    EXPECT_EQ(Order(Fallback(view, *view.Find("alloy"), "en", "alloy")), "")
        << "the last one in the order";
    AddNeural();
    EXPECT_EQ(Preferred(view, "en"), "piper");
    EXPECT_EQ(Order(Fallback(view, *view.Find("piper"), "en", "alloy")), "first:a second:b alloy ");
    EXPECT_EQ(Order(Fallback(view, *view.Find("second:b"), "en", "alloy")), "first:a piper alloy ");
}

TEST_F(FallbackTest, OnlyWhatIsAwayIsReplaced) {
    const engines::VoiceView view = View({VendorVoice("el", "a", {"en"}, 1)});
    const std::vector<std::pair<Error, bool>> cases{
        {{ErrorKind::kUnavailable, "vendor_key_refused", ""}, true},
        {{ErrorKind::kUnavailable, "no_worker", ""}, true},
        {{ErrorKind::kRateLimited, "vendor_rate_limited", ""}, true},
        {{ErrorKind::kUnavailable, "stopping", ""}, false},
        {{ErrorKind::kInvalid, "vendor_refused", ""}, false},
        {{ErrorKind::kInternal, "internal_error", ""}, false},
    };
    for (const auto& [error, is_replaced] : cases) {
        Fallback fallback(view, *view.Find("el:a"), "en", "alloy");
        EXPECT_EQ(fallback.Next(error).has_value(), is_replaced) << error.code();
    }
}

TEST_F(FallbackTest, AnotherLanguageIsSpokenByWhoCan) {
    const engines::VoiceView view = View({VendorVoice("el", "a", {"en", "de"}, 1)});
    EXPECT_EQ(Order(Fallback(view, *view.Find("el:a"), "de", "alloy")), "espeak-de ");
}

// Speaks as a test says: so many chunks of 0.1 s, then the end or a failure.
struct Manner {
    int chunks = 3;
    bool fails = false;
    bool refuses = false;  // at once
    std::vector<engines::SegmentRequest> asked;
};

const Error kAway(ErrorKind::kUnavailable, "vendor_unavailable", "Away.");

class ScriptedUtterance final : public engines::Utterance {
public:
    explicit ScriptedUtterance(Manner& manner) : manner_(manner) {}
    int sample_rate() const override { return 24'000; }
    Task<Result<std::optional<engines::EngineChunk>>> Next() override {
        if (spoken_ == manner_.chunks && manner_.fails) co_return kAway;
        if (spoken_ == manner_.chunks) co_return std::optional<engines::EngineChunk>();
        ++spoken_;
        engines::EngineChunk chunk;
        chunk.samples.assign(2'400, 1'000);
        co_return std::optional<engines::EngineChunk>(std::move(chunk));
    }

private:
    Manner& manner_;
    int spoken_ = 0;
};

class ScriptedSpeaker final : public engines::Speaker {
public:
    explicit ScriptedSpeaker(Manner& manner) : manner_(manner) {}
    Task<Result<std::unique_ptr<engines::Utterance>>> Speak(
        engines::SegmentRequest request) override {
        manner_.asked.push_back(std::move(request));
        if (manner_.refuses) co_return kAway;
        std::unique_ptr<engines::Utterance> utterance =
            std::make_unique<ScriptedUtterance>(manner_);
        co_return std::move(utterance);
    }

private:
    Manner& manner_;
};

class InsteadTest : public CorridorTest {
protected:
    void Own(std::optional<int> fallback) {
        engines::Voice voice = VendorVoice("el", "a", {"en", "de"}, fallback);
        voice.engine = "elevenlabs";
        voice.sample_rate = 24'000;
        voice.speaker = std::make_shared<ScriptedSpeaker>(manner);
        voice.price_per_million = 3'000;
        voice.currency = "EUR";
        own.voices = std::make_shared<engines::TeamVoices>(std::vector<engines::Voice>{voice});
    }
    static SpeechRequest Ask(std::string text) {
        SpeechRequest request = Request("el:a", std::move(text));
        request.caller.kind = Caller::Kind::kDemo;
        return request;
    }
    Manner manner;
};

TEST_F(InsteadTest, ASpeakerSpeaksAndItsCostIsCounted) {
    Own(std::nullopt);
    SpeechRequest request = Ask("Eins. Zwei 2.");
    request.previous_text = "Before";
    request.next_text = "after.";
    const Spoken spoken = Speak(request);
    ASSERT_EQ(spoken.error, "");
    EXPECT_GE(spoken.body.size(), 2U * 2 * 3 * 2'400);
    EXPECT_EQ(spoken.speech->voice, "el:a");
    EXPECT_EQ(spoken.speech->engine, "elevenlabs");
    EXPECT_EQ(spoken.speech->deployment, "el");
    EXPECT_EQ(spoken.speech->vendor_micro, (5 + 7) * 3'000);
    EXPECT_EQ(spoken.speech->vendor_currency, "EUR");
    ASSERT_EQ(manner.asked.size(), 2U);
    EXPECT_EQ(manner.asked[0].text, "Eins.");
    EXPECT_EQ(manner.asked[0].previous_text, "Before");
    EXPECT_EQ(manner.asked[0].next_text, "Zwei 2.");
    EXPECT_EQ(manner.asked[1].next_text, "after.");
    EXPECT_EQ(manner.asked[1].language, "");
}

class InsteadAt : public InsteadTest, public testing::WithParamInterface<bool> {};

TEST_P(InsteadAt, AnotherBeginsWhatCouldNot) {
    Own(1);
    manner.refuses = GetParam();
    manner.chunks = 0;
    manner.fails = true;
    SpeechRequest request = Ask("<speak><break time='1s'/>Hello there.</speak>");
    request.markup = Markup::kSsml;
    const Spoken spoken = Speak(request);
    ASSERT_EQ(spoken.error, "");
    EXPECT_EQ(spoken.speech->engine, "flite");
    EXPECT_EQ(spoken.speech->deployment, "");
    EXPECT_EQ(spoken.speech->vendor_micro, 0);
    ASSERT_EQ(spoken.speech->warnings.size(), 1U);
    EXPECT_NE(spoken.speech->warnings[0].find("el:a"), std::string::npos);
    EXPECT_GT(spoken.body.size(), 2U * 24'000 * 3 / 2);
    EXPECT_EQ(manner.asked.size(), 1U);
}

INSTANTIATE_TEST_SUITE_P(AtOnceOrBeforeAudio, InsteadAt, testing::Bool());

TEST_F(InsteadTest, NobodyGoesOnInTheMiddle) {
    Own(1);
    manner.fails = true;
    EXPECT_EQ(Speak(Ask("Hello there.")).error, "vendor_unavailable");
}

TEST_F(InsteadTest, WithoutAnOrderTheErrorStands) {
    Own(std::nullopt);
    manner.refuses = true;
    EXPECT_EQ(Speak(Ask("Hello there.")).error, "vendor_unavailable");
}

TEST_F(InsteadTest, NobodysCallerDoesNotKnowTheVoice) {
    Own(1);
    EXPECT_EQ(Speak(Request("el:a", "Hello.")).error, "voice_not_found");
}

TEST_F(InsteadTest, AnotherTeamDoesNotKnowTheVoice) {
    EXPECT_EQ(Speak(Ask("Hello.")).error, "voice_not_found");
}

TEST_F(InsteadTest, WhatCannotBeReadIsNotWhatIsNotThere) {
    own.voices = engines::UnknownVoices();
    EXPECT_EQ(Speak(Ask("Hello.")).error, "voices_unavailable");
}

TEST_F(InsteadTest, WhatIsThereSpeaksAllTheSame) {
    own.voices = engines::UnknownVoices();
    SpeechRequest request = Ask("Hello.");
    request.voice = "slt";
    EXPECT_EQ(Speak(request).error, "");
}

}  // namespace
}  // namespace vf::speech

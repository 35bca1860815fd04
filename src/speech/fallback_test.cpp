// Who speaks in whose place.
#include <gtest/gtest.h>

#include "engines/speaker.hpp"
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

}  // namespace
}  // namespace vf::speech

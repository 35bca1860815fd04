// The real engines: what they speak, when they say it happens, and what they must not do.
#include <algorithm>
#include <cmath>
#include <set>

#include "engines/engines_fixture.hpp"
#include "engines/protocol.hpp"

namespace vf::engines {
namespace {

const std::vector<std::string> kOpenAiNames{"alloy", "ash",   "ballad", "coral", "echo",
                                            "fable", "nova",  "onyx",   "sage",  "shimmer",
                                            "verse", "marin", "cedar"};

double Level(const std::vector<std::int16_t>& samples, std::size_t begin, std::size_t end) {
    double sum = 0;
    for (std::size_t i = begin; i < std::min(end, samples.size()); ++i) {
        sum += static_cast<double>(samples[i]) * samples[i];
    }
    return end > begin ? std::sqrt(sum / static_cast<double>(end - begin)) : 0;
}

// What must hold of every event list.
void ExpectSound(const Spoken& spoken, const std::string& text) {
    std::uint64_t word_start = 0;
    for (const TimingEvent& event : spoken.events) {
        EXPECT_LE(event.text_begin, event.text_end);
        EXPECT_LE(event.text_end, text.size());
        EXPECT_LE(event.start_sample, event.end_sample);
        EXPECT_LE(event.start_sample, spoken.samples.size());
        if (event.kind != TimingEvent::kWord) continue;
        EXPECT_GE(event.start_sample, word_start);
        word_start = event.start_sample;
    }
}

std::vector<TimingEvent> WordsOf(const Spoken& spoken) {
    std::vector<TimingEvent> words;
    std::ranges::copy_if(spoken.events, std::back_inserter(words),
                         [](const TimingEvent& e) { return e.kind == TimingEvent::kWord; });
    return words;
}

class FliteVoices : public EnginesTest {
protected:
    FliteVoices() { options_.enable = "flite"; }
};

TEST_F(FliteVoices, HaveTheBaseVoicesAndTheThirteenNames) {
    Start();
    for (const std::string& name : kOpenAiNames) {
        ASSERT_NE(engines_->catalogue().Find(name), nullptr) << name;
        EXPECT_NE(engines_->catalogue().Find(name)->gain_db, 0) << name << " is not measured";
    }
    for (const char* name : {"slt", "rms", "awb", "kal16"}) {
        EXPECT_NE(engines_->catalogue().Find(name), nullptr) << name;
    }
    EXPECT_EQ(engines_->catalogue().Find("kal"), nullptr) << "8 kHz, dear and dull";
}

TEST_F(FliteVoices, EachSpeaksAudiblyWithItsWords) {
    Start();
    const std::string text = "Hello there, big world.";
    for (const Voice* voice : engines_->catalogue().All()) {
        const Spoken spoken = Speak(voice->id, text);
        ASSERT_TRUE(spoken.complete) << voice->id << spoken.error;
        EXPECT_GT(spoken.samples.size(), 16'000U) << voice->id;
        EXPECT_GT(Level(spoken.samples, 0, spoken.samples.size()), 300) << voice->id;
        const auto words = WordsOf(spoken);
        ASSERT_EQ(words.size(), 4U) << voice->id;
        EXPECT_EQ(text.substr(words[3].text_begin, words[3].text_end - words[3].text_begin),
                  "world");
        EXPECT_GT(Level(spoken.samples, words[3].start_sample, words[3].end_sample), 200)
            << voice->id << ": there is sound where the word is said to be";
        ExpectSound(spoken, text);
    }
    EXPECT_EQ(Stats().restarts, 0U);
}

TEST_F(FliteVoices, WordsOfOneTokenShareItsRange) {
    Start();
    const std::string text = "It costs $12.50 today";
    const auto words = WordsOf(Speak("slt", text));
    ASSERT_GE(words.size(), 6U);
    std::size_t in_price = 0;
    for (const TimingEvent& word : words) {
        if (text.substr(word.text_begin, word.text_end - word.text_begin).find("12") !=
            std::string::npos) {
            ++in_price;
        }
    }
    EXPECT_GE(in_price, 3U);
    EXPECT_EQ(words.back().label, "today");
    EXPECT_EQ(words.back().text_begin, 16U);
}

TEST_F(FliteVoices, SpeedAndPitchAreObeyedByEveryBase) {
    Start();
    const std::string text = "The quick brown fox jumps over the lazy dog.";
    for (const std::string voice : {"slt", "rms", "awb", "kal16"}) {
        const double normal = static_cast<double>(Speak(voice, text).samples.size());
        const Spoken fast = Speak({.voice = voice, .text = text, .speed = 2});
        const Spoken slow = Speak({.voice = voice, .text = text, .speed = 0.5});
        EXPECT_NEAR(static_cast<double>(fast.samples.size()) / normal, 0.5, 0.1) << voice;
        EXPECT_NEAR(static_cast<double>(slow.samples.size()) / normal, 2.0, 0.2) << voice;
        const Spoken after = Speak(voice, text);
        EXPECT_NEAR(static_cast<double>(after.samples.size()) / normal, 1, 0.01)
            << voice << ": nothing is left of the last request";
    }
}

TEST_F(FliteVoices, StreamWithASmallFirstChunk) {
    Start();
    auto utterance = Begin("slt", "The first chunk is short.");
    ASSERT_TRUE(utterance);
    auto first = Run((*utterance)->Next());
    ASSERT_TRUE(first && *first);
    EXPECT_GE((*first)->samples.size(), 320U);
    EXPECT_LE((*first)->samples.size(), 640U);
    EXPECT_FALSE((*first)->events.empty()) << "words come with the first audio";
}

TEST_F(FliteVoices, SurviveWhateverTextFits) {
    Start();
    for (const std::string& text :
         {std::string(kMaxTextBytes, '7'), std::string(kMaxTextBytes, 'a'), std::string(" \n\t "),
          std::string("...!?"), std::string("\xF0\x9F\x98\x80 \xE4\xBD\xA0\xE5\xA5\xBD"),
          std::string("http://x/y.flitevox <speak>&amp;</speak>"), std::string("\x01\x02\x7F")}) {
        const Spoken spoken = Speak("slt", text);
        EXPECT_TRUE(spoken.complete || spoken.error == "token_too_long") << spoken.error;
        if (spoken.complete) ExpectSound(spoken, text);
    }
    std::string digits;
    while (digits.size() + 2 <= kMaxTextBytes) digits += "7 ";
    EXPECT_EQ(Speak("slt", digits).error, "segment_too_long");
    EXPECT_EQ(Speak("kal16", digits).error, "segment_too_long");
    EXPECT_TRUE(Speak("slt", "Still here.").complete);
    EXPECT_EQ(Stats().restarts, 0U);
}

TEST_F(FliteVoices, CancelFreesTheWorkerWithoutLosingIt) {
    options_.cancel_grace = std::chrono::seconds(20);
    Start();
    std::string text;
    while (text.size() < 400) text += "and so it went on and on ";
    auto utterance = Begin("rms", text);
    ASSERT_TRUE(utterance);
    ASSERT_TRUE(Run((*utterance)->Next()));
    utterance->reset();
    Until([&] { return Stats().idle == 1; });
    EXPECT_EQ(Stats().restarts, 0U);
    EXPECT_EQ(Stats().segments, 0U);
}

class EspeakVoices : public EnginesTest {
protected:
    EspeakVoices() { options_.enable = "espeak"; }
    void SetUp() override {
        if (!std::filesystem::exists(options_.worker_dir + "/voiceflow-worker-espeak")) {
            GTEST_SKIP() << "built without espeak-ng";
        }
        Start();
        ASSERT_TRUE(engines_->ready());
    }
};

TEST_F(EspeakVoices, CoverMoreThanAHundredLanguages) {
    EXPECT_GT(engines_->catalogue().All().size(), 100U);
    const Voice* german = engines_->catalogue().Find("espeak-de");
    ASSERT_NE(german, nullptr);
    EXPECT_EQ(german->languages, std::vector<std::string>{"de"});
    EXPECT_EQ(german->quality, "basic");
    EXPECT_EQ(german->licence, "GPL-3.0-or-later");
    const Voice* british = engines_->catalogue().Find("espeak-en-gb");
    ASSERT_NE(british, nullptr);
    EXPECT_EQ(british->languages, std::vector<std::string>{"en-GB"});
}

TEST_F(EspeakVoices, SpeakWithTheRangesOfTheirWords) {
    const std::string text = "Gr\xC3\xBC\xC3\x9F Gott, sch\xC3\xB6ne Welt";
    const Spoken spoken = Speak("espeak-de", text);
    ASSERT_TRUE(spoken.complete) << spoken.error;
    EXPECT_GT(Level(spoken.samples, 0, spoken.samples.size()), 500);
    const auto words = WordsOf(spoken);
    ASSERT_EQ(words.size(), 4U);
    EXPECT_EQ(words[2].label, "sch\xC3\xB6ne");
    EXPECT_EQ(words[3].text_end, text.size());
    EXPECT_GT(spoken.events.size(), words.size() + 10) << "phonemes too";
    ExpectSound(spoken, text);
}

TEST_F(EspeakVoices, NeverReadMarkup) {
    const std::string pwned = "/tmp/vf_pwned";
    std::filesystem::remove(pwned);
    const std::string text = "<speak><audio src=\"/tmp/x;touch /tmp/vf_pwned\"/></speak>";
    const Spoken spoken = Speak("espeak-en-us", text);
    EXPECT_TRUE(spoken.complete) << spoken.error;
    EXPECT_GT(spoken.samples.size(), 22'050U) << "it is spoken as text";
    EXPECT_FALSE(std::filesystem::exists(pwned));
    // As phonemes, these would be one short word.
    EXPECT_GT(WordsOf(Speak("espeak-en-us", "[[h@'loU h@'loU h@'loU]]")).size(), 1U);
}

TEST_F(EspeakVoices, ForgetTheLastRequest) {
    const std::string text = "Good morning to all of you.";
    const double before = static_cast<double>(Speak("espeak-en-us", text).samples.size());
    EXPECT_TRUE(
        Speak({.voice = "espeak-fr-fr", .text = "Bonjour", .speed = 2, .pitch = 6}).complete);
    const double after = static_cast<double>(Speak("espeak-en-us", text).samples.size());
    EXPECT_NEAR(after / before, 1, 0.05);
    const Spoken fast = Speak({.voice = "espeak-en-us", .text = text, .speed = 1.5});
    EXPECT_NEAR(static_cast<double>(fast.samples.size()) / before, 1 / 1.5, 0.12);
}

TEST_F(EspeakVoices, SurviveWhateverTextFits) {
    for (const std::string& text :
         {std::string(2'000, '7'), std::string(kMaxTextBytes, 'a'), std::string(" \n"),
          std::string("\xF0\x9F\x98\x80"), std::string("\x01[[_:\x02")}) {
        const Spoken spoken = Speak("espeak-en-us", text);
        EXPECT_TRUE(spoken.complete || spoken.error == "segment_too_long") << spoken.error;
        ExpectSound(spoken, text);
    }
    EXPECT_TRUE(Speak("espeak-en-us", "Still here.").complete);
    EXPECT_EQ(Stats().restarts, 0U);
}

TEST_F(EspeakVoices, EveryVoiceSpeaks) {
    for (const Voice* voice : engines_->catalogue().All()) {
        const Spoken spoken = Speak(voice->id, "1 2 3");
        EXPECT_TRUE(spoken.complete) << voice->id << " " << spoken.error;
        EXPECT_FALSE(spoken.samples.empty()) << voice->id;
    }
    EXPECT_EQ(Stats().restarts, 0U);
}

}  // namespace
}  // namespace vf::engines

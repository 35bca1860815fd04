// What the real engines make of phonemes, of a wider or narrower range of pitch, and of a seed.
#include <algorithm>
#include <cmath>
#include <random>

#include "engines/engines_fixture.hpp"
#include "engines/protocol.hpp"

namespace vf::engines {
namespace {

std::vector<TimingEvent> WordsOf(const Spoken& spoken) {
    std::vector<TimingEvent> words;
    std::ranges::copy_if(spoken.events, std::back_inserter(words),
                         [](const TimingEvent& e) { return e.kind == TimingEvent::kWord; });
    return words;
}

// The names of the phonemes within a range of the text, and the range's own.
std::string PhonemesOf(const Spoken& spoken, std::size_t begin, std::size_t end) {
    std::string names;
    for (const TimingEvent& event : spoken.events) {
        if (event.kind != TimingEvent::kPhoneme || event.text_begin != begin ||
            event.text_end != end) {
            continue;
        }
        names += (names.empty() ? "" : " ") + event.label;
    }
    return names;
}

// F0 of one frame by normalised autocorrelation; 0: not voiced.
double PitchOf(std::span<const std::int16_t> frame, int rate) {
    const auto at = [&](std::size_t i) { return static_cast<double>(frame[i]); };
    const std::size_t half = frame.size() / 2;
    double energy = 0;
    for (std::size_t i = 0; i < half; ++i) energy += at(i) * at(i);
    if (energy / static_cast<double>(half) < 400 * 400) return 0;
    double best = 0;
    std::size_t best_lag = 0;
    for (auto lag = static_cast<std::size_t>(rate / 400); lag <= half; ++lag) {
        double product = 0, other = 0;
        for (std::size_t i = 0; i < half; ++i) {
            product += at(i) * at(i + lag);
            other += at(i + lag) * at(i + lag);
        }
        const double r = product / std::sqrt(energy * other + 1);
        // The first of nearly equal peaks, not its double.
        if (r > best * 1.03) {
            best = r;
            best_lag = lag;
        }
    }
    return best > 0.8 ? rate / static_cast<double>(best_lag) : 0;
}

// Standard deviation of F0 in semitones, over the voiced frames within an octave of the median.
double PitchSpread(const std::vector<std::int16_t>& samples, int rate) {
    const auto size = static_cast<std::size_t>(rate / 20), hop = size / 4;
    std::vector<double> semitones;
    for (std::size_t at = 0; at + size <= samples.size(); at += hop) {
        const double hz = PitchOf(std::span(samples).subspan(at, size), rate);
        if (hz > 0) semitones.push_back(12 * std::log2(hz));
    }
    if (semitones.empty()) return 0;
    std::ranges::sort(semitones);
    const double median = semitones[semitones.size() / 2];
    std::erase_if(semitones, [&](double s) { return std::abs(s - median) > 10; });
    double mean = 0, sum = 0;
    for (const double s : semitones) mean += s / static_cast<double>(semitones.size());
    for (const double s : semitones) sum += (s - mean) * (s - mean);
    return std::sqrt(sum / static_cast<double>(semitones.size()));
}

constexpr const char* kTalk =
    "Why would anyone want a really long, slow and boring morning? We were all away, and nobody "
    "ever knew who won.";

class FlitePhones : public EnginesTest {
protected:
    FlitePhones() { options_.enable = "flite"; }
};

TEST_F(FlitePhones, TakeThePlaceOfTheLexicon) {
    Start();
    const std::string text = "I said tomato, and he said tomato again.";
    for (const std::string voice : {"slt", "rms", "awb", "kal16"}) {
        const Spoken spoken =
            Speak({.voice = voice, .text = text, .pronunciations = {{7, 13, "p aa1 t ow0"}}});
        ASSERT_TRUE(spoken.complete) << voice << spoken.error;
        EXPECT_EQ(PhonemesOf(spoken, 7, 13), "p aa t ow") << voice;
        EXPECT_EQ(PhonemesOf(spoken, 27, 33), "t ax m ey t ow") << voice << ": the other one";
        EXPECT_EQ(PhonemesOf(spoken, 34, 39), "ax g eh n") << voice;
        const auto words = WordsOf(spoken);
        ASSERT_EQ(words.size(), 8U) << voice;
        EXPECT_EQ(words[2].label, "tomato");
        const Spoken after = Speak(voice, text);
        EXPECT_EQ(PhonemesOf(after, 7, 13), "t ax m ey t ow") << voice << ": nothing is left";
    }
}

TEST_F(FlitePhones, KeepThePunctuationAroundThem) {
    Start();
    const std::string text = "He (that is Bo), I mean Bo; Bo Bo.";
    const Spoken spoken =
        Speak({.voice = "slt",
               .text = text,
               .pronunciations = {
                   {12, 14, "b iy1"}, {24, 26, "b iy1"}, {28, 30, "b iy1"}, {31, 33, "b iy1"}}});
    ASSERT_TRUE(spoken.complete) << spoken.error;
    for (const auto& [begin, end] : {std::pair{12, 14}, {24, 26}, {28, 30}, {31, 33}}) {
        EXPECT_EQ(
            PhonemesOf(spoken, static_cast<std::size_t>(begin), static_cast<std::size_t>(end)),
            "b iy")
            << begin;
    }
    const auto pauses = std::ranges::count(spoken.events, "pau", &TimingEvent::label);
    EXPECT_GE(pauses, 3) << "the comma and the semicolon are heard";
}

TEST_F(FlitePhones, MayStandForPhrasesAndPartsOfWords) {
    Start();
    const std::string text = "New York is unbelievable";
    const Spoken spoken = Speak({.voice = "slt",
                                 .text = text,
                                 .pronunciations = {{0, 8, "n uw1 y ao1 r k"}, {14, 21, "b ow1"}}});
    ASSERT_TRUE(spoken.complete) << spoken.error;
    EXPECT_EQ(PhonemesOf(spoken, 0, 8), "n uw y ao r k");
    EXPECT_EQ(PhonemesOf(spoken, 9, 11), "ih z");
    EXPECT_EQ(PhonemesOf(spoken, 14, 21), "b ow");
    const auto words = WordsOf(spoken);
    ASSERT_EQ(words.size(), 5U);
    EXPECT_EQ(words[2].text_begin, 12U);
    EXPECT_EQ(words[2].text_end, 14U);
    EXPECT_EQ(words[4].text_end, text.size());
}

TEST_F(FlitePhones, RefuseWhatIsNone) {
    Start();
    for (const char* phones : {"xx", "pau", "h#", "ax2", "t1", " ", "AA1", "aa1,t", "b iy1 q"}) {
        const Spoken spoken =
            Speak({.voice = "slt", .text = "Hello", .pronunciations = {{0, 5, phones}}});
        EXPECT_EQ(spoken.error, "invalid_pronunciation") << phones;
    }
    EXPECT_EQ(Speak({.voice = "slt", .text = "Hello", .pronunciations = {{0, 9, "ax"}}}).error,
              "invalid_pronunciation");
    std::vector<Pronunciation> many;
    std::string text;
    for (std::uint32_t i = 0; i < kMaxPronunciations; ++i) {
        std::string phones;
        for (int k = 0; k < 130; ++k) phones += "ax ";
        many.push_back({2 * i, 2 * i + 1, phones});
        text += "a ";
    }
    EXPECT_EQ(Speak({.voice = "slt", .text = text, .pronunciations = many}).error,
              "invalid_pronunciation");
    EXPECT_EQ(Stats().restarts, 0U);
}

TEST_F(FlitePhones, SurviveAnySequence) {
    Start();
    const std::vector<std::string> phones{
        "aa1", "ae0", "ah", "ao1", "aw", "ax", "ay1", "eh", "er", "ey1", "ih", "iy", "ow1", "oy",
        "uh",  "uw1", "b",  "ch",  "d",  "dh", "f",   "g",  "hh", "jh",  "k",  "l",  "m",   "n",
        "ng",  "p",   "r",  "s",   "sh", "t",  "th",  "v",  "w",  "y",   "z",  "zh"};
    std::mt19937 random(5);
    for (const std::string voice : {"slt", "rms", "awb", "kal16"}) {
        for (int round = 0; round < 20; ++round) {
            std::string list;
            for (int i = 0; i < 1 + round; ++i) list += phones[random() % phones.size()] + " ";
            const Spoken spoken =
                Speak({.voice = voice, .text = "So x it is", .pronunciations = {{3, 4, list}}});
            EXPECT_TRUE(spoken.complete) << voice << ": " << list << spoken.error;
            const std::string said = PhonemesOf(spoken, 3, 4);
            EXPECT_EQ(std::ranges::count(said, ' '), round) << voice << ": " << list;
        }
    }
    EXPECT_EQ(Stats().restarts, 0U);
}

TEST_F(FlitePhones, RangeOfPitchIsObeyedByEveryBase) {
    Start();
    for (const std::string voice : {"slt", "rms", "awb", "kal16"}) {
        double last = 0;
        const Voice* known = engines_->catalogue().Find(voice);
        ASSERT_NE(known, nullptr);
        for (const double factor :
             {known->pitch_range_min, 0.5, 1.0, 1.5, known->pitch_range_max}) {
            const Spoken spoken = Speak({.voice = voice, .text = kTalk, .pitch_range = factor});
            const double spread = PitchSpread(spoken.samples, 16'000);
            EXPECT_GT(spread, last * 1.05) << voice << " at " << factor;
            RecordProperty(voice + std::to_string(factor), std::to_string(spread));
            last = spread;
        }
    }
}

TEST_F(FlitePhones, SeedMakesTheSameSamples) {
    Start();
    for (const std::string voice : {"slt", "rms", "awb", "kal16"}) {
        const auto say = [&](std::optional<std::uint32_t> seed) {
            return Speak({.voice = voice, .text = "Hello there.", .seed = seed}).samples;
        };
        const auto first = say(7);
        (void)say(std::nullopt);
        EXPECT_EQ(say(7), first) << voice;
        // Joined diphones have no noise of their own.
        if (voice != "kal16") EXPECT_NE(say(8), first) << voice;
    }
}

class EspeakPhonemes : public EnginesTest {
protected:
    EspeakPhonemes() { options_.enable = "espeak"; }
    void SetUp() override {
        if (!std::filesystem::exists(options_.worker_dir + "/voiceflow-worker-espeak")) {
            GTEST_SKIP() << "built without espeak-ng";
        }
        Start();
        ASSERT_TRUE(engines_->ready());
    }
};

TEST_F(EspeakPhonemes, TakeThePlaceOfTheRules) {
    const std::string text = "I said tomato, and he said tomato again.";
    const Spoken spoken =
        Speak({.voice = "espeak-en-us", .text = text, .pronunciations = {{7, 13, "p|'A:|t|oU"}}});
    ASSERT_TRUE(spoken.complete) << spoken.error;
    EXPECT_EQ(PhonemesOf(spoken, 7, 13), "p ɑː ɾ oʊ");
    EXPECT_EQ(PhonemesOf(spoken, 27, 33), "t ə m eɪ ɾ oʊ");
    EXPECT_EQ(PhonemesOf(spoken, 34, 39), "ɐ ɡ ɛ n");
    const auto words = WordsOf(spoken);
    ASSERT_EQ(words.size(), 8U);
    EXPECT_EQ(words[2].label, "tomato");
    EXPECT_EQ(words.back().label, "again");
    EXPECT_EQ(words.back().text_begin, 34U);
    EXPECT_EQ(PhonemesOf(Speak("espeak-en-us", text), 7, 13), "t ə m eɪ ɾ oʊ");
}

TEST_F(EspeakPhonemes, WorkInTextOfManyBytes) {
    const std::string text = "Der schöne Bär heißt Jörg und läuft.";
    const std::size_t at = text.find("Jörg");
    const auto begin = static_cast<std::uint32_t>(at), end = begin + 5;
    const Spoken spoken =
        Speak({.voice = "espeak-de", .text = text, .pronunciations = {{begin, end, "j|'E|n|s"}}});
    ASSERT_TRUE(spoken.complete) << spoken.error;
    EXPECT_EQ(PhonemesOf(spoken, begin, end), "j ɛ n s");
    const auto words = WordsOf(spoken);
    ASSERT_EQ(words.size(), 7U);
    EXPECT_EQ(words[4].label, "Jörg");
    EXPECT_EQ(words[6].label, "läuft");
    EXPECT_EQ(words[6].text_end, text.size() - 1);
}

TEST_F(EspeakPhonemes, CannotBeSmuggledInByTheText) {
    // As phonemes, "b'i:" would be two sounds.
    const std::string text = "[[b'i:]] [[[b'i:]]] x ]] [ [b'i:]";
    const auto plain = WordsOf(Speak("espeak-en-us", text));
    const std::size_t at = text.find('x');
    const auto begin = static_cast<std::uint32_t>(at);
    const Spoken spoken = Speak(
        {.voice = "espeak-en-us", .text = text, .pronunciations = {{begin, begin + 1, "s|'i:"}}});
    ASSERT_TRUE(spoken.complete) << spoken.error;
    EXPECT_EQ(PhonemesOf(spoken, begin, begin + 1), "s iː");
    EXPECT_EQ(WordsOf(spoken).size(), plain.size()) << "the rest is spoken as it was";
    const Spoken after = Speak("espeak-en-us", "[[b'i:]]");
    std::size_t phonemes = 0;
    for (const TimingEvent& event : after.events) phonemes += event.kind == TimingEvent::kPhoneme;
    EXPECT_GT(phonemes, 2U) << "and the next request's brackets are brackets";
    for (const char* phonemes_of_text : {"]]", "a]] <audio> [[b", "_^_fr", "a|[[b", "\\x", "ä"}) {
        EXPECT_EQ(Speak({.voice = "espeak-en-us",
                         .text = "x",
                         .pronunciations = {{0, 1, phonemes_of_text}}})
                      .error,
                  "invalid_pronunciation")
            << phonemes_of_text;
    }
    EXPECT_EQ(Stats().restarts, 0U);
}

TEST_F(EspeakPhonemes, NearSoundsStandForMissingOnes) {
    const auto say = [this](const std::string& voice, const std::string& phonemes) {
        return PhonemesOf(
            Speak({.voice = voice, .text = "x", .pronunciations = {{0, 1, phonemes}}}), 0, 1);
    };
    EXPECT_EQ(say("espeak-fr-fr", "l|'y|n"), "l y n");
    EXPECT_EQ(say("espeak-en-us", "l|'y|n"), "l u n") << "English has no y";
    EXPECT_EQ(say("espeak-es", "b|'aU|s"), "b aʊ s");
    EXPECT_NE(say("espeak-fr-fr", "b|'aU|s").find("s"), std::string::npos)
        << "what follows a missing sound is heard";
    for (const Voice* voice : engines_->catalogue().All()) {
        const Spoken spoken = Speak(
            {.voice = voice->id, .text = "x", .pronunciations = {{0, 1, "m|'a|n|'y|W|pF|i:"}}});
        EXPECT_TRUE(spoken.complete) << voice->id << spoken.error;
    }
    EXPECT_EQ(Stats().restarts, 0U);
}

TEST_F(EspeakPhonemes, EverySoundIsSpokenByTheMainLanguages) {
    // All that text/phonemes.hpp writes.
    const std::vector<std::string> mnemonics{
        "aI", "aU", "OI", "OY", "eI", "oU", "3:",  "A~",  "E~",  "O~",  "W~", "i",  "I",
        "I#", "y",  "u",  "U",  "e",  "E",  "Y",   "W",   "@",   "3",   "V",  "o",  "O",
        "A",  "0",  "a",  "a#", "tS", "dZ", "tS;", "dZ;", "ts",  "dz",  "p",  "f",  "n-",
        "m-", "l-", "N-", "r-", "b",  "t",  "d",   "k",   "g",   "c",   "J",  "q",  "?",
        "m",  "n",  "n.", "n^", "N",  "r",  "R",   "*",   "r\"", "Q\"", "v",  "B",  "T",
        "D",  "s",  "z",  "S",  "Z",  "S;", "Z;",  "s.",  "z.",  "x",   "C",  "J^", "h",
        "X",  "Q",  "j",  "w",  "w#", "v#", "l",   "L",   "l.",  "l^",  "l#"};
    for (const std::string voice : {"espeak-en-us", "espeak-en-gb", "espeak-de", "espeak-fr-fr",
                                    "espeak-es", "espeak-it", "espeak-pt", "espeak-pt-br"}) {
        for (const std::string& mnemonic : mnemonics) {
            const Spoken spoken = Speak({.voice = voice,
                                         .text = "x",
                                         .pronunciations = {{0, 1, "m|'a|" + mnemonic + "|a"}}});
            EXPECT_TRUE(spoken.complete) << voice << " " << mnemonic << spoken.error;
            const std::string said = PhonemesOf(spoken, 0, 1);
            EXPECT_GE(std::ranges::count(said, ' '), 2) << voice << " " << mnemonic << ": " << said;
        }
    }
    EXPECT_EQ(Stats().restarts, 0U);
}

TEST_F(EspeakPhonemes, OverflowNothing) {
    for (const char* unit : {"a", "'", "b|a|", "'a", "a ", "t|", "oU|", "'a|", "| ", "%%,,"}) {
        std::vector<Pronunciation> all;
        std::string text, phonemes = "a|";
        while (phonemes.size() + 4 <= kMaxPhonemesBytes) phonemes += unit;
        for (std::uint32_t i = 0; i < kMaxPronunciations; ++i) {
            all.push_back({2 * i, 2 * i + 1, phonemes});
            text += "x ";
        }
        const Spoken one =
            Speak({.voice = "espeak-en-us", .text = text, .pronunciations = {all[0]}});
        EXPECT_TRUE(one.complete || one.error == "invalid_pronunciation") << unit << one.error;
        const Spoken spoken = Speak({.voice = "espeak-en-us", .text = text, .pronunciations = all});
        EXPECT_TRUE(spoken.complete || spoken.error == "invalid_pronunciation" ||
                    spoken.error == "segment_too_long")
            << unit << spoken.error;
    }
    EXPECT_EQ(Stats().restarts, 0U);
}

TEST_F(EspeakPhonemes, LongClausesStayPhonemes) {
    std::string text, phonemes;
    std::vector<Pronunciation> all;
    for (int i = 0; i < 60; ++i) phonemes += "b|a|";
    for (std::uint32_t i = 0; i < 20; ++i) {
        all.push_back({10 * i, 10 * i + 1, phonemes});
        text += "x and what";
    }
    const Spoken spoken = Speak({.voice = "espeak-en-us", .text = text, .pronunciations = all});
    ASSERT_TRUE(spoken.complete) << spoken.error;
    for (const Pronunciation& one : all) {
        const std::string said = PhonemesOf(spoken, one.begin, one.end);
        EXPECT_EQ(std::ranges::count(said, 'b'), 60) << one.begin;
        EXPECT_EQ(said.find("iː"), std::string::npos) << "letters: " << said;
    }
}

TEST_F(EspeakPhonemes, RangeOfPitchIsObeyed) {
    double last = 0;
    const Voice* voice = engines_->catalogue().Find("espeak-en-us");
    ASSERT_NE(voice, nullptr);
    for (const double factor : {voice->pitch_range_min, 0.5, 1.0, 1.5, voice->pitch_range_max}) {
        const Spoken spoken = Speak({.voice = voice->id, .text = kTalk, .pitch_range = factor});
        const double spread = PitchSpread(spoken.samples, voice->sample_rate);
        EXPECT_GT(spread, last * 1.05) << factor;
        RecordProperty(voice->id + std::to_string(factor), std::to_string(spread));
        last = spread;
    }
}

TEST_F(EspeakPhonemes, EventsComeBeforeTheirAudio) {
    for (const std::string text :
         {"Hello there, big world. And incomprehensibilities were everywhere.", "1234567 89",
          "Wait... what?"}) {
        auto utterance = Begin("espeak-en-us", text);
        ASSERT_TRUE(utterance);
        std::uint64_t samples = 0;
        std::size_t chunks = 0;
        for (;;) {
            auto chunk = Run((*utterance)->Next());
            ASSERT_TRUE(chunk);
            if (!*chunk) break;
            for (const TimingEvent& event : (*chunk)->events) {
                EXPECT_GE(event.start_sample, samples) << event.label << ": its audio was first";
            }
            samples += (*chunk)->samples.size();
            ++chunks;
        }
        EXPECT_GT(chunks, 1U) << "and it is still a stream";
    }
}

}  // namespace
}  // namespace vf::engines

// The frames: what goes in comes out, and what breaks a rule is refused.
#include "engines/protocol.hpp"

#include <gtest/gtest.h>

namespace vf::engines {
namespace {

Frame OnlyFrame(const std::string& bytes) {
    FrameReader reader;
    reader.Feed(bytes);
    Result<std::optional<Frame>> frame = reader.Next();
    EXPECT_TRUE(frame && *frame);
    return frame && *frame ? std::move(**frame) : Frame{};
}

Hello MakeHello() {
    Hello hello{.engine = "flite", .version = "2.2", .licence = "BSD"};
    Voice voice;
    voice.id = "slt";
    voice.name = "Slt";
    voice.languages = {"en-US", "en"};
    voice.gender = "female";
    voice.engine = "flite";
    voice.quality = "standard";
    voice.sample_rate = 16'000;
    voice.gain_db = -3.5;
    voice.speed_max = 2;
    voice.pitch_min = -12;
    voice.pitch_range_min = 0.5;
    voice.pitch_range_max = 1.5;
    voice.phoneme_alphabet = "flite";
    voice.tells_times = false;
    voice.technology = "statistical";
    voice.age = "adult";
    voice.style = "clear";
    voice.is_limited = true;
    hello.voices.push_back(voice);
    return hello;
}

TEST(Protocol, HelloComesBack) {
    const Frame frame = OnlyFrame(EncodeHello(MakeHello()));
    EXPECT_EQ(frame.type, FrameType::kHello);
    const Result<Hello> hello = DecodeHello(frame.payload);
    ASSERT_TRUE(hello);
    ASSERT_EQ(hello->voices.size(), 1U);
    EXPECT_EQ(hello->voices[0].id, "slt");
    EXPECT_EQ(hello->voices[0].engine, "flite");
    EXPECT_EQ(hello->voices[0].languages, (std::vector<std::string>{"en-US", "en"}));
    EXPECT_DOUBLE_EQ(hello->voices[0].gain_db, -3.5);
    EXPECT_DOUBLE_EQ(hello->voices[0].pitch_range_min, 0.5);
    EXPECT_DOUBLE_EQ(hello->voices[0].pitch_range_max, 1.5);
    EXPECT_EQ(hello->voices[0].phoneme_alphabet, "flite");
    EXPECT_FALSE(hello->voices[0].tells_times);
    EXPECT_EQ(hello->voices[0].technology, "statistical");
    EXPECT_EQ(hello->voices[0].age, "adult");
    EXPECT_EQ(hello->voices[0].style, "clear");
    EXPECT_TRUE(hello->voices[0].is_limited);
}

TEST(Protocol, HelloIsCheckedStrictly) {
    Hello hello = MakeHello();
    hello.protocol = 2;
    EXPECT_FALSE(DecodeHello(OnlyFrame(EncodeHello(hello)).payload));
    for (const auto& spoil : std::vector<void (*)(Voice&)>{
             [](Voice& v) { v.id = "../etc"; }, [](Voice& v) { v.gender = "robot"; },
             [](Voice& v) { v.technology = "magic"; }, [](Voice& v) { v.age = "ageless"; },
             [](Voice& v) { v.style = std::string(65, 'x'); }, [](Voice& v) { v.sample_rate = 1; },
             [](Voice& v) { v.languages.clear(); }, [](Voice& v) { v.speed_min = 0; },
             [](Voice& v) { v.name = "a\nb"; }, [](Voice& v) { v.pitch_range_min = 1.1; },
             [](Voice& v) { v.pitch_range_max = 5; },
             [](Voice& v) { v.phoneme_alphabet = "A b"; }}) {
        hello = MakeHello();
        spoil(hello.voices[0]);
        EXPECT_FALSE(DecodeHello(OnlyFrame(EncodeHello(hello)).payload));
    }
    EXPECT_FALSE(DecodeHello("{}"));
    EXPECT_FALSE(DecodeHello("no json"));
}

TEST(Protocol, RequestComesBackAndIsChecked) {
    const Request request{"slt", "Gr\xC3\xBC\xC3\x9F \"dich\"\n", 1.5, -2, false};
    const Frame frame = OnlyFrame(EncodeRequest(7, request));
    EXPECT_EQ(frame.id, 7U);
    const Result<Request> back = DecodeRequest(frame.payload);
    ASSERT_TRUE(back);
    EXPECT_EQ(back->text, request.text);
    EXPECT_DOUBLE_EQ(back->speed, 1.5);
    EXPECT_FALSE(back->events);
    Request bad = request;
    bad.text = "\xFF\xFE";
    EXPECT_FALSE(DecodeRequest(OnlyFrame(EncodeRequest(1, bad)).payload)) << "invalid UTF-8";
    bad.text = std::string("a\0b", 3);
    EXPECT_FALSE(DecodeRequest(OnlyFrame(EncodeRequest(1, bad)).payload)) << "NUL";
    bad.text = std::string(kMaxTextBytes + 1, 'a');
    EXPECT_FALSE(DecodeRequest(OnlyFrame(EncodeRequest(1, bad)).payload)) << "too long";
    bad = request;
    bad.speed = 0;
    EXPECT_FALSE(DecodeRequest(OnlyFrame(EncodeRequest(1, bad)).payload)) << "speed";
}

TEST(Protocol, InputsComeBackWithoutTheirBytes) {
    Request request{"en", std::string(kMaxAlignedTextBytes, 'a')};
    request.input = Input{nullptr, kMaxInputBytes, 96'000, 600};
    const Result<Request> back = DecodeRequest(OnlyFrame(EncodeRequest(1, request)).payload);
    ASSERT_TRUE(back && back->input);
    EXPECT_EQ(back->input->size, kMaxInputBytes);
    EXPECT_EQ(back->input->sample_rate, 96'000);
    EXPECT_EQ(back->input->max_seconds, 600U);
    EXPECT_FALSE(back->input->bytes);
    const auto refused = [&](std::size_t size, int rate, std::uint32_t seconds) {
        request.input = Input{nullptr, size, rate, seconds};
        return !DecodeRequest(OnlyFrame(EncodeRequest(1, request)).payload);
    };
    EXPECT_TRUE(refused(0, 16'000, 600));
    EXPECT_TRUE(refused(kMaxInputBytes + 1, 16'000, 600));
    EXPECT_TRUE(refused(1, 7'999, 600));
    EXPECT_TRUE(refused(1, -1, 600));
    EXPECT_TRUE(refused(1, 16'000, 3'601));
    EXPECT_FALSE(refused(1, 0, 1));
    const Frame frame = OnlyFrame(EncodeInput(7, "bytes"));
    EXPECT_EQ(frame.type, FrameType::kInput);
    EXPECT_EQ(frame.payload, "bytes");
}

TEST(Protocol, PronunciationsRangeAndSeedComeBack) {
    Request request{"slt", "Gr\xC3\xBC\xC3\x9F dich"};
    request.pitch_range = 1.5;
    request.pronunciations = {{0, 6, "g r uw1 s"}, {7, 11, "d ih1 hh"}};
    request.seed = 0xFFFFFFFF;
    const Result<Request> back = DecodeRequest(OnlyFrame(EncodeRequest(1, request)).payload);
    ASSERT_TRUE(back);
    EXPECT_DOUBLE_EQ(back->pitch_range, 1.5);
    EXPECT_EQ(back->pronunciations, request.pronunciations);
    EXPECT_EQ(back->seed, request.seed);
    const Result<Request> plain = DecodeRequest(OnlyFrame(EncodeRequest(1, {"slt", "a"})).payload);
    ASSERT_TRUE(plain);
    EXPECT_DOUBLE_EQ(plain->pitch_range, 1);
    EXPECT_TRUE(plain->pronunciations.empty());
    EXPECT_FALSE(plain->seed);
}

TEST(Protocol, PronunciationsMustFitTheText) {
    const auto accepts = [](std::vector<Pronunciation> pronunciations) {
        const Request request{.voice = "slt",
                              .text = "Gr\xC3\xBC\xC3\x9F dich",
                              .pronunciations = std::move(pronunciations)};
        return DecodeRequest(OnlyFrame(EncodeRequest(1, request)).payload).ok();
    };
    EXPECT_TRUE(accepts({{0, 11, std::string(kMaxPhonemesBytes, 'a')}}));
    EXPECT_TRUE(accepts({{0, 2, "a"}, {2, 4, "b"}}));
    EXPECT_FALSE(accepts({{0, 12, "a"}})) << "behind the text";
    EXPECT_FALSE(accepts({{3, 6, "a"}})) << "inside a character";
    EXPECT_FALSE(accepts({{0, 3, "a"}})) << "inside a character";
    EXPECT_FALSE(accepts({{2, 2, "a"}})) << "empty";
    EXPECT_FALSE(accepts({{4, 2, "a"}})) << "backwards";
    EXPECT_FALSE(accepts({{0, 6, "a"}, {4, 8, "b"}})) << "overlapping";
    EXPECT_FALSE(accepts({{7, 8, "a"}, {0, 1, "b"}})) << "descending";
    EXPECT_FALSE(accepts({{0, 1, ""}}));
    EXPECT_FALSE(accepts({{0, 1, "a\nb"}})) << "control character";
    EXPECT_FALSE(accepts({{0, 1, "a\xFF"}})) << "invalid UTF-8";
    EXPECT_FALSE(accepts({{0, 1, std::string(kMaxPhonemesBytes + 1, 'a')}}));
    std::vector<Pronunciation> many;
    for (std::uint32_t i = 0; i <= kMaxPronunciations; ++i) many.push_back({i, i + 1, "a"});
    const std::string text(100, 'x');
    EXPECT_FALSE(CheckPronunciations(many, text));
    many.pop_back();
    EXPECT_TRUE(CheckPronunciations(many, text));
}

TEST(Protocol, RangeAndSeedAreChecked) {
    const auto accepts = [](std::string_view more) {
        const std::string payload =
            R"({"voice":"slt","text":"a","speed":1,"pitch":0,"events":true)" + std::string(more) +
            "}";
        return DecodeRequest(payload).ok();
    };
    EXPECT_TRUE(accepts(""));
    EXPECT_TRUE(accepts(R"(,"pitch_range":0.1)"));
    EXPECT_FALSE(accepts(R"(,"pitch_range":0.09)"));
    EXPECT_FALSE(accepts(R"(,"pitch_range":4.01)"));
    EXPECT_FALSE(accepts(R"(,"seed":-1)"));
    EXPECT_FALSE(accepts(R"(,"seed":4294967296)"));
    EXPECT_FALSE(accepts(R"(,"pronunciations":{})"));
    EXPECT_FALSE(accepts(R"(,"pronunciations":[{"begin":0,"end":1}])"));
    EXPECT_FALSE(accepts(R"(,"pronunciations":[{"begin":0,"end":1,"phonemes":"a","x":1}])"));
    EXPECT_FALSE(accepts(R"(,"unknown":1)"));
}

TEST(Protocol, LongestRequestFitsAFrame) {
    Request request{std::string(64, 'v'), std::string(kMaxTextBytes, '\x01'), 1, 0, true};
    for (std::uint32_t i = 0; i < kMaxPronunciations; ++i) {
        request.pronunciations.push_back({i, i + 1, std::string(kMaxPhonemesBytes, '"')});
    }
    const Frame frame = OnlyFrame(EncodeRequest(1, request));
    EXPECT_EQ(DecodeRequest(frame.payload)->text.size(), kMaxTextBytes);
}

TEST(Protocol, AudioEventsDoneAndErrorComeBack) {
    const std::vector<std::int16_t> samples{-32768, -1, 0, 1, 32767};
    EXPECT_EQ(*DecodeAudio(OnlyFrame(EncodeAudio(3, samples)).payload), samples);
    EXPECT_FALSE(DecodeAudio("abc")) << "half a sample";
    const std::vector<TimingEvent> events{{TimingEvent::kWord, 0, 3, 10, 20, "one"},
                                          {TimingEvent::kPhoneme, 0, 3, 10, 12, "w"}};
    EXPECT_EQ(*DecodeEvents(OnlyFrame(EncodeEvents(3, events)).payload), events);
    const Result<Done> done = DecodeDone(OnlyFrame(EncodeDone(3, {5, 900, true})).payload);
    ASSERT_TRUE(done);
    EXPECT_EQ(done->samples, 5U);
    EXPECT_TRUE(done->cancelled);
    const auto error = DecodeError(OnlyFrame(EncodeError(3, {"no_words", "why"})).payload);
    ASSERT_TRUE(error);
    EXPECT_EQ(error->code, "no_words");
    EXPECT_FALSE(DecodeError(OnlyFrame(EncodeError(3, {"No Words!", "why"})).payload));
}

TEST(Protocol, LongLabelsAreCutAtACharacter) {
    std::string label(63, 'x');
    label += "\xC3\xBC";
    const std::vector<TimingEvent> events{{TimingEvent::kWord, 0, 1, 0, 1, label}};
    const auto back = DecodeEvents(OnlyFrame(EncodeEvents(1, events)).payload);
    ASSERT_TRUE(back);
    EXPECT_EQ((*back)[0].label, std::string(63, 'x'));
}

TEST(FrameReader, PutsFramesTogetherFromSingleBytes) {
    const std::string bytes = EncodeCancel(1) + EncodeDone(2, {}) + EncodeCancel(0xFFFFFFFF);
    FrameReader reader;
    std::vector<std::uint32_t> ids;
    for (const char byte : bytes) {
        reader.Feed({&byte, 1});
        const auto frame = reader.Next();
        ASSERT_TRUE(frame);
        if (*frame) ids.push_back((*frame)->id);
    }
    EXPECT_EQ(ids, (std::vector<std::uint32_t>{1, 2, 0xFFFFFFFF}));
}

TEST(FrameReader, RefusesALengthBeforeItsBytesCome) {
    FrameReader reader;
    reader.Feed(std::string_view("\xFF\xFF\xFF\x7F\x04\x01\x00\x00\x00", 9));
    EXPECT_FALSE(reader.Next());
    reader.Feed(EncodeCancel(1));
    EXPECT_FALSE(reader.Next()) << "it stays broken";
}

TEST(FrameReader, RefusesUnknownTypesAndPayloadWhereNoneBelongs) {
    for (const char type : {'\0', '\x09', '\xFF'}) {
        FrameReader reader;
        reader.Feed(std::string("\0\0\0\0", 4) + type + std::string(4, '\0'));
        EXPECT_FALSE(reader.Next());
    }
    FrameReader reader;
    reader.Feed(EncodeFrame(FrameType::kCancel, 1, "x"));
    EXPECT_FALSE(reader.Next());
}

TEST(ReplyCheck, HoldsTheOrderAndTheTotals) {
    ReplyCheck check(4, 100);
    EXPECT_TRUE(check.OnAudio(60));
    EXPECT_FALSE(check.OnAudio(41)) << "more than the segment may have";
    EXPECT_FALSE(check.OnAudio(0));
    EXPECT_FALSE(check.OnDone({.samples = 59}));
    EXPECT_TRUE(check.OnDone({.samples = 60}));
    EXPECT_FALSE(check.OnAudio(1));
    EXPECT_FALSE(check.OnEvents({}));
    EXPECT_FALSE(check.OnDone({.samples = 60}));
    EXPECT_FALSE(check.OnError());
}

TEST(ReplyCheck, RefusesEventsOutsideOfTheText) {
    const auto check = [](TimingEvent event) {
        return ReplyCheck(4, 100).OnEvents(std::span(&event, 1)).ok();
    };
    EXPECT_TRUE(check({TimingEvent::kWord, 0, 4, 0, 100, ""}));
    EXPECT_FALSE(check({TimingEvent::kWord, 0, 5, 0, 100, ""}));
    EXPECT_FALSE(check({TimingEvent::kWord, 3, 2, 0, 100, ""}));
    EXPECT_FALSE(check({TimingEvent::kWord, 0, 4, 0, 101, ""}));
    EXPECT_FALSE(check({TimingEvent::kWord, 0, 4, 9, 8, ""}));
    const std::vector<TimingEvent> many(64 + 64 * 4 + 1);
    EXPECT_FALSE(ReplyCheck(4, 100).OnEvents(many));
}

}  // namespace
}  // namespace vf::engines

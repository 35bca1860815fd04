// What vendors answer, cut anywhere; what is asked of them; what their errors mean.
#include <gtest/gtest.h>

#include <map>

#include "base/base64.hpp"
#include "vendors/audio_reader.hpp"
#include "vendors/vendor_speaker.hpp"
#include "vendors/vendor_wire.hpp"
#include "vendors/vendors_check.hpp"

namespace vf::vendors {
namespace {

using engines::EngineChunk;
using engines::TimingEvent;

struct Read {
    std::string error;
    std::vector<std::int16_t> samples;
    std::vector<TimingEvent> events;
};

Read ReadIn(Vendor vendor, const std::string& text, const std::string& answer, std::size_t step,
            bool plain = false) {
    const auto reader = MakeReader(vendor, text, plain);
    Read out;
    const auto take = [&out](Result<EngineChunk> chunk) {
        if (!chunk) {
            out.error = chunk.error().code();
            return false;
        }
        out.samples.insert(out.samples.end(), chunk->samples.begin(), chunk->samples.end());
        out.events.insert(out.events.end(), chunk->events.begin(), chunk->events.end());
        return true;
    };
    for (std::size_t at = 0; at < answer.size(); at += step) {
        if (!take(reader->Feed(std::string_view(answer).substr(at, step)))) return out;
    }
    take(reader->Finish());
    return out;
}

std::string Bytes(const std::vector<std::int16_t>& samples) {
    std::string out;
    for (const std::int16_t sample : samples) {
        out += static_cast<char>(static_cast<std::uint16_t>(sample) & 0xFFU);
        out += static_cast<char>(static_cast<std::uint16_t>(sample) >> 8U);
    }
    return out;
}

const std::vector<std::int16_t> kSamples{0, 1, -1, 256, -32768, 32767, 1234, -4321, 7};

class InSteps : public testing::TestWithParam<std::size_t> {};
INSTANTIATE_TEST_SUITE_P(Bytes, InSteps, testing::Values(1, 2, 3, 7, 64, 100'000));

TEST_P(InSteps, PlainSamplesPartAnywhere) {
    const Read read = ReadIn(Vendor::kOpenAi, "x", Bytes(kSamples), GetParam());
    EXPECT_EQ(read.error, "");
    EXPECT_EQ(read.samples, kSamples);
    const Read odd = ReadIn(Vendor::kCartesia, "x", Bytes(kSamples) + "\x7F", GetParam(), true);
    EXPECT_EQ(odd.error, "");
    EXPECT_EQ(odd.samples, kSamples) << "half a sample at the end is none";
}

// Two lines of "Grüß Gott, 世界.", the samples parted in the middle of one, a word in two lines.
std::string ElevenLabsAnswer() {
    const std::string bytes = Bytes(kSamples);
    const std::string first = Base64(bytes.substr(0, 7));
    const std::string second = Base64(bytes.substr(7));
    return R"({"audio_base64":")" + first +
           R"(","alignment":{"characters":["G","r","ü"],)"
           R"("character_start_times_seconds":[0,0.1,0.2],)"
           R"("character_end_times_seconds":[0.1,0.2,0.3]},"normalized_alignment":null})"
           "\r\n\n"
           R"({"audio_base64":")" +
           second +
           R"(","alignment":{"characters":["ß"," ","G","o","t","t",","," ","世","界","."],)"
           R"("character_start_times_seconds":[0.3,0.4,0.5,0.6,0.7,0.8,0.9,1,1.1,1.2,1.3],)"
           R"("character_end_times_seconds":[0.4,0.5,0.6,0.7,0.8,0.9,1,1.1,1.2,1.3,1.4]}})"
           "\n{\"audio_base64\":\"\",\"alignment\":null}";
}

TEST_P(InSteps, ElevenLabsLinesBecomeSamplesAndWords) {
    const std::string text = "Grüß Gott, 世界.";
    const Read read = ReadIn(Vendor::kElevenLabs, text, ElevenLabsAnswer(), GetParam());
    EXPECT_EQ(read.error, "");
    EXPECT_EQ(read.samples, kSamples);
    ASSERT_EQ(read.events.size(), 3U);
    const std::vector<std::string> labels{"Grüß", "Gott,", "世界."};
    const std::vector<std::uint64_t> starts{0, 12'000, 26'400};
    const std::vector<std::uint64_t> ends{9'600, 24'000, 33'600};
    for (std::size_t i = 0; i < 3; ++i) {
        const TimingEvent& event = read.events[i];
        EXPECT_EQ(event.label, labels[i]);
        EXPECT_EQ(text.substr(event.text_begin, event.text_end - event.text_begin), labels[i]);
        EXPECT_EQ(event.start_sample, starts[i]);
        EXPECT_EQ(event.end_sample, ends[i]);
    }
}

TEST(ElevenLabsReader, TimesOfAnotherTextAreLeft) {
    const Read read = ReadIn(Vendor::kElevenLabs, "Something else", ElevenLabsAnswer(), 10);
    EXPECT_EQ(read.error, "");
    EXPECT_EQ(read.samples, kSamples);
    EXPECT_TRUE(read.events.empty());
}

TEST(ElevenLabsReader, StrangeTimesDoNoHarm) {
    const Read read = ReadIn(
        Vendor::kElevenLabs, "ab c",
        R"({"audio_base64":"AAAA","alignment":{"characters":["a","b"," ","c"],)"
        R"("character_start_times_seconds":[1e300,-5,0.2,0.1],)"
        R"("character_end_times_seconds":[0,0,0,"x"]}})"
        "\n"
        R"({"audio_base64":"AAAA","alignment":{"characters":[7],"character_start_times_seconds":5}})",
        9);
    EXPECT_EQ(read.error, "");
    for (const TimingEvent& event : read.events) {
        EXPECT_LE(event.start_sample, event.end_sample);
        EXPECT_LE(event.text_end, 4U);
    }
}

TEST(ElevenLabsReader, GarbageIsToldFromAnEnd) {
    const std::map<std::string, std::string> cases{
        {"<html>\n", "vendor_answer_unreadable"},
        {"[]\n", "vendor_answer_unreadable"},
        {"{\"audio_base64\":\"?\"}\n", "vendor_answer_unreadable"},
        {"{\"audio_base64\":\"AAA", "vendor_answer_cut"},
        {std::string(9U << 20U, '{'), "vendor_answer_unreadable"},
        {"", ""},
        {"\n\n", ""},
        {"{}\n", ""},
    };
    for (const auto& [answer, error] : cases) {
        EXPECT_EQ(ReadIn(Vendor::kElevenLabs, "x", answer, 1U << 20U).error, error)
            << answer.substr(0, 20);
    }
}

std::string CartesiaAnswer(bool is_done = true) {
    const std::string bytes = Bytes(kSamples);
    return "event: chunk\r\ndata: {\"type\":\"chunk\",\"data\":\"" + Base64(bytes.substr(0, 5)) +
           "\",\"done\":false}\r\n\r\n: a comment\n\nevent: timestamps\ndata: "
           "{\"type\":\"timestamps\",\ndata: \"word_timestamps\":{\"words\":[\"Grüß\",\"odd\","
           "\"Gott\"],\"start\":[0,0.1,0.5],\"end\":[0.4,0.2,0.9]}}\n\n"
           "data:{\"type\":\"chunk\",\"data\":\"" +
           Base64(bytes.substr(5)) + "\"}\n\n" +
           (is_done ? "event: done\ndata: {\"type\":\"done\",\"done\":true}\n\n" : "");
}

TEST_P(InSteps, CartesiaEventsBecomeSamplesAndWords) {
    const Read read = ReadIn(Vendor::kCartesia, "Grüß Gott.", CartesiaAnswer(), GetParam());
    EXPECT_EQ(read.error, "");
    EXPECT_EQ(read.samples, kSamples);
    ASSERT_EQ(read.events.size(), 2U);
    EXPECT_EQ(read.events[0].label, "Grüß");
    EXPECT_EQ(read.events[1].label, "Gott");
    EXPECT_EQ(read.events[1].text_begin, 7U);
    EXPECT_EQ(read.events[1].start_sample, 12'000U);
}

TEST(CartesiaReader, AnEndThatIsNoneIsToldSo) {
    EXPECT_EQ(ReadIn(Vendor::kCartesia, "x", CartesiaAnswer(false), 9).error, "vendor_answer_cut");
    EXPECT_EQ(ReadIn(Vendor::kCartesia, "x", "<html>\n", 9).error, "vendor_answer_unreadable");
    EXPECT_EQ(ReadIn(Vendor::kCartesia, "x",
                     "data: {\"type\":\"error\",\"status_code\":402,\"title\":\"x\"}\n\n", 9)
                  .error,
              "vendor_quota_exhausted");
    EXPECT_EQ(ReadIn(Vendor::kCartesia, "x", "data: {\"type\":\"error\"}\n\n", 9).error,
              "vendor_unavailable");
}

TEST(PlainReader, AnotherFormatIsNoAudio) {
    for (const char* start : {"RIFF....WAVE", "ID3\4", "OggS", "{\"error\":{}}"}) {
        EXPECT_EQ(ReadIn(Vendor::kOpenAi, "x", start, 100).error, "vendor_answer_unreadable");
    }
}

TEST(VendorErrors, SayWhatIsWrongAndNothingElse) {
    struct Case {
        int status;
        std::string body;
        std::string code;
        ErrorKind kind;
    };
    const std::vector<Case> cases{
        {401, "", "vendor_key_refused", ErrorKind::kUnavailable},
        {401, R"({"detail":{"status":"quota_exceeded"}})", "vendor_quota_exhausted",
         ErrorKind::kUnavailable},
        {402, "{", "vendor_quota_exhausted", ErrorKind::kUnavailable},
        {429, R"({"error":{"code":null,"type":"insufficient_quota"}})", "vendor_quota_exhausted",
         ErrorKind::kUnavailable},
        {429, "", "vendor_rate_limited", ErrorKind::kRateLimited},
        {400, R"({"detail":{"code":"voice_not_found"}})", "vendor_voice_not_found",
         ErrorKind::kInvalid},
        {422, "[]", "vendor_refused", ErrorKind::kInvalid},
        {408, "", "vendor_unavailable", ErrorKind::kUnavailable},
        {500, "\xFF", "vendor_unavailable", ErrorKind::kUnavailable},
        {302, "", "vendor_unavailable", ErrorKind::kUnavailable},
    };
    for (const Case& one : cases) {
        const Error error = ErrorOf(Vendor::kOpenAi, one.status, {}, one.body);
        EXPECT_EQ(error.code(), one.code) << one.status;
        EXPECT_EQ(error.kind(), one.kind) << one.status;
    }
    const std::string leaking =
        R"({"error":{"code":"Key sk-secret is wrong","message":"sk-secret","type":"bad_key"}})";
    const Error error = ErrorOf(Vendor::kOpenAi, 401, {}, leaking);
    EXPECT_EQ(error.message().find("sk-"), std::string::npos);
    EXPECT_NE(error.message().find("\"bad_key\""), std::string::npos);
}

TEST(VendorErrors, WhatTheVendorAsksForIsKept) {
    const std::map<std::string, std::int64_t> cases{{"7", 7},    {"0", 1}, {"99999999", 3600},
                                                    {"soon", 1}, {"", 1},  {"-4", 1}};
    for (const auto& [value, seconds] : cases) {
        http::Headers headers;
        headers.Set("Retry-After", value);
        const Error error = ErrorOf(Vendor::kElevenLabs, 429, headers, "");
        ASSERT_TRUE(error.retry_after());
        EXPECT_EQ(error.retry_after()->count(), seconds) << value;
    }
}

TEST(VendorVoices, AreReadFromEveryShape) {
    const auto eleven = ReadVoices(
        Vendor::kElevenLabs,
        R"({"voices":[{"voice_id":"21m00","name":"Rachel","labels":{"gender":"female"},)"
        R"("verified_languages":[{"language":"en"},{"language":"en"},{"language":"german"}]},)"
        R"({"name":"none"},{"voice_id":"a b"},5,{"voice_id":"x"},{"voice_id":"y"}]})",
        3);
    ASSERT_TRUE(eleven);
    ASSERT_EQ(eleven->size(), 3U);
    EXPECT_EQ((*eleven)[0], (VendorVoice{"21m00", "Rachel", {"en"}, "female"}));
    EXPECT_EQ((*eleven)[2], (VendorVoice{"y", "y", {}, "neutral"}));
    const auto open = ReadVoices(Vendor::kOpenAi, R"({"voices":["alloy",{"id":"b"}]})", 10);
    ASSERT_TRUE(open);
    EXPECT_EQ(open->size(), 2U);
    const auto cartesia =
        ReadVoices(Vendor::kCartesia, R"([{"id":"c","gender":"masculine","language":"de"}])", 10);
    ASSERT_TRUE(cartesia);
    EXPECT_EQ((*cartesia)[0], (VendorVoice{"c", "c", {"de"}, "male"}));
    for (const char* wrong : {"", "{}", "5", R"({"voices":7})", "<html>"}) {
        const auto read = ReadVoices(Vendor::kElevenLabs, wrong, 10);
        ASSERT_FALSE(read);
        EXPECT_EQ(read.error().code(), "vendor_answer_unreadable");
    }
}

TEST(VendorUrls, AreCheckedAndTrimmed) {
    EXPECT_EQ(*CheckUrl("https://api.example.com/v1//", false), "https://api.example.com/v1");
    EXPECT_EQ(*CheckUrl("http://[::1]:8080/v1", true), "http://[::1]:8080/v1");
    const std::map<std::string, std::string> cases{
        {"", "invalid_base_url"},
        {"https://", "invalid_base_url"},
        {"https:///v1", "invalid_base_url"},
        {"file:///etc/passwd", "invalid_base_url"},
        {"https://a b", "invalid_base_url"},
        {"https://user@host", "invalid_base_url"},
        {"https://host/?a=b", "invalid_base_url"},
        {"https://host/#a", "invalid_base_url"},
        {"https://host\r\nx", "invalid_base_url"},
        {"https://" + std::string(300, 'a'), "invalid_base_url"},
        {"HTTP://host", "https_required"},
    };
    for (const auto& [url, code] : cases) {
        const auto checked = CheckUrl(url, false);
        ASSERT_FALSE(checked) << url;
        EXPECT_EQ(checked.error().code(), code) << url;
    }
}

TEST(VendorHealth, AVendorThatIsAwayRestsForAMoment) {
    Health health;
    const Health::Clock::time_point now{};
    const Error away(ErrorKind::kUnavailable, "vendor_timeout", "");
    health.Failed(away, now);
    health.Failed(away, now);
    EXPECT_FALSE(health.Refuses(Vendor::kOpenAi, now));
    health.Failed(Error(ErrorKind::kUnavailable, "vendor_key_refused", ""), now);
    EXPECT_FALSE(health.Refuses(Vendor::kOpenAi, now)) << "it is there";
    health.Failed(away, now);
    const auto refusal = health.Refuses(Vendor::kOpenAi, now);
    ASSERT_TRUE(refusal);
    EXPECT_EQ(refusal->code(), "vendor_unavailable");
    EXPECT_FALSE(health.Refuses(Vendor::kOpenAi, now + std::chrono::seconds(5)));
    health.Succeeded();
    EXPECT_FALSE(health.Refuses(Vendor::kOpenAi, now));
}

}  // namespace
}  // namespace vf::vendors

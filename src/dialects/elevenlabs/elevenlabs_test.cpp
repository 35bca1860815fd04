// Bodies, errors and small parts of the dialect; pure.
#include <gtest/gtest.h>

#include "base/base64.hpp"
#include "dialects/elevenlabs/character_stats.hpp"
#include "dialects/elevenlabs/elevenlabs_alignment.hpp"
#include "dialects/elevenlabs/elevenlabs_error.hpp"
#include "dialects/elevenlabs/elevenlabs_models.hpp"
#include "dialects/elevenlabs/elevenlabs_speech_body.hpp"
#include "dialects/elevenlabs/zip.hpp"

namespace vf::elevenlabs {
namespace {

json::value Detail(const Error& error) {
    http::Request request;
    request.id = "req_1";
    const http::Response response = ErrorResponse(error, request);
    return json::Parse(std::get<std::string>(response.body))->root.at("detail");
}

std::string CodeOf(std::string_view body) {
    http::Request request;
    request.body = body;
    const auto read = ReadSpeech(request);
    return read ? "ok" : read.error().code();
}

TEST(ElevenLabsError, HasAllSixMembers) {
    const Error error(ErrorKind::kNotFound, "voice_not_found", "None.");
    const json::value detail = Detail(error);
    EXPECT_EQ(detail.as_object().size(), 6U);
    EXPECT_EQ(detail.at("type"), "not_found");
    EXPECT_EQ(detail.at("code"), detail.at("status"));
    EXPECT_EQ(detail.at("request_id"), "req_1");
    EXPECT_TRUE(detail.at("param").is_null());
}

TEST(ElevenLabsError, NamesWhatIsWrongInTheBodyByItsPlace) {
    const Error error(ErrorKind::kInvalid, "invalid_request", "Wrong.",
                      {{"/rules/3/alias", "required", "is required."},
                       {"page", "wrong_type", "must be a number."}});
    const json::value detail = Detail(error);
    EXPECT_EQ(json::Print(detail.at(0).at("loc")), R"(["body","rules",3,"alias"])");
    EXPECT_EQ(detail.at(0).at("type"), "missing");
    EXPECT_EQ(json::Print(detail.at(1).at("loc")), R"(["query","page"])");
}

TEST(ElevenLabsError, KindsHaveTheirTypes) {
    const auto type = [](ErrorKind kind) {
        return std::string(VendorErrorOf(Error(kind, "x", "X.")).type);
    };
    EXPECT_EQ(type(ErrorKind::kInvalid), "validation_error");
    EXPECT_EQ(type(ErrorKind::kUnauthenticated), "authentication_error");
    EXPECT_EQ(type(ErrorKind::kPaymentRequired), "payment_required");
    EXPECT_EQ(type(ErrorKind::kForbidden), "authorization_error");
    EXPECT_EQ(type(ErrorKind::kConflict), "conflict");
    EXPECT_EQ(type(ErrorKind::kRateLimited), "rate_limit_error");
    EXPECT_EQ(type(ErrorKind::kInternal), "internal_error");
    EXPECT_EQ(type(ErrorKind::kUnavailable), "service_unavailable");
    EXPECT_EQ(type(ErrorKind::kMethodNotAllowed), "invalid_request");
}

TEST(ElevenLabsBody, DefaultsAreTheVendors) {
    http::Request request;
    request.body = R"({"text":"Hi."})";
    const auto read = ReadSpeech(request);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->speech.format, audio::Format::kMp3);
    EXPECT_EQ(read->speech.sample_rate, 44100);
    EXPECT_EQ(read->speech.bit_rate, 128000);
    EXPECT_EQ(read->speech.model, "eleven_multilingual_v2");
    EXPECT_EQ(read->speech.max_characters, 10'000U);
    EXPECT_EQ(read->speech.markup, speech::Markup::kPlain);
    EXPECT_TRUE(read->is_logged);
    EXPECT_TRUE(read->speech.normalise.enabled);
}

TEST(ElevenLabsBody, IsOpenButNotBlind) {
    EXPECT_EQ(CodeOf(R"({"text":"a","x":1,"model_id":null,"voice_settings":null})"), "ok");
    EXPECT_EQ(CodeOf(R"({"text":"a","model_id":"eleven_tomorrow"})"), "ok");
    EXPECT_EQ(CodeOf(R"({"text":"a","model_id":"tts-1"})"), "unsupported_model");
    EXPECT_EQ(CodeOf(R"({"text":"a","seed":-1})"), "invalid_request");
    EXPECT_EQ(CodeOf(R"({"text":"a","next_request_ids":["1","2","3","4"]})"), "invalid_parameters");
    EXPECT_EQ(CodeOf("{"), "malformed_json");
}

TEST(ElevenLabsBody, TurnsAreOneText) {
    http::Request request;
    request.body = R"({"inputs":[{"text":"Hé.","voice_id":"a"},{"text":"Ho.","voice_id":"b"}]})";
    const auto read = ReadDialogue(request);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->speech.text, "Hé.Ho.");
    ASSERT_EQ(read->speech.turns.size(), 2U);
    EXPECT_EQ(read->speech.turns[0].end, 4U);
    EXPECT_EQ(read->speech.turns[1].end, 7U);
    EXPECT_EQ(read->speech.max_characters, 3'000U);
}

TEST(ElevenLabsAlignment, IsThreeArraysOfOneLength) {
    EXPECT_TRUE(Alignment({}).is_null());
    speech::TimelineItem item;
    item.label = "a";
    item.start_seconds = 0.12345;
    item.end_seconds = 0.5;
    const json::value value = Alignment({item});
    EXPECT_EQ(value.at("characters").at(0), "a");
    EXPECT_DOUBLE_EQ(value.at("character_start_times_seconds").at(0).as_double(), 0.123);
    EXPECT_EQ(value.at("character_end_times_seconds").as_array().size(), 1U);
    EXPECT_EQ(Base64("ab"), "YWI=");
}

TEST(CharacterStats, StepsAreDaysWeeksAndMonths) {
    StatsQuery query;
    query.period = {*usage::ParseTime("2026-11-30"), *usage::ParseTime("2026-12-15")};
    EXPECT_EQ(StepsOf(query).size(), 15U);
    query.step = StatsQuery::Step::kWeek;
    EXPECT_EQ(StepsOf(query).size(), 3U);
    query.step = StatsQuery::Step::kMonth;
    const auto months = StepsOf(query);
    ASSERT_EQ(months.size(), 2U);
    EXPECT_EQ(StepOf(months, "2026-11-30"), 0U);
    EXPECT_EQ(StepOf(months, "2026-12-01"), 1U);
    EXPECT_FALSE(StepOf(months, "2026-11-29"));
    EXPECT_FALSE(StepOf(months, "nonsense"));
}

TEST(Zip, BeginsAndEndsAsZipsDo) {
    ZipWriter zip;
    zip.Add("a.mp3", "audio");
    const std::string archive = zip.Finish();
    EXPECT_TRUE(archive.starts_with("PK\x03\x04"));
    EXPECT_NE(archive.find("PK\x05\x06"), std::string::npos);
    EXPECT_NE(archive.find("a.mp3audio"), std::string::npos);
}

}  // namespace
}  // namespace vf::elevenlabs

// OpenAI's body and error envelope.
#include <gtest/gtest.h>

#include "base/json.hpp"
#include "dialects/openai/openai_error.hpp"
#include "dialects/openai/openai_speech_body.hpp"

namespace vf::openai {
namespace {

std::string FirstWrong(std::string_view text) {
    const auto body = ReadSpeechBody(text);
    return body ? "ok" : body.error().param() + ": " + body.error().message();
}

TEST(OpenAiBody, DefaultsAreOpenAis) {
    const auto body = ReadSpeechBody(R"({"model":"tts-1","input":"Hi.","voice":"alloy"})");
    ASSERT_TRUE(body);
    EXPECT_EQ(body->speech.format, audio::Format::kMp3);
    EXPECT_EQ(body->speech.text_field, "input");
    EXPECT_EQ(body->speech.max_characters, 4096U);
    EXPECT_FALSE(body->is_sse);
}

TEST(OpenAiBody, IsOpenButNotBlind) {
    EXPECT_EQ(
        FirstWrong(R"({"model":"x","input":"a","voice":{"id":"v"},"seed":1,"lang_code":"a"})"),
        "ok");
    EXPECT_EQ(FirstWrong(R"({"model":"x","input":"a","voice":7})"),
              "voice: \"voice\" must be a voice id, or an object with an \"id\".");
    EXPECT_EQ(FirstWrong(R"({"model":"x","input":"a"})"), "voice: \"voice\" is required.");
    EXPECT_EQ(FirstWrong(R"({"model":"tts-1","input":"a","voice":"v","stream_format":"sse"})"),
              "stream_format: \"stream_format\" cannot be sse with the models tts-1 and tts-1-hd; "
              "use gpt-4o-mini-tts.");
    EXPECT_EQ(FirstWrong(R"({"model":"tts-1","input":"a","voice":"v","speed":0})").substr(0, 6),
              "speed:");
}

TEST(OpenAiError, HasAllFourKeys) {
    const Error error =
        Error(ErrorKind::kUnavailable, "server_busy", "Busy.").RetryAfter(std::chrono::seconds(2));
    const http::Response response = ErrorResponse(error, http::Request());
    EXPECT_EQ(response.status, 503);
    EXPECT_EQ(response.headers.Get("Retry-After"), "2");
    const auto body = json::Parse(std::get<std::string>(response.body));
    ASSERT_TRUE(body);
    const json::object& inner = body->root.at("error").as_object();
    EXPECT_EQ(inner.size(), 4U);
    EXPECT_EQ(inner.at("type"), "server_error");
    EXPECT_TRUE(inner.at("param").is_null());
}

}  // namespace
}  // namespace vf::openai

// The native body as JSON and as a form.
#include <gtest/gtest.h>

#include "dialects/native/generate_body.hpp"

namespace vf::native {
namespace {

http::Request JsonRequest(std::string body) {
    http::Request request;
    request.media_type = "application/json";
    request.headers.Set("Content-Type", "application/json");
    request.body = std::move(body);
    return request;
}

http::Request FormRequest(const std::vector<std::pair<std::string, std::string>>& fields) {
    http::Request request;
    request.media_type = "multipart/form-data";
    request.headers.Set("Content-Type", "multipart/form-data; boundary=b");
    for (const auto& [name, value] : fields) {
        request.body +=
            "--b\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + value + "\r\n";
    }
    request.body += "--b--\r\n";
    return request;
}

std::string FirstWrong(const http::Request& request) {
    const auto body = ReadGenerateBody(request);
    if (body) return "ok";
    if (body.error().fields().empty()) return body.error().code();
    return body.error().fields()[0].path + " " + body.error().fields()[0].code;
}

TEST(GenerateBody, ReadsEveryField) {
    const auto body = ReadGenerateBody(
        JsonRequest(R"({"text":"Hi.","voice":"slt","language":"en","format":"mp3",)"
                    R"("sample_rate":44100,"speed":1.5,"pitch":-2,"volume":3})"));
    ASSERT_TRUE(body);
    EXPECT_EQ(body->speech.text, "Hi.");
    EXPECT_EQ(body->speech.voice, "slt");
    EXPECT_EQ(body->speech.language, "en");
    EXPECT_EQ(body->speech.format, audio::Format::kMp3);
    EXPECT_EQ(body->speech.sample_rate, 44100);
    EXPECT_DOUBLE_EQ(body->speech.speed, 1.5);
    EXPECT_DOUBLE_EQ(body->speech.pitch, -2);
    EXPECT_DOUBLE_EQ(body->speech.volume, 3);
}

TEST(GenerateBody, AFormIsCheckedByTheSameRules) {
    const auto body = ReadGenerateBody(
        FormRequest({{"text", "\"Quoted\" \\ text"}, {"speed", "1.5"}, {"sample_rate", "16000"}}));
    ASSERT_TRUE(body) << body.error().message();
    EXPECT_EQ(body->speech.text, "\"Quoted\" \\ text");
    EXPECT_DOUBLE_EQ(body->speech.speed, 1.5);
    EXPECT_EQ(FirstWrong(FormRequest({{"text", "a"}, {"speed", "fast"}})), "/speed wrong_type");
    EXPECT_EQ(FirstWrong(FormRequest({{"text", "a"}, {"speed", "nan"}})), "/speed wrong_type");
    EXPECT_EQ(FirstWrong(FormRequest({{"text", "a"}, {"text", "b"}})), "/text duplicate_member");
    EXPECT_EQ(FirstWrong(FormRequest({{"colour", "red"}, {"text", "a"}})),
              "/colour unknown_member");
    EXPECT_EQ(FirstWrong(FormRequest({{"speed", "1"}})), "/text required");
    EXPECT_EQ(FirstWrong(FormRequest({{"text", "\xff"}})), "invalid_utf8");
}

TEST(GenerateBody, NamesWhatIsWrong) {
    EXPECT_EQ(FirstWrong(JsonRequest(R"({"text":"a","format":"exe"})")),
              "/format format_not_supported");
    EXPECT_EQ(FirstWrong(JsonRequest(R"({"text":"a","speed":0.24})")), "/speed out_of_range");
    EXPECT_EQ(FirstWrong(JsonRequest(R"({"text":"a","sample_rate":1.5})")),
              "/sample_rate wrong_type");
    EXPECT_EQ(FirstWrong(JsonRequest("[]")), "/ wrong_type");
}

}  // namespace
}  // namespace vf::native

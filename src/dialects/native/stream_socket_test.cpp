// Messages of /v1/stream's clients.
#include <gtest/gtest.h>

#include "dialects/native/stream_socket_message.hpp"

namespace vf::native {
namespace {

using Type = StreamMessage::Type;

// "" when the message is fine, else what is wrong with it.
std::string Wrong(std::string_view text) {
    const auto read = ReadStreamMessage(text);
    if (read) return "";
    std::string out = read.error().code();
    for (const FieldError& field : read.error().fields()) out += " " + field.path;
    return out;
}

TEST(StreamSocketMessage, AStartSaysHowToSpeak) {
    const auto read = ReadStreamMessage(
        R"({"type":"start","context":"c1","voice":"slt","language":"en","format":"mp3",)"
        R"("sample_rate":44100,"bit_rate":64000,"speed":1.5,"pitch":-2,"volume":3,"seed":7,)"
        R"("markup":"ssml","timing":false,"text":"Hi.","end":true,"api_key":"vf_x"})");
    ASSERT_TRUE(read) << read.error().message();
    EXPECT_EQ(read->type, Type::kStart);
    EXPECT_EQ(read->context, "c1");
    EXPECT_EQ(read->text, "Hi.");
    EXPECT_TRUE(read->ends);
    EXPECT_EQ(read->api_key, "vf_x");
    const speech::SpeechRequest& request = read->request;
    EXPECT_EQ(request.voice, "slt");
    EXPECT_EQ(request.format, audio::Format::kMp3);
    EXPECT_EQ(request.sample_rate, 44100);
    EXPECT_EQ(request.bit_rate, 64000);
    EXPECT_EQ(request.markup, speech::Markup::kSsml);
    EXPECT_EQ(request.seed, 7U);
    EXPECT_FALSE(request.wants_timing);
    EXPECT_TRUE(request.text.empty());
}

TEST(StreamSocketMessage, NothingNeedsToBeSaid) {
    const auto start = ReadStreamMessage(R"({"type":"start"})");
    ASSERT_TRUE(start);
    EXPECT_EQ(start->context, "default");
    EXPECT_EQ(start->request.format, audio::Format::kPcm);
    EXPECT_TRUE(start->wants_timing);
    EXPECT_EQ(ReadStreamMessage(R"({"type":"text","text":"a"})")->type, Type::kText);
    EXPECT_EQ(ReadStreamMessage(R"({"type":"flush"})")->type, Type::kFlush);
    EXPECT_EQ(ReadStreamMessage(R"({"type":"end","context":"x"})")->context, "x");
    EXPECT_EQ(ReadStreamMessage(R"({"type":"cancel"})")->type, Type::kCancel);
    EXPECT_EQ(ReadStreamMessage(R"({"type":"keep_alive"})")->type, Type::kKeepAlive);
}

TEST(StreamSocketMessage, WhatIsWrongIsNamed) {
    EXPECT_EQ(Wrong("speak"), "malformed_json");
    EXPECT_EQ(Wrong("[]"), "invalid_request /type");
    EXPECT_EQ(Wrong(R"({"text":"a"})"), "invalid_request /type");
    EXPECT_EQ(Wrong(R"({"type":7})"), "invalid_request /type");
    EXPECT_EQ(Wrong(R"({"type":"speak"})"), "unknown_type /type");
    EXPECT_EQ(Wrong(R"({"type":"text"})"), "invalid_request /text");
    EXPECT_EQ(Wrong(R"({"type":"text","text":"a","text":"b"})"), "invalid_request /text");
    EXPECT_EQ(Wrong(R"({"type":"flush","text":"a"})"), "invalid_request /text");
    EXPECT_EQ(Wrong(R"({"type":"keep_alive","context":"a"})"), "invalid_request /context");
    EXPECT_EQ(Wrong(R"({"type":"start","voices":"slt"})"), "invalid_request /voices");
    EXPECT_EQ(Wrong(R"({"type":"start","context":"","speed":5,"format":"exe","markup":"md"})"),
              "invalid_request /context /speed /format /markup");
}

}  // namespace
}  // namespace vf::native

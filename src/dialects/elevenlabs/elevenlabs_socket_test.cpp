// Messages of ElevenLabs' sockets: what clients send, and how audio and times are cut.
#include <gmock/gmock.h>

#include "dialects/elevenlabs/elevenlabs_socket_audio.hpp"
#include "dialects/elevenlabs/elevenlabs_socket_frame.hpp"

namespace vf::elevenlabs {
namespace {

using testing::ElementsAre;

http::Request Asking(std::string query) {
    http::Request request;
    request.target = "/v1/text-to-speech/slt/stream-input" + std::move(query);
    return request;
}

TEST(ElevenLabsSocketQuery, WhatClientsSendForNothingIsNothing) {
    for (const char* query : {"", "?model_id=Ellipsis&output_format=&seed=None",
                              "?model_id=&auto_mode=&inactivity_timeout=null&colour=red"}) {
        const auto read = ReadSocketQuery(Asking(query));
        ASSERT_TRUE(read) << read.error().message();
        EXPECT_EQ(read->model, "");
        EXPECT_EQ(read->format.name, "mp3_44100_128");
        EXPECT_EQ(read->inactivity, std::chrono::seconds(20));
        EXPECT_FALSE(read->is_auto);
        EXPECT_TRUE(read->is_logged);
        EXPECT_FALSE(read->seed);
    }
}

TEST(ElevenLabsSocketQuery, ReadsEveryParameter) {
    const auto read = ReadSocketQuery(
        Asking("?model_id=eleven_flash_v2_5&output_format=pcm_16000&language_code=de&"
               "enable_logging=false&enable_ssml_parsing=true&auto_mode=True&seed=7&"
               "inactivity_timeout=180&apply_text_normalization=off&sync_alignment=true"));
    ASSERT_TRUE(read) << read.error().message();
    EXPECT_EQ(read->model, "eleven_flash_v2_5");
    EXPECT_EQ(read->format.sample_rate, 16000);
    EXPECT_EQ(read->language, "de");
    EXPECT_FALSE(read->is_logged);
    EXPECT_TRUE(read->is_ssml);
    EXPECT_TRUE(read->is_auto);
    EXPECT_FALSE(read->normalises);
    EXPECT_EQ(read->seed, 7U);
    EXPECT_EQ(read->inactivity, std::chrono::seconds(180));
}

TEST(ElevenLabsSocketQuery, NamesTheParameterThatIsWrong) {
    const auto wrong = [](const char* query) {
        const auto read = ReadSocketQuery(Asking(query));
        return read ? "" : read.error().code() + " " + read.error().param();
    };
    EXPECT_EQ(wrong("?model_id=gpt-4"), "unsupported_model model_id");
    EXPECT_EQ(wrong("?output_format=mp3"), "invalid_output_format output_format");
    EXPECT_EQ(wrong("?auto_mode=maybe"), "invalid_parameters auto_mode");
    EXPECT_EQ(wrong("?inactivity_timeout=0"), "invalid_parameters inactivity_timeout");
    EXPECT_EQ(wrong("?inactivity_timeout=181"), "invalid_parameters inactivity_timeout");
    EXPECT_EQ(wrong("?seed=4294967296"), "invalid_parameters seed");
    EXPECT_EQ(wrong("?seed=1x"), "invalid_parameters seed");
    EXPECT_EQ(wrong("?apply_text_normalization=yes"),
              "invalid_parameters apply_text_normalization");
}

TEST(ElevenLabsClientFrame, ReadsEveryMember) {
    const auto frame = ReadClientFrame(
        R"({"text":" ","context_id":"c1","flush":true,"try_trigger_generation":true,)"
        R"("close_context":true,"close_socket":true,"xi_api_key":"vf_x","voice_settings":{"speed":1},)"
        R"("generation_config":{"chunk_length_schedule":[50,500.0]},"new_thing":[1]})");
    ASSERT_TRUE(frame) << frame.error().message();
    EXPECT_EQ(frame->text, " ");
    EXPECT_EQ(frame->context, "c1");
    EXPECT_TRUE(frame->flush && frame->trigger && frame->close_context && frame->close_socket);
    EXPECT_EQ(frame->key, "vf_x");
    EXPECT_TRUE(frame->voice_settings.is_object());
    EXPECT_THAT(frame->schedule, ElementsAre(50, 500));
}

TEST(ElevenLabsClientFrame, NullsAreAbsent) {
    const auto frame = ReadClientFrame(
        R"({"text":null,"context_id":null,"flush":null,"voice_settings":null,"xi-api-key":null,)"
        R"("generation_config":{"chunk_length_schedule":null},"generator_config":null})");
    ASSERT_TRUE(frame) << frame.error().message();
    EXPECT_FALSE(frame->text || frame->context || frame->flush);
    EXPECT_TRUE(frame->schedule.empty());
    EXPECT_EQ(frame->key, "");
}

TEST(ElevenLabsClientFrame, NamesEveryWrongMember) {
    const auto wrong = [](const char* text) {
        const auto frame = ReadClientFrame(text);
        std::string out;
        if (frame) return out;
        if (frame.error().fields().empty()) return frame.error().code();
        for (const FieldError& field : frame.error().fields()) out += field.path + " ";
        return out;
    };
    EXPECT_EQ(wrong(""), "malformed_json");
    EXPECT_EQ(wrong("hello"), "malformed_json");
    EXPECT_EQ(wrong("[]"), "invalid_parameters");
    EXPECT_EQ(wrong(R"({"text":1,"flush":"yes","context_id":""})"), "/text /context_id /flush ");
    for (const char* list : {"[]", "[49]", "[501]", "[50,\"x\"]", "\"120\"", "{}"}) {
        EXPECT_EQ(
            wrong((R"({"generation_config":{"chunk_length_schedule":)" + std::string(list) + "}}")
                      .c_str()),
            "/generation_config/chunk_length_schedule ");
    }
}

speech::TimelineItem Character(std::string label, double start, double end) {
    speech::TimelineItem item;
    item.label = std::move(label);
    item.start_seconds = start;
    item.end_seconds = end;
    return item;
}

speech::TimedChunk Chunk(std::string audio, double start, double end,
                         std::vector<speech::TimelineItem> characters) {
    speech::TimedChunk chunk;
    chunk.audio = std::move(audio);
    chunk.start_seconds = start;
    chunk.end_seconds = end;
    chunk.normalised_characters = characters;
    chunk.characters = std::move(characters);
    return chunk;
}

TEST(ElevenLabsSocketAudio, SpansOfTheMessagesAddUpToTheAudio) {
    SocketAudio audio("c1");
    const auto first =
        audio.Add(Chunk("abc", 0, 0.1004, {Character("H", 0.02, 0.06), Character("i", 0.06, 0.3)}));
    ASSERT_TRUE(first);
    const json::value message = json::Parse(*first)->root;
    EXPECT_EQ(message.at("audio"), "YWJj");
    EXPECT_TRUE(message.at("isFinal").is_null());
    EXPECT_EQ(message.at("contextId"), "c1");
    EXPECT_EQ(json::Print(message.at("alignment")),
              R"({"chars":["H","i"],"charStartTimesMs":[20,60],"charDurationsMs":[40,40]})");
    EXPECT_EQ(message.at("normalizedAlignment"), message.at("alignment"));
    // No character begins here: it waits for the one that does.
    EXPECT_FALSE(audio.Add(Chunk("d", 0.1004, 0.3, {})));
    const auto second = audio.Add(Chunk("ef", 0.3, 0.4, {Character(".", 0.3, 0.35)}));
    ASSERT_TRUE(second);
    const json::value after = json::Parse(*second)->root;
    EXPECT_EQ(after.at("audio"), "ZGVm");
    EXPECT_EQ(json::Print(after.at("alignment")),
              R"({"chars":["."],"charStartTimesMs":[200],"charDurationsMs":[100]})");
    EXPECT_FALSE(audio.Rest());
}

TEST(ElevenLabsSocketAudio, LongSilenceDoesNotHoldAudioBack) {
    SocketAudio audio(std::nullopt);
    EXPECT_FALSE(audio.Add(Chunk("a", 0, 0.3, {})));
    const auto message = audio.Add(Chunk("b", 0.3, 0.6, {}));
    ASSERT_TRUE(message);
    EXPECT_TRUE(json::Parse(*message)->root.at("alignment").is_null());
    EXPECT_FALSE(json::Parse(*message)->root.as_object().contains("contextId"));
}

TEST(ElevenLabsSocketAudio, LateCharactersStandAtTheStartAndTheLastOnesAreNotLost) {
    SocketAudio audio(std::nullopt);
    const auto late = audio.Add(Chunk("a", 1, 1.2, {Character("x", 0.9, 1.1)}));
    ASSERT_TRUE(late);
    speech::TimedChunk last = Chunk("", 1.2, 1.2, {Character(" ", 1.2, 1.2)});
    last.is_last = true;
    const auto rest = audio.Add(std::move(last));
    ASSERT_TRUE(rest);
    EXPECT_EQ(json::Print(json::Parse(*rest)->root.at("alignment")),
              R"({"chars":[" "],"charStartTimesMs":[0],"charDurationsMs":[0]})");
    const json::value final_message = json::Parse(audio.Final())->root;
    EXPECT_EQ(final_message.at("isFinal"), true);
    EXPECT_TRUE(final_message.at("audio").is_null());
    EXPECT_FALSE(final_message.as_object().contains("message"));
}

TEST(ElevenLabsSocketAudio, ErrorsNameCodeAndMember) {
    const Error error(ErrorKind::kInvalid, "x", "Wrong.", {{"/text", "x", "is wrong"}});
    EXPECT_EQ(ErrorMessage(error, "name", 1008, "c1"),
              R"({"message":"Wrong.","error":"name","code":1008,"param":"text","contextId":"c1"})");
}

}  // namespace
}  // namespace vf::elevenlabs

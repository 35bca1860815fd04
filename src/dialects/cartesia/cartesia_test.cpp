// Cartesia's bodies and messages, its events and its errors, as values.
#include <gtest/gtest.h>

#include "dialects/cartesia/cartesia_error.hpp"
#include "dialects/cartesia/cartesia_events.hpp"
#include "dialects/cartesia/generation.hpp"

namespace vf::cartesia {
namespace {

using audio::Format;

engines::Catalogue Voices() {
    engines::Catalogue catalogue;
    engines::Voice voice;
    voice.id = "slt";
    voice.languages = {"en-US"};
    catalogue.Add(voice);
    return catalogue;
}

json::object Body() {
    return {{"model_id", "sonic-3"},
            {"transcript", "Hi."},
            {"voice", "slt"},
            {"output_format",
             {{"container", "raw"}, {"encoding", "pcm_s16le"}, {"sample_rate", 16000}}}};
}

Result<Generation> Read(const json::object& body, Containers containers = Containers::kAll) {
    static const engines::Catalogue catalogue = Voices();
    return ReadGeneration(json::Print(body), containers, catalogue);
}

Result<Generation> With(const char* member, json::value value) {
    json::object body = Body();
    body[member] = std::move(value);
    return Read(body);
}

// "" when it is fine, else the code and the fields.
std::string Wrong(const Result<Generation>& read) {
    if (read) return "";
    std::string out = read.error().code();
    for (const FieldError& field : read.error().fields()) out += " " + field.path;
    return out;
}

TEST(CartesiaGeneration, ABodySaysHowToSpeak) {
    json::object body = Body();
    body["generation_config"] = {{"speed", 1.5}, {"volume", 2.0}, {"emotion", "sad"}};
    body["locale"] = "en-GB";
    body["normalization"] = "off";
    body["save"] = true;
    body["context_id"] = "c";
    body["add_phoneme_timestamps"] = true;
    body["max_buffer_delay_ms"] = 0;
    body["flush"] = true;
    const auto read = Read(body);
    ASSERT_TRUE(read) << read.error().message();
    const speech::SpeechRequest& speech = read->speech;
    EXPECT_EQ(speech.text, "Hi.");
    EXPECT_EQ(speech.voice, "slt");
    EXPECT_EQ(speech.language, "en-GB");
    EXPECT_EQ(speech.format, Format::kPcm);
    EXPECT_EQ(speech.sample_rate, 16000);
    EXPECT_EQ(speech.speed, 1.5);
    EXPECT_NEAR(speech.volume, 6.02, 0.01);
    EXPECT_FALSE(speech.normalise.enabled);
    EXPECT_TRUE(speech.wants_timing);
    EXPECT_EQ(speech.warnings.size(), 2U);
    EXPECT_EQ(read->context, "c");
    EXPECT_TRUE(read->wants_phonemes);
    EXPECT_FALSE(read->wants_words);
    EXPECT_TRUE(read->flushes);
    EXPECT_EQ(read->max_delay.count(), 0);
}

TEST(CartesiaGeneration, WhatIsNotSaidIsTheVendorsDefault) {
    const auto read = Read(Body());
    ASSERT_TRUE(read);
    EXPECT_EQ(read->max_delay.count(), 3000);
    EXPECT_EQ(read->speech.speed, 1.0);
    EXPECT_EQ(read->speech.volume, 0.0);
    EXPECT_FALSE(read->speech.wants_timing);
    EXPECT_TRUE(read->speech.normalise.enabled);
    EXPECT_FALSE(read->context);
}

TEST(CartesiaGeneration, EveryOutputFormat) {
    const auto format = [](json::object form) {
        const auto read = With("output_format", std::move(form));
        return read ? read->speech.format : Format::kOpus;
    };
    const auto of = [&](const char* container, const char* encoding) {
        return format({{"container", container}, {"encoding", encoding}, {"sample_rate", 44100}});
    };
    EXPECT_EQ(of("raw", "pcm_s16le"), Format::kPcm);
    EXPECT_EQ(of("raw", "pcm_f32le"), Format::kPcmFloat);
    EXPECT_EQ(of("raw", "pcm_mulaw"), Format::kPcmu);
    EXPECT_EQ(of("raw", "pcm_alaw"), Format::kPcma);
    EXPECT_EQ(of("wav", "pcm_s16le"), Format::kWav);
    EXPECT_EQ(of("wav", "pcm_f32le"), Format::kWavFloat);
    EXPECT_EQ(of("wav", "pcm_mulaw"), Format::kWavUlaw);
    EXPECT_EQ(of("wav", "pcm_alaw"), Format::kWavAlaw);
    const auto bits = [](int rate, int bit_rate) {
        return With("output_format",
                    {{"container", "mp3"}, {"sample_rate", rate}, {"bit_rate", bit_rate}})
            ->speech.bit_rate;
    };
    EXPECT_EQ(bits(44100, 192000), 192000);
    EXPECT_EQ(bits(8000, 192000), 64000);  // what the format has at most there
    EXPECT_EQ(bits(24000, 192000), 160000);
}

TEST(CartesiaGeneration, WhatIsWrongIsNamed) {
    EXPECT_EQ(Wrong(With("voice", {{"mode", "embedding"}})), "invalid_request /voice");
    EXPECT_EQ(Wrong(With("voice", "nobody")), "voice_not_found");
    EXPECT_EQ(Wrong(With("pronunciation_dict_id", "x")), "dictionary_not_found");
    EXPECT_EQ(Wrong(With("speed", 1.5)), "invalid_request /speed");
    EXPECT_EQ(Wrong(With("normalization", "?")), "invalid_request /normalization");
    EXPECT_EQ(Wrong(With("max_buffer_delay_ms", 5001)), "invalid_request /max_buffer_delay_ms");
    EXPECT_EQ(Wrong(With("output_format", {{"container", "raw"}, {"sample_rate", 1}})),
              "invalid_request /output_format/sample_rate /output_format/encoding");
    EXPECT_EQ(Wrong(With("generation_config", {{"speed", 2}, {"volume", 0.1}})),
              "invalid_request /generation_config/speed /generation_config/volume");
    json::object both = Body();
    both["language"] = "en";
    both["locale"] = "en";
    EXPECT_EQ(Wrong(Read(both)), "invalid_request /locale");
    json::object wav = Body();
    wav["output_format"].as_object()["container"] = "wav";
    EXPECT_EQ(Wrong(Read(wav, Containers::kRawOnly)), "invalid_request /output_format/container");
}

TEST(CartesiaMessage, BelongsToAContext) {
    const engines::Catalogue catalogue = Voices();
    const auto read = [&](const json::value& message) {
        return ReadClientMessage(json::Print(message), catalogue);
    };
    EXPECT_EQ(read(Body()).error().param(), "context_id");
    EXPECT_FALSE(ReadClientMessage("{", catalogue));
    EXPECT_FALSE(ReadClientMessage("[]", catalogue));
    json::object message = Body();
    message["context_id"] = "c";
    message["continue"] = true;
    auto good = read(message);
    ASSERT_TRUE(good);
    EXPECT_EQ(good->context, "c");
    EXPECT_FALSE(good->error);
    EXPECT_TRUE(good->generation.continues);
    message["continue"] = "yes";
    auto bad = read(message);
    ASSERT_TRUE(bad);
    EXPECT_EQ(bad->error->param(), "continue");
    const auto cancel = read(json::object{{"context_id", "c"}, {"cancel", true}});
    ASSERT_TRUE(cancel);
    EXPECT_TRUE(cancel->is_cancel);
}

TEST(CartesiaEvents, FollowTheFlushes) {
    Generation generation;
    generation.wants_words = true;
    Events events(generation, "c", true);
    speech::TimedChunk chunk;
    chunk.audio = "abc";
    speech::TimelineItem word;
    word.text_begin = 1;
    word.text_end = 3;
    word.start_seconds = 0.25;
    word.end_seconds = 0.5;
    word.label = "Hi";
    chunk.words = {word};
    const auto messages = events.OfChunk(chunk, "(Hi), all");
    ASSERT_EQ(messages.size(), 2U);
    const json::value audio = boost::json::parse(messages[0]);
    EXPECT_EQ(audio.at("data"), "YWJj");
    EXPECT_EQ(audio.at("flush_id"), 1);
    EXPECT_EQ(audio.at("context_id"), "c");
    const json::value words = boost::json::parse(messages[1]);
    EXPECT_EQ(words.at("word_timestamps").at("words").at(0), "(Hi),");
    EXPECT_EQ(words.at("word_timestamps").at("start").at(0), 0.25);
    const json::value flushed = boost::json::parse(events.FlushDone());
    EXPECT_EQ(flushed.at("flush_id"), 1);
    EXPECT_EQ(flushed.at("done"), false);
    EXPECT_EQ(boost::json::parse(events.OfChunk(chunk, "")[0]).at("flush_id"), 2);
    EXPECT_EQ(boost::json::parse(events.Done()).at("status_code"), 200);
}

TEST(CartesiaEvents, PunctuationClingsToItsWord) {
    const auto at = [](std::string_view text, std::size_t begin, std::size_t end) {
        speech::TimelineItem word;
        word.text_begin = begin;
        word.text_end = end;
        word.label = "label";
        return WrittenWord(word, text);
    };
    EXPECT_EQ(at("He said \"no!\" twice.", 9, 11), "\"no!\"");
    EXPECT_EQ(at("a,b", 0, 1), "a,");
    EXPECT_EQ(at("a,b", 2, 3), "b");
    EXPECT_EQ(at("short", 3, 9), "label");
    EXPECT_EQ(at("short", 3, 3), "label");
}

TEST(CartesiaError, IsFlatAndSaysItsCode) {
    http::Request request;
    request.id = "req_1";
    const auto response = ErrorResponse(
        Error(ErrorKind::kRateLimited, "too_many_concurrent_requests", "Wait."), request);
    EXPECT_EQ(response.status, 429);
    const json::value body = boost::json::parse(std::get<std::string>(response.body));
    EXPECT_EQ(body.at("error_code"), "concurrency_limited");
    EXPECT_EQ(body.at("message"), "Wait.");
    EXPECT_EQ(body.at("request_id"), "req_1");
    const json::object event = ErrorEvent(Error(), "req_1", std::nullopt);
    EXPECT_TRUE(event.at("context_id").is_null());
    EXPECT_EQ(event.at("type"), "error");
    EXPECT_EQ(event.at("status_code"), 500);
}

TEST(CartesiaVersion, IsADate) {
    const auto is_good = [](const char* version) {
        http::Request request;
        request.headers.Set("Cartesia-Version", version);
        return CheckVersion(request).ok();
    };
    EXPECT_TRUE(is_good("2026-08-14"));
    EXPECT_TRUE(is_good(""));
    EXPECT_FALSE(is_good("2026-8-14"));
    EXPECT_FALSE(is_good("newest"));
    EXPECT_FALSE(is_good("2026-08-14 "));
}

}  // namespace
}  // namespace vf::cartesia

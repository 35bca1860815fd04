// Deepgram's queries, models and messages, as values.
#include <gtest/gtest.h>

#include <set>

#include "base/json.hpp"
#include "dialects/deepgram/deepgram_error.hpp"
#include "dialects/deepgram/deepgram_messages.hpp"
#include "dialects/deepgram/voice_models.hpp"

namespace vf::deepgram {
namespace {

using audio::Format;
using Type = ClientMessage::Type;

engines::Voice Make(const char* id, const char* language, const char* gender,
                    const char* quality = "standard") {
    engines::Voice voice;
    voice.id = id;
    voice.languages = {language};
    voice.gender = gender;
    voice.quality = quality;
    return voice;
}

const engines::Catalogue& Voices() {
    static const engines::Catalogue catalogue = [] {
        engines::Catalogue made;
        for (const char* id : {"slt", "marin", "coral", "nova", "sage", "shimmer"}) {
            made.Add(Make(id, "en-US", "female"));
        }
        for (const char* id : {"cedar", "ash", "echo", "onyx", "rms", "verse", "ballad"}) {
            made.Add(Make(id, "en-US", "male"));
        }
        made.Add(Make("de-basic", "de", "female", "basic"));
        made.Add(Make("de-man", "de", "male", "basic"));
        made.Add(Make("fr", "fr-FR", "neutral", "basic"));
        return made;
    }();
    return catalogue;
}

std::string VoiceOf(std::string_view model) {
    const auto found = FindModelVoice(Voices(), model);
    return found ? (*found)->id : found.error().code();
}

TEST(DeepgramModels, AreVoicesOfTheirLanguageAndGender) {
    EXPECT_EQ(Voices().Find(VoiceOf("aura-asteria-en"))->gender, "female");
    EXPECT_EQ(Voices().Find(VoiceOf("aura-2-thalia-en"))->gender, "female");
    EXPECT_EQ(Voices().Find(VoiceOf("aura-2-zeus-en"))->gender, "male");
    EXPECT_EQ(VoiceOf("aura-2-viktoria-de"), "de-basic");
    EXPECT_EQ(VoiceOf("aura-2-fabian-de"), "de-man");
    EXPECT_EQ(VoiceOf("aura-2-agathe-fr"), "fr");  // no other gender there
    EXPECT_EQ(VoiceOf("flux-alexis-en"), VoiceOf("flux-alexis-en"));
    EXPECT_EQ(VoiceOf("flux-somebodynew-en").size() > 2, true);
    EXPECT_EQ(VoiceOf("slt"), "slt");
    std::set<std::string> men;
    for (const char* name : {"angus", "arcas", "helios", "orion", "orpheus", "perseus", "zeus"}) {
        men.insert(VoiceOf("aura-" + std::string(name) + "-en"));
    }
    EXPECT_EQ(men.size(), 7U);
}

TEST(DeepgramModels, OthersAreRefused) {
    for (const char* model :
         {"", "aura", "aura-", "aura--en", "aura-nobody-en", "aura-2-zeus", "aura-2-zeus-",
          "aura-2-uzume-ja", "nova-2", "flux-a\r\nb-en", "flux-alexis-en\r\nx"}) {
        EXPECT_EQ(VoiceOf(model), "model_not_found") << model;
    }
}

TEST(DeepgramModels, HaveIdentifiersThatStay) {
    EXPECT_EQ(ModelUuid("slt"), ModelUuid("slt"));
    EXPECT_NE(ModelUuid("slt"), ModelUuid("rms"));
    EXPECT_EQ(ModelUuid("slt").size(), 36U);
    EXPECT_EQ(ModelUuid("slt")[14], '8');
}

Result<SpeakQuery> Read(const std::string& query, Door door = Door::kHttp) {
    http::Request request;
    request.target = "/v1/speak?" + query;
    return ReadSpeakQuery(request, door, Voices());
}

std::string Wrong(const std::string& query, Door door = Door::kHttp) {
    const auto read = Read(query, door);
    return read ? "" : read.error().code() + " " + read.error().param();
}

TEST(DeepgramQuery, EveryEncodingHasItsDefaults) {
    const auto expect = [](const char* query, Format format, int rate, int bits,
                           Door door = Door::kHttp) {
        const auto read = Read(query, door);
        ASSERT_TRUE(read) << query << ": " << read.error().message();
        EXPECT_EQ(read->format, format) << query;
        EXPECT_EQ(read->sample_rate, rate) << query;
        EXPECT_EQ(read->bit_rate, bits) << query;
    };
    expect("", Format::kMp3, 22050, 48000);
    expect("encoding=mp3&bit_rate=32000&container=none", Format::kMp3, 22050, 32000);
    expect("encoding=linear16", Format::kWav, 24000, 0);
    expect("encoding=linear16&container=none&sample_rate=48000", Format::kPcm, 48000, 0);
    expect("encoding=mulaw", Format::kWavUlaw, 8000, 0);
    expect("encoding=mulaw&container=none&sample_rate=16000", Format::kPcmu, 16000, 0);
    expect("encoding=alaw&container=wav", Format::kWavAlaw, 8000, 0);
    expect("encoding=opus", Format::kOpus, 48000, 12000);
    expect("encoding=opus&bit_rate=650000&container=ogg", Format::kOpus, 48000, 256000);
    expect("encoding=flac&sample_rate=16000", Format::kFlac, 16000, 0);
    expect("encoding=aac&bit_rate=4000", Format::kAac, 22050, 16000);
    expect("", Format::kPcm, 24000, 0, Door::kSocket);
    expect("encoding=alaw", Format::kPcma, 8000, 0, Door::kSocket);
    expect("model=flux-alexis-en&sample_rate=44100", Format::kPcm, 44100, 0, Door::kTurns);
}

TEST(DeepgramQuery, WhatIsWrongIsNamed) {
    const std::string format = "unsupported_audio_format ";
    EXPECT_EQ(Wrong("encoding=vorbis"), format + "encoding");
    EXPECT_EQ(Wrong("encoding=mp3", Door::kSocket), format + "encoding");
    EXPECT_EQ(Wrong("encoding=mp3&container=wav"), format + "container");
    EXPECT_EQ(Wrong("encoding=opus&container=none"), format + "container");
    EXPECT_EQ(Wrong("container=wav", Door::kSocket), format + "container");
    EXPECT_EQ(Wrong("encoding=linear16&sample_rate=44100"), format + "sample_rate");
    EXPECT_EQ(Wrong("encoding=mp3&sample_rate=44100"), format + "sample_rate");
    EXPECT_EQ(Wrong("encoding=mp3&bit_rate=40000"), format + "bit_rate");
    EXPECT_EQ(Wrong("encoding=linear16&bit_rate=40000"), format + "bit_rate");
    EXPECT_EQ(Wrong("encoding=aac&bit_rate=200000"), format + "bit_rate");
    EXPECT_EQ(Wrong("sample_rate=fast"), "invalid_query_parameter sample_rate");
    EXPECT_EQ(Wrong("speed=0.6"), "invalid_query_parameter speed");
    EXPECT_EQ(Wrong("speed=nan"), "invalid_query_parameter speed");
    EXPECT_EQ(Wrong("model=nova-3"), "model_not_found model");
    EXPECT_EQ(Wrong("", Door::kTurns), "invalid_query_parameter model");
    EXPECT_EQ(Wrong("callback=https://example.com"), "callback_not_supported callback");
    EXPECT_EQ(Wrong("speed=&tag=a&tag=b&mip_opt_out=true&callback="), "");
    EXPECT_EQ(Wrong("model=slt&speed=0.5", Door::kTurns), "");
}

TEST(DeepgramMessage, IsReadByItsType) {
    const auto type = [](const char* text, bool has_turns = false) {
        const auto read = ReadClientMessage(text, has_turns);
        return read ? static_cast<int>(read->type) : -1;
    };
    EXPECT_EQ(type(R"({"type":"Speak","text":"a"})"), static_cast<int>(Type::kSpeak));
    EXPECT_EQ(type(R"({"type":"Flush"})"), static_cast<int>(Type::kFlush));
    EXPECT_EQ(type(R"({"type":"Clear"})"), static_cast<int>(Type::kClear));
    EXPECT_EQ(type(R"({"type":"Close"})", true), static_cast<int>(Type::kClose));
    EXPECT_EQ(type(R"({"type":"Clear"})", true), -1);
    EXPECT_EQ(type(R"({"type":"Interrupt"})"), -1);
    EXPECT_EQ(type(R"({"type":"Interrupt"})", true), static_cast<int>(Type::kInterrupt));
    EXPECT_EQ(type(R"({"type":"Speak"})"), -1);
    EXPECT_EQ(type(R"({"type":"Speak","text":7})"), -1);
    EXPECT_EQ(type(R"({"type":"speak","text":"a"})"), -1);
    EXPECT_EQ(type("[]"), -1);
    EXPECT_EQ(type("Speak"), -1);
    const auto read = ReadClientMessage(
        R"({"type":"Interrupt","playback_offset":{"type":"time_ms","value":1500}})", true);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->played, 1500);
    EXPECT_EQ(type(R"({"type":"Interrupt","playback_offset":{"value":-1}})", true), -1);
    EXPECT_EQ(type(R"({"type":"Interrupt","playback_offset":5})", true), -1);
    EXPECT_EQ(type(R"({"type":"Configure"})", true), -1);
    EXPECT_EQ(ReadClientMessage(R"({"type":"Configure","speed":1.2})", true)->speed, 1.2);
}

TEST(DeepgramError, HasTheVendorsShape) {
    http::Request request;
    request.id = "req_1";
    const auto body = [&](const Error& error, int status) {
        const auto response = ErrorResponse(error, request);
        EXPECT_EQ(response.status, status);
        return boost::json::parse(std::get<std::string>(response.body));
    };
    const json::value invalid = body(Error(ErrorKind::kInvalid, "text_empty", "No text."), 400);
    EXPECT_EQ(invalid.at("err_code"), "TEXT_EMPTY");
    EXPECT_EQ(invalid.at("err_msg"), "No text.");
    EXPECT_EQ(invalid.at("request_id"), "req_1");
    EXPECT_EQ(body(Error(ErrorKind::kInvalid, "text_too_long", ""), 413).at("err_code"),
              "TEXT_TOO_LONG");
    EXPECT_EQ(body(Error(ErrorKind::kUnauthenticated, "invalid_api_key", ""), 401).at("err_code"),
              "INVALID_AUTH");
    EXPECT_EQ(SocketErrorCode(Error(ErrorKind::kInvalid, "unknown_type", "")), "MESSAGE-0000");
    EXPECT_EQ(SocketErrorCode(Error(ErrorKind::kUnavailable, "server_busy", "")), "NET-0000");
    EXPECT_EQ(SocketErrorCode(Error(ErrorKind::kRequestTimeout, "idle_timeout", "")), "NET-0001");
}

}  // namespace
}  // namespace vf::deepgram

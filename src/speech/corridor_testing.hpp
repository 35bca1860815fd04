#pragma once
// The corridor with real worker programs, for tests: text in, bytes and timeline out.

#include <gtest/gtest.h>

#include "engines/engines.hpp"
#include "speech/speech_service.hpp"

namespace vf::speech {

// A team's own voices as a test sets them.
class OwnVoices final : public engines::VoiceSource {
public:
    std::optional<engines::TeamVoicesPtr> TryLoad(TeamId) override { return std::nullopt; }
    Task<engines::TeamVoicesPtr> Load(TeamId) override { co_return voices; }
    engines::TeamVoicesPtr voices;
};

// The real corridor, from text to bytes, with the test engine and with flite.
class CorridorTest : public testing::Test {
protected:
    CorridorTest()
        : dsp(2), engines(loop, EngineSettings()),
          service(loop, engines, dsp, options, kUnmetered, &own) {}

    static engines::EngineOptions EngineSettings() {
        engines::EngineOptions settings;
        settings.enable = "fake,flite";
        settings.worker_dir = std::string(VF_BINARY_DIR) + "/../libexec/voiceflow";
        settings.workers_per_engine = 1;
        return settings;
    }

    struct Spoken {
        std::string error;
        std::string body;
        std::shared_ptr<Speech> speech;
    };

    static Task<Spoken> SpeakTask(CorridorTest* self, SpeechRequest request, bool abandon) {
        co_await self->engines.Start();
        Spoken spoken;
        auto started = co_await self->service.Start(request);
        if (!started) {
            spoken.error = started.error().code();
        } else {
            spoken.speech = *started;
            if (abandon) {
                const Result<void> first = co_await self->service.WaitForAudio(spoken.speech);
                EXPECT_TRUE(first);
                spoken.speech->pipe->Abandon();
                while (self->service.at_work() > 0) co_await Sleep(std::chrono::milliseconds(1));
            } else {
                auto body = co_await self->service.Collect(spoken.speech);
                if (body) {
                    spoken.body = *body;
                } else {
                    spoken.error = body.error().code();
                }
            }
        }
        co_await self->engines.Stop();
        co_return spoken;
    }

    Spoken Speak(SpeechRequest request, bool abandon = false) {
        request.whole = !abandon;
        return RunTask(loop, SpeakTask(this, std::move(request), abandon));
    }

    asio::io_context loop;
    asio::thread_pool dsp;
    SpeechOptions options;
    engines::Engines engines;
    OwnVoices own;  // of callers that are known
    SpeechService service;
};

inline SpeechRequest Request(std::string voice, std::string text,
                             audio::Format format = audio::Format::kPcm) {
    SpeechRequest request;
    request.voice = std::move(voice);
    request.text = std::move(text);
    request.format = format;
    request.sample_rate = 24000;
    return request;
}

}  // namespace vf::speech

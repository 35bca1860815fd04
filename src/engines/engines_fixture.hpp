#pragma once
// Engines over real worker programs, for the tests of this folder.

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "engines/engines.hpp"

namespace vf::engines {

struct Spoken {
    bool complete = false;
    std::string error;  // its code
    std::vector<std::int16_t> samples;
    std::vector<TimingEvent> events;
    std::size_t chunks = 0;
};

class EnginesTest : public testing::Test {
protected:
    EnginesTest() {
        options_.enable = "fake";
        options_.worker_dir = VF_BINARY_DIR "/../libexec/voiceflow";
        options_.workers_per_engine = 1;
        options_.start_timeout = std::chrono::seconds(20);
        options_.first_chunk_timeout = std::chrono::seconds(20);
        options_.segment_timeout = std::chrono::seconds(60);
    }
    ~EnginesTest() override {
        if (engines_) Run(engines_->Stop());
        engines_.reset();
        loop_.restart();
        loop_.poll();
    }

    void Start() {
        engines_ = std::make_unique<Engines>(loop_, options_);
        Run(engines_->Start());
    }

    // Runs the loop until `task` is done; the workers' own coroutines go on afterwards.
    template <class T>
    T Run(Task<T> task) {
        if constexpr (std::is_void_v<T>) {
            bool done = false;
            asio::co_spawn(loop_, std::move(task), [&](std::exception_ptr) { done = true; });
            Until([&] { return done; });
        } else {
            std::optional<T> result;
            asio::co_spawn(loop_, std::move(task),
                           [&](std::exception_ptr, T value) { result.emplace(std::move(value)); });
            Until([&] { return result.has_value(); });
            return std::move(*result);
        }
    }

    template <class Condition>
    void Until(Condition condition) {
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
        loop_.restart();
        while (!condition()) {
            if (std::chrono::steady_clock::now() > deadline) {
                throw std::runtime_error("the condition did not come true within a minute");
            }
            loop_.run_one_for(std::chrono::milliseconds(100));
        }
    }

    Result<std::unique_ptr<Utterance>> Begin(std::string voice, std::string text) {
        SegmentRequest request;
        request.voice = std::move(voice);
        request.text = std::move(text);
        return Run(engines_->Speak(std::move(request)));
    }

    Spoken Speak(SegmentRequest request) {
        Spoken spoken;
        auto utterance = Run(engines_->Speak(std::move(request)));
        if (!utterance) {
            spoken.error = utterance.error().code();
            return spoken;
        }
        Drain(**utterance, spoken);
        return spoken;
    }
    Spoken Speak(std::string voice, std::string text) {
        SegmentRequest request;
        request.voice = std::move(voice);
        request.text = std::move(text);
        return Speak(std::move(request));
    }

    void Drain(Utterance& utterance, Spoken& spoken) {
        for (;;) {
            auto chunk = Run(utterance.Next());
            if (!chunk) {
                spoken.error = chunk.error().code();
                return;
            }
            if (!*chunk) break;
            ++spoken.chunks;
            EngineChunk& part = **chunk;
            spoken.samples.insert(spoken.samples.end(), part.samples.begin(), part.samples.end());
            spoken.events.insert(spoken.events.end(), part.events.begin(), part.events.end());
        }
        spoken.complete = true;
    }

    EngineStats Stats() { return engines_->stats().at(0); }

    // A folder in which the fake worker goes by another name.
    std::string FolderWith(const std::string& name) {
        const std::string folder = testing::TempDir() + "/vf_workers_" + name;
        std::filesystem::create_directories(folder);
        std::filesystem::remove(folder + "/voiceflow-worker-" + name);
        std::filesystem::create_symlink(
            std::filesystem::canonical(VF_BINARY_DIR "/../libexec/voiceflow/voiceflow-worker-fake"),
            folder + "/voiceflow-worker-" + name);
        return folder;
    }

    asio::io_context loop_;
    EngineOptions options_;
    std::unique_ptr<Engines> engines_;
};

}  // namespace vf::engines

#pragma once
// Speaks a text file line by line with one voice, for the measuring programs.

#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/log.hpp"
#include "engines/engines.hpp"

namespace vf::bench {

struct Recording {
    int sample_rate = 0;
    std::vector<std::int16_t> samples;
};

inline std::vector<std::string> ReadLines(const std::string& path) {
    std::ifstream file(path);
    std::vector<std::string> lines;
    for (std::string line; std::getline(file, line);) {
        if (!line.empty()) lines.push_back(line);
    }
    if (lines.empty()) throw std::runtime_error("no text in " + path);
    return lines;
}

inline Task<Recording> SpeakLines(engines::Engines* all, std::string voice,
                                  std::vector<std::string> lines) {
    Recording recording;
    for (const std::string& line : lines) {
        engines::SegmentRequest request;
        request.voice = voice;
        request.text = line;
        auto utterance = co_await all->Speak(std::move(request));
        if (!utterance) throw std::runtime_error(voice + ": " + utterance.error().code());
        recording.sample_rate = (*utterance)->sample_rate();
        for (;;) {
            auto chunk = co_await (*utterance)->Next();
            if (!chunk) throw std::runtime_error(voice + ": " + chunk.error().code());
            if (!*chunk) break;
            recording.samples.insert(recording.samples.end(), (*chunk)->samples.begin(),
                                     (*chunk)->samples.end());
        }
    }
    co_return recording;
}

// Runs `body` with started engines; returns the program's exit code.
template <class Body>
int WithEngines(Body body) {
    log::Configure(log::Level::kWarning, log::Format::kText, "");
    asio::io_context loop;
    engines::Engines all(loop, {});
    int code = 1;
    auto run = [](engines::Engines* e, Body b, int* out) -> Task<void> {
        co_await e->Start();
        try {
            *out = co_await b(e);
        } catch (const std::exception& error) {
            log::Error("failed", {{"error", error.what()}});
        }
        co_await e->Stop();
    };
    Spawn(loop.get_executor(), run(&all, std::move(body), &code), "bench");
    loop.run();
    return code;
}

}  // namespace vf::bench

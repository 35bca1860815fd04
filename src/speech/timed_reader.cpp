#include "speech/timed_reader.hpp"

#include <limits>

namespace vf::speech {
namespace {

// What is known and not taken yet, as far as it begins before `until`.
void Take(const std::vector<TimelineItem>& all, std::size_t& next, double until,
          std::vector<TimelineItem>& out) {
    while (next < all.size() && all[next].start_seconds < until) out.push_back(all[next++]);
}

}  // namespace

TimedReader::TimedReader(std::shared_ptr<Speech> speech) : speech_(std::move(speech)) {}

Task<Result<std::optional<TimedChunk>>> TimedReader::Next() {
    Speech& speech = *speech_;
    if (is_over_) co_return std::optional<TimedChunk>();
    std::optional<std::string> bytes = co_await speech.pipe->Read();
    if (!bytes && speech.pipe->failed()) {
        is_over_ = true;
        co_return *speech.pipe->error();
    }
    TimedChunk chunk;
    chunk.start_seconds = seconds_;
    chunk.is_last = !bytes;
    is_over_ = chunk.is_last;
    if (bytes) {
        chunk.audio = *std::move(bytes);
        bytes_ += chunk.audio.size();
    }
    while (!speech.progress.empty() && speech.progress.front().bytes <= bytes_) {
        seconds_ = static_cast<double>(speech.progress.front().samples) / speech.sample_rate;
        speech.progress.pop_front();
    }
    if (chunk.is_last) seconds_ = speech.seconds();
    chunk.end_seconds = seconds_;
    const double until = chunk.is_last ? std::numeric_limits<double>::infinity() : seconds_;
    const Timeline& timeline = speech.timeline;
    Take(timeline.words, words_, until, chunk.words);
    Take(timeline.phonemes, phonemes_, until, chunk.phonemes);
    Take(timeline.visemes, visemes_, until, chunk.visemes);
    Take(timeline.marks, marks_, until, chunk.marks);
    Take(timeline.characters, characters_, until, chunk.characters);
    Take(timeline.normalised_characters, normalised_, until, chunk.normalised_characters);
    if (chunk.is_last && speech.pipe->abandoned()) co_return std::optional<TimedChunk>();
    co_return std::optional<TimedChunk>(std::move(chunk));
}

}  // namespace vf::speech

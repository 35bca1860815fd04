#include "dialects/cartesia/cartesia_events.hpp"

#include "base/base64.hpp"

namespace vf::cartesia {
namespace {

using speech::TimelineItem;

constexpr int kMore = 206;  // as Cartesia says while more follows
constexpr int kAll = 200;

json::object Times(const char* name, const std::vector<TimelineItem>& items, json::array labels) {
    json::array starts;
    json::array ends;
    for (const TimelineItem& item : items) {
        starts.emplace_back(item.start_seconds);
        ends.emplace_back(item.end_seconds);
    }
    return {{name, std::move(labels)}, {"start", std::move(starts)}, {"end", std::move(ends)}};
}

}  // namespace

std::string WrittenWord(const TimelineItem& word, std::string_view text) {
    constexpr std::string_view kBefore = "\"'([{<$#@";
    constexpr std::string_view kAfter = ".,;:!?\"')]}>%";
    if (word.text_end > text.size() || word.text_begin >= word.text_end) return word.label;
    std::size_t begin = word.text_begin;
    std::size_t end = word.text_end;
    while (begin > 0 && kBefore.find(text[begin - 1]) != std::string_view::npos) --begin;
    // What stands between two words without a space clings to the first one.
    if (begin > 0 && text[begin - 1] != ' ' && text[begin - 1] != '\n') begin = word.text_begin;
    while (end < text.size() && kAfter.find(text[end]) != std::string_view::npos) ++end;
    return std::string(text.substr(begin, end - begin));
}

Events::Events(const Generation& generation, std::optional<std::string> context, bool has_flushes)
    : context_(std::move(context)), has_flushes_(has_flushes), wants_words_(generation.wants_words),
      wants_phonemes_(generation.wants_phonemes), is_normalised_(generation.is_normalised) {}

json::object Events::Begin(const char* type, int status) const {
    json::object event{{"type", type}, {"done", status == kAll}, {"status_code", status}};
    if (context_) event["context_id"] = *context_;
    if (has_flushes_ && status == kMore) event["flush_id"] = flush_id_;
    return event;
}

std::string Events::Chunk(std::string_view audio) {
    const auto now = std::chrono::steady_clock::now();
    const std::chrono::duration<double, std::milli> took = now - step_;
    step_ = now;
    json::object event = Begin("chunk", kMore);
    event["step_time"] = took.count();
    std::string text = json::Print(event);
    text.back() = ',';  // base64 needs no escaping
    return text + R"("data":")" + Base64(audio) + R"("})";
}

std::vector<std::string> Events::OfChunk(const speech::TimedChunk& chunk, std::string_view text) {
    std::vector<std::string> out;
    if (!chunk.audio.empty()) out.push_back(Chunk(chunk.audio));
    if (wants_words_ && !chunk.words.empty()) {
        json::array labels;
        for (const TimelineItem& word : chunk.words) {
            const bool is_spoken = is_normalised_ && !word.spoken.empty();
            labels.emplace_back(is_spoken ? word.spoken : WrittenWord(word, text));
        }
        json::object event = Begin("timestamps", kMore);
        event["word_timestamps"] = Times("words", chunk.words, std::move(labels));
        out.push_back(json::Print(event));
    }
    if (wants_phonemes_ && !chunk.phonemes.empty()) {
        json::array labels;
        for (const TimelineItem& phoneme : chunk.phonemes) labels.emplace_back(phoneme.label);
        json::object event = Begin("phoneme_timestamps", kMore);
        event["phoneme_timestamps"] = Times("phonemes", chunk.phonemes, std::move(labels));
        out.push_back(json::Print(event));
    }
    return out;
}

std::string Events::FlushDone() {
    json::object event = Begin("flush_done", kMore);
    event["flush_done"] = true;
    event["flush_id"] = flush_id_++;
    return json::Print(event);
}

std::string Events::Done() const {
    return json::Print(Begin("done", kAll));
}

}  // namespace vf::cartesia

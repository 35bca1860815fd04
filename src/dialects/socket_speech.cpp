#include "dialects/socket_speech.hpp"

#include "base/log.hpp"

namespace vf::dialects {

Task<SpeechEnd> ForwardSpeech(std::shared_ptr<speech::Speech> speech,
                              std::shared_ptr<ChunkSink> sink, std::string request_id) {
    SpeechEnd end;
    try {
        speech::TimedReader reader(speech);
        for (;;) {
            Result<std::optional<speech::TimedChunk>> next = co_await reader.Next();
            if (!next) end.failure = next.error();
            if (!next || !*next) break;
            speech::TimedChunk chunk = std::move(**next);
            const bool is_last = chunk.is_last;
            const bool is_wanted = co_await sink->Take(std::move(chunk));
            if (!is_wanted) break;
            end.is_whole = is_last;
            if (is_last) break;
        }
    } catch (const std::exception& e) {
        log::Error("socket_speech_failed", {{"request_id", request_id}, {"error", e.what()}});
        end.failure = Error();
    }
    co_return end;
}

bool FlushMarks::TakeDone(std::uint64_t sent) {
    if (marks_.empty() || sent < marks_.front()) return false;
    marks_.pop_front();
    return true;
}

}  // namespace vf::dialects

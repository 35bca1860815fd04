// Texts found in audio: a job of the aligner's pool, whose reply is all events and no samples.
#include "base/utf8.hpp"
#include "engines/engines.hpp"
#include "engines/job.hpp"
#include "engines/pool.hpp"

namespace vf::engines {
namespace {

constexpr int kAlignmentRate = 16'000;  // what the aligner's events count in

Error Wrong(std::string code, std::string message) {
    return {ErrorKind::kInvalid, std::move(code), std::move(message)};
}

struct WhenLeft {
    std::shared_ptr<Job> job;
    ~WhenLeft() { job->Cancel(); }
};

Result<void> Check(const AlignRequest& request) {
    if (request.text.empty()) return Wrong("empty_text", "There is no text to align.");
    if (request.text.size() > kMaxAlignedTextBytes) {
        return Wrong("text_too_long", "The text is too long to be aligned at once.");
    }
    if (Utf8FindInvalid(request.text) || request.text.find('\0') != std::string::npos) {
        return Wrong("invalid_text", "The text is not valid UTF-8.");
    }
    if (!request.audio || request.audio->empty()) {
        return Wrong("invalid_audio", "There is no audio.");
    }
    if (request.audio->size() > kMaxInputBytes) {
        return Wrong("audio_too_long", "The audio is too large to be aligned at once.");
    }
    return {};
}

// What the aligner refuses, in words for the caller.
Error InWords(const Error& error, std::chrono::milliseconds longest) {
    if (error.code() == "invalid_audio") {
        return Wrong(error.code(), "The audio cannot be read; send WAV, FLAC, Ogg, MP3 or AIFF.");
    }
    if (error.code() == "audio_too_long") {
        const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(longest).count();
        return Wrong(error.code(), "The audio has more than " + std::to_string(seconds) +
                                       " seconds, the most that is aligned at once.");
    }
    if (error.code() == "alignment_failed") {
        return Wrong(error.code(),
                     "The text does not fit into the audio: it has no word that can be spoken, or "
                     "the audio is too short for it.");
    }
    return error;
}

}  // namespace

bool Engines::Aligns(std::string_view language) const {
    const bool is_english = language == "en" || language.starts_with("en-");
    return is_english && aligner_ && (aligner_->serves() || !has_aligner_started_);
}

Task<Result<Alignment>> Engines::Align(AlignRequest request) {
    const Result<void> checked = Check(request);
    if (!checked) co_return checked.error();
    if (!Aligns(request.language)) {
        co_return Error(ErrorKind::kUnavailable, "no_worker",
                        "Nothing on this server can align a text of this language now.");
    }
    if (!has_aligner_started_) {
        has_aligner_started_ = true;
        aligner_->Start();
    }
    co_await aligner_->WaitSettled(Job::Clock::now() + options_.start_timeout);
    Request wanted;
    wanted.voice = "en";
    wanted.text = std::move(request.text);
    const auto longest =
        std::chrono::duration_cast<std::chrono::seconds>(options_.alignment_audio).count();
    wanted.input = Input{request.audio, request.audio->size(), request.sample_rate,
                         static_cast<std::uint32_t>(longest)};
    auto job = std::make_shared<Job>(loop_.get_executor(), *aligner_, std::move(wanted),
                                     kAlignmentRate, options_.segment_buffer);
    // From here on, leaving this function in any way cancels the job.
    const WhenLeft leave{job};
    Result<void> taken = aligner_->Submit(job);
    if (!taken) {
        const Error refusal = std::move(taken).error();
        job->Fail(refusal);
        co_return refusal;
    }
    Alignment found;
    found.sample_rate = kAlignmentRate;
    for (;;) {
        Result<std::optional<EngineChunk>> next = co_await job->Next();
        if (!next) co_return InWords(next.error(), options_.alignment_audio);
        if (!*next) break;
        for (TimingEvent& event : (*next)->events) found.events.push_back(std::move(event));
    }
    if (found.events.empty()) co_return InWords(Wrong("alignment_failed", {}), {});
    co_return found;
}

}  // namespace vf::engines

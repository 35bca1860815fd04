#include "vendors/vendor_speaker.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "vendors/audio_reader.hpp"

namespace vf::vendors {
namespace {

constexpr std::chrono::seconds kConnectTimeout{5};
constexpr int kFailuresToRest = 3;
constexpr std::chrono::seconds kRest{5};
constexpr std::size_t kMaxErrorBody = 8 * 1024;
// Base64, times and lines around the samples make an answer this much longer, with room.
constexpr std::uint64_t kMaxAnswer = 128ULL << 20U;
constexpr std::uint64_t kMaxSamples = 300ULL * kSampleRate;

Error Timeout(Vendor vendor) {
    return ErrorOf(vendor, Error(ErrorKind::kDeadline, "request_timeout", ""));
}

Error TooLong(Vendor vendor) {
    return ErrorOf(vendor, Error(ErrorKind::kTooLarge, "response_too_large", ""));
}

Error NoAudio(Vendor vendor) {
    return {ErrorKind::kUnavailable, "vendor_no_audio",
            fmt::format("{} answered without any audio.", DisplayName(vendor))};
}

// To whoever keeps the connection's state; that a caller has gone says nothing about a vendor.
void Tell(const Line& line, const Error& error) {
    if (error.code() == "cancelled") return;
    line.health->Failed(error, Health::Clock::now());
    if (line.on_failure) line.on_failure(error);
}

// Reads with a clock that runs only while the vendor is waited for.
class Answer {
public:
    Answer(Executor executor, std::shared_ptr<BytePipe> pipe, std::chrono::milliseconds most)
        : pipe_(std::move(pipe)), left_(most), timer_(executor) {}
    ~Answer() { pipe_->Abandon(); }

    Task<std::optional<std::string>> Read() {
        if (pipe_->ready()) co_return co_await pipe_->Read();
        const auto since = std::chrono::steady_clock::now();
        timer_.expires_after(left_);
        timer_.async_wait([pipe = pipe_, is_late = is_late_](ErrorCode ec) {
            if (ec) return;
            *is_late = true;
            pipe->Abandon();
        });
        std::optional<std::string> chunk = co_await pipe_->Read();
        timer_.cancel();
        left_ -= std::chrono::steady_clock::now() - since;
        if (left_.count() < 0) left_ = {};
        co_return chunk;
    }
    bool is_late() const { return *is_late_; }
    const std::optional<Error>& error() const { return pipe_->error(); }

private:
    std::shared_ptr<BytePipe> pipe_;
    std::chrono::steady_clock::duration left_;
    SteadyTimer timer_;
    std::shared_ptr<bool> is_late_ = std::make_shared<bool>(false);
};

// The first few KiB of an answer that is no audio.
Task<std::string> ReadError(std::shared_ptr<const Line> line, std::shared_ptr<BytePipe> pipe) {
    Answer answer(line->executor, std::move(pipe), line->first_byte_timeout);
    std::string body;
    while (body.size() < kMaxErrorBody) {
        std::optional<std::string> chunk = co_await answer.Read();
        if (!chunk) break;
        body += *chunk;
    }
    body.resize(std::min(body.size(), kMaxErrorBody));
    co_return body;
}

class VendorUtterance final : public engines::Utterance {
public:
    VendorUtterance(std::shared_ptr<const Line> line, std::shared_ptr<BytePipe> pipe,
                    std::unique_ptr<AudioReader> reader)
        : line_(std::move(line)), answer_(line_->executor, std::move(pipe), line_->segment_timeout),
          reader_(std::move(reader)) {}

    int sample_rate() const override { return kSampleRate; }

    Task<Result<std::optional<engines::EngineChunk>>> Next() override {
        if (failure_) co_return *failure_;
        if (is_over_) co_return std::optional<engines::EngineChunk>();
        for (;;) {
            std::optional<std::string> bytes = co_await answer_.Read();
            Result<engines::EngineChunk> chunk = Take(bytes);
            if (!chunk) co_return Fail(std::move(chunk).error());
            samples_ += chunk->samples.size();
            if (samples_ > kMaxSamples) co_return Fail(TooLong(vendor()));
            if (is_over_ && samples_ == 0) co_return Fail(NoAudio(vendor()));
            const bool is_nothing = chunk->samples.empty() && chunk->events.empty();
            if (is_over_) line_->health->Succeeded();
            if (!is_nothing) co_return std::optional<engines::EngineChunk>(*std::move(chunk));
            if (is_over_) co_return std::optional<engines::EngineChunk>();
        }
    }

private:
    Vendor vendor() const { return line_->account.vendor; }

    Result<engines::EngineChunk> Take(const std::optional<std::string>& bytes) {
        if (bytes) return reader_->Feed(*bytes);
        if (answer_.is_late()) return Timeout(vendor());
        if (answer_.error()) return ErrorOf(vendor(), *answer_.error());
        is_over_ = true;
        return reader_->Finish();
    }

    Error Fail(Error error) {
        Tell(*line_, error);
        failure_ = error;
        return error;
    }

    std::shared_ptr<const Line> line_;
    Answer answer_;
    std::unique_ptr<AudioReader> reader_;
    std::uint64_t samples_ = 0;
    bool is_over_ = false;
    std::optional<Error> failure_;
};

}  // namespace

std::optional<Error> Health::Refuses(Vendor vendor, Clock::time_point now) const {
    if (failures_ < kFailuresToRest || now >= rests_until_) return std::nullopt;
    const auto left = std::chrono::ceil<std::chrono::seconds>(rests_until_ - now);
    return Error(ErrorKind::kUnavailable, "vendor_unavailable",
                 fmt::format("{} has not answered several times in a row and is left alone for a "
                             "moment. Try again in {} s.",
                             DisplayName(vendor), left.count()))
        .RetryAfter(left);
}

void Health::Failed(const Error& error, Clock::time_point now) {
    const bool is_away = error.code() == "vendor_unavailable" || error.code() == "vendor_timeout";
    if (!is_away) return;
    ++failures_;
    rests_until_ = now + kRest;
}

Task<Result<std::unique_ptr<engines::Utterance>>> VendorSpeaker::Speak(
    engines::SegmentRequest request) {
    // The speaker may go with its connection while this waits.
    const std::shared_ptr<const Line> line = line_;
    const std::string voice = voice_;
    const Vendor vendor = line->account.vendor;
    if (line->broken) co_return *line->broken;
    if (auto refusal = line->health->Refuses(vendor, Health::Clock::now())) co_return *refusal;
    for (;;) {
        const bool is_plain = line->health->is_plain && vendor == Vendor::kCartesia;
        http::ClientRequest call = SpeechCall(line->account, voice, request, is_plain);
        call.addresses = line->addresses;
        call.connect_timeout = kConnectTimeout;
        call.deadline = line->first_byte_timeout;
        call.idle_timeout = line->first_byte_timeout;
        call.max_response_bytes = kMaxAnswer;
        call.stream_response = true;
        call.cancel = request.cancel;
        Result<http::ClientResponse> answer = co_await line->client->Send(std::move(call));
        Error failure;
        if (!answer) {
            failure = ErrorOf(vendor, answer.error());
        } else if (answer->status / 100 == 2) {
            auto reader = MakeReader(vendor, std::move(request.text), is_plain);
            std::unique_ptr<engines::Utterance> utterance =
                std::make_unique<VendorUtterance>(line, answer->pipe, std::move(reader));
            co_return std::move(utterance);
        } else {
            const std::string body = co_await ReadError(line, answer->pipe);
            const bool has_no_route = answer->status == 404 || answer->status == 405;
            if (vendor == Vendor::kCartesia && !is_plain && has_no_route) {
                line->health->is_plain = true;
                continue;
            }
            failure = ErrorOf(vendor, answer->status, answer->headers, body);
        }
        Tell(*line, failure);
        co_return failure;
    }
}

}  // namespace vf::vendors

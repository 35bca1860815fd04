#pragma once
// A vendor's voice as a Speaker: one HTTP exchange a segment, its audio handed on as it arrives.
// On the loop.

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "engines/speaker.hpp"
#include "http/client.hpp"
#include "vendors/vendor_wire.hpp"

namespace vf::vendors {

// What is known of a vendor's health, so that a speech does not wait again and again for one that
// is away: after a few failures in a row it is left alone for a moment.
class Health {
public:
    using Clock = std::chrono::steady_clock;

    // The error to answer with without asking; none: ask.
    std::optional<Error> Refuses(Vendor vendor, Clock::time_point now) const;
    void Succeeded() { failures_ = 0; }
    void Failed(const Error& error, Clock::time_point now);

    // Cartesia's older servers have no route with times.
    bool is_plain = false;

private:
    int failures_ = 0;
    Clock::time_point rests_until_{};
};

// What all voices of one connection share; speeches that are under way keep it.
struct Line {
    Executor executor;
    http::HttpClient* client;  // outlives the loop's work
    Account account;
    http::AddressPolicy addresses = http::AddressPolicy::kPublicOnly;
    std::chrono::milliseconds first_byte_timeout{10'000};
    std::chrono::milliseconds segment_timeout{60'000};
    // Why nothing can be spoken whoever asks: the key cannot be decrypted.
    std::optional<Error> broken;
    std::shared_ptr<Health> health;
    std::function<void(const Error&)> on_failure;  // for the connection's last error
};

class VendorSpeaker final : public engines::Speaker {
public:
    VendorSpeaker(std::shared_ptr<const Line> line, std::string voice)
        : line_(std::move(line)), voice_(std::move(voice)) {}

    // Returns with the head of the vendor's answer. Errors, here and of the utterance: those of
    // ErrorOf and AudioReader; kUnavailable vendor_timeout, vendor_no_audio,
    // vendor_answer_too_long.
    Task<Result<std::unique_ptr<engines::Utterance>>> Speak(
        engines::SegmentRequest request) override;

private:
    std::shared_ptr<const Line> line_;
    std::string voice_;
};

}  // namespace vf::vendors

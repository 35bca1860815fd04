#pragma once
// What a plan allows. Data, from the catalogue in the table `plans`; shared, never changed after it
// was read. No value: no bound.

#include <cstdint>
#include <optional>
#include <string>

namespace vf {

// Whose work goes first when there is more than the engines can do.
enum class PlanTier { kFree, kPaid, kEnterprise };

struct Plan {
    std::string id;    // "free"
    std::string name;  // "Free"
    PlanTier tier = PlanTier::kFree;
    std::string currency = "USD";  // ISO 4217
    std::int64_t price_minor = 0;  // a month, in the currency's minor units

    // Allowances of one calendar month, UTC.
    std::optional<std::int64_t> requests;
    std::optional<std::int64_t> characters;
    std::optional<std::int64_t> audio_ms;
    // Beyond an allowance: counted and charged when there is a price, refused when there is none.
    // In thousandths of a minor unit, for one request, one character, one second of audio.
    std::optional<std::int64_t> over_request_milli;
    std::optional<std::int64_t> over_character_milli;
    std::optional<std::int64_t> over_audio_second_milli;

    std::optional<std::int64_t> concurrency;      // speeches at once, of a team
    std::optional<std::int64_t> text_characters;  // of one request, below the dialect's own bound
    std::optional<std::int64_t> voices;           // a team may make
    std::optional<std::int64_t> deployments;
    std::optional<std::int64_t> storage_bytes;
    std::string quality = "standard";  // the best tier: standard, premium or studio
};

}  // namespace vf

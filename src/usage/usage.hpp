#pragma once
// What was used: one row for every operation (one piece of billable work), and nothing counted
// twice or lost. The way of a row:
//
//   speech -> Journal (journal.hpp: this node's files) -> Shipper (shipper.hpp) -> usage_rows
//
// and out again through UsageService (usage_service.hpp) and GET /api/usage.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/ids.hpp"
#include "base/settings.hpp"
#include "usage/ingest_totals.hpp"

namespace vf::usage {

enum class Kind : std::uint8_t { kSpeech };

// What became of the reply.
enum class Delivery : std::uint8_t {
    kUnknown,      // whole; the server died before it knew
    kInterrupted,  // a stream; the server died in the middle of it
    kComplete,     // everything was handed to the kernel
    kAborted,      // the client went away
    kFailed,       // our side could not finish
};

std::string_view KindName(Kind kind);              // "speech"
std::string_view DeliveryName(Delivery delivery);  // "complete"
std::optional<Delivery> ParseDelivery(std::string_view name);

// Texts are kept as at most kMaxText bytes of valid UTF-8 without NUL: what is longer is cut, what
// is not UTF-8 replaced. Counts lie between 0 and kMaxCount, so that the sum of any batch fits 63
// bits; what lies outside is kept as the nearer bound.
inline constexpr std::size_t kMaxText = 200;
inline constexpr std::int64_t kMaxCount = 100'000'000'000'000;

struct UsageRow {
    OperationId operation;  // its time stamp decides the month; 2020 to 2100
    Kind kind = Kind::kSpeech;
    TeamId team;
    std::optional<KeyId> key;
    BillingAccountId billing;
    std::string route;  // the pattern, "/v1/generate"
    std::string voice;
    std::string model;
    std::string engine;
    std::string region;           // "" when there is only one
    std::string deployment;       // the vendor connection that spoke; "" without one
    std::int64_t characters = 0;  // Unicode code points of the text as sent
    std::int64_t audio_ms = 0;
    std::int64_t engine_ms = 0;     // spent by the engines, waiting not counted
    std::int64_t bytes = 0;         // of the body
    std::int64_t charge_milli = 0;  // thousandths of a minor unit, beyond the allowance
    // What the team's own account at a vendor paid, apart from the charge: thousandths of a minor
    // unit of `vendor_currency` (ISO 4217; "" when nothing was or the price is not known).
    std::int64_t vendor_milli = 0;
    std::string vendor_currency;
    int status = 200;                         // HTTP
    Delivery delivery = Delivery::kComplete;  // of an end; a mark's is set when it is charged
    bool streamed = false;  // a mark without an end is kInterrupted, else kUnknown
    bool cached = false;    // all of the audio came from the cache
    bool live = false;      // false: a test key or the demo team
    NodeId node;            // set by the journal
    std::chrono::sys_time<std::chrono::milliseconds> started_at;

    bool operator==(const UsageRow&) const = default;
};

struct UsageOptions {
    std::chrono::milliseconds sync_interval{50};   // what a power loss may cost
    std::uint64_t segment_bytes = 8ULL << 20;      // of one journal file
    std::uint64_t max_unshipped = 1ULL << 30;      // bytes; beyond it nothing new is accepted
    std::int64_t batch_rows = 5000;                // at most, in one transaction
    std::chrono::milliseconds ship_interval{500};  // how long a row waits for others
};

// Section "usage".
void DeclareSettings(SettingsSchema& schema, UsageOptions& options);

}  // namespace vf::usage

#include "usage/usage.hpp"

#include <array>

namespace vf::usage {
namespace {

constexpr std::array<std::string_view, 5> kDeliveries{"unknown", "interrupted", "complete",
                                                      "aborted", "failed"};

}  // namespace

std::string_view KindName(Kind kind) {
    switch (kind) {
        case Kind::kSpeech: return "speech";
    }
    return "speech";
}

std::string_view DeliveryName(Delivery delivery) {
    return kDeliveries[static_cast<std::size_t>(delivery)];
}

std::optional<Delivery> ParseDelivery(std::string_view name) {
    for (std::size_t i = 0; i < kDeliveries.size(); ++i) {
        if (kDeliveries[i] == name) return static_cast<Delivery>(i);
    }
    return std::nullopt;
}

void DeclareSettings(SettingsSchema& schema, UsageOptions& options) {
    using std::chrono::milliseconds;
    schema.Duration("usage.sync_interval", options.sync_interval, milliseconds(1),
                    milliseconds(10'000),
                    {"\"50ms\"",
                     "How often the usage journal is forced to the disk: what a power loss may "
                     "cost."});
    schema.Bytes("usage.segment_bytes", options.segment_bytes, 64 << 10, 1 << 30,
                 {"\"8MiB\"", "The size of one file of the usage journal, allocated ahead."});
    schema.Bytes("usage.max_unshipped", options.max_unshipped, 64 << 10, 1ULL << 40,
                 {"\"1GiB\"",
                  "How much of the usage journal may wait for the database before new speech is "
                  "refused."});
    schema.Integer("usage.batch_rows", options.batch_rows, 1, 50'000,
                   {"5000", "How many usage rows go to the database in one transaction, at most."});
    schema.Duration("usage.ship_interval", options.ship_interval, milliseconds(1),
                    milliseconds(60'000),
                    {"\"500ms\"", "How long a usage row waits for others to go with it."});
}

}  // namespace vf::usage

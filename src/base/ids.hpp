#pragma once
// Ids: UUID version 7 (RFC 9562: 48 bits of Unix milliseconds, then random bits), written on the
// wire as a type prefix and 32 hexadecimal digits, e.g. "req_01932c5a…". Ids made on one thread
// within a millisecond keep their order.

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vf {

struct Uuid {
    std::array<std::uint8_t, 16> bytes{};
    auto operator<=>(const Uuid&) const = default;

    // 32 lower-case hexadecimal digits.
    std::string Hex() const;
    // The usual form with dashes, as PostgreSQL prints it.
    std::string Dashed() const;
    // Milliseconds since 1970 that a version 7 id carries.
    std::uint64_t UnixMillis() const;
    // Reads either form.
    static std::optional<Uuid> Parse(std::string_view text);
};

Uuid NewUuid();

// A distinct type per kind of thing: Id<TeamTag> and Id<KeyTag> do not mix.
template <class Tag>
struct Id {
    Uuid uuid;
    auto operator<=>(const Id&) const = default;

    static Id New() { return Id{NewUuid()}; }
    std::string Wire() const { return std::string(Tag::kPrefix) + "_" + uuid.Hex(); }
    static std::optional<Id> Parse(std::string_view wire) {
        const std::string_view prefix = Tag::kPrefix;
        if (!wire.starts_with(prefix) || wire.size() <= prefix.size() ||
            wire[prefix.size()] != '_') {
            return std::nullopt;
        }
        const auto uuid = Uuid::Parse(wire.substr(prefix.size() + 1));
        if (!uuid) return std::nullopt;
        return Id{*uuid};
    }
};

struct OperationTag {
    static constexpr std::string_view kPrefix = "op";
};
struct RequestTag {
    static constexpr std::string_view kPrefix = "req";
};
struct InstanceTag {
    static constexpr std::string_view kPrefix = "inst";
};
struct AccountTag {
    static constexpr std::string_view kPrefix = "acc";
};
struct TeamTag {
    static constexpr std::string_view kPrefix = "team";
};
struct BillingAccountTag {
    static constexpr std::string_view kPrefix = "bill";
};
struct KeyTag {
    static constexpr std::string_view kPrefix = "key";
};
struct EventTag {
    static constexpr std::string_view kPrefix = "evt";
};
struct JobTag {
    static constexpr std::string_view kPrefix = "job";
};
struct BlobTag {
    static constexpr std::string_view kPrefix = "blob";
};
struct BudgetTag {
    static constexpr std::string_view kPrefix = "budget";
};
struct NodeTag {
    static constexpr std::string_view kPrefix = "node";
};
using OperationId = Id<OperationTag>;            // one piece of billable speech work
using RequestId = Id<RequestTag>;                // one HTTP exchange
using InstanceId = Id<InstanceTag>;              // one installation (its database)
using AccountId = Id<AccountTag>;                // a person
using TeamId = Id<TeamTag>;                      // a tenant
using BillingAccountId = Id<BillingAccountTag>;  // who pays, for one or more teams
using KeyId = Id<KeyTag>;                        // an API key
using EventId = Id<EventTag>;
using JobId = Id<JobTag>;        // background work
using BlobId = Id<BlobTag>;      // a stored object
using BudgetId = Id<BudgetTag>;  // one bound on what may be used in a period
using NodeId = Id<NodeTag>;      // one data folder: a server process with its journal

}  // namespace vf

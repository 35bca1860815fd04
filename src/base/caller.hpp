#pragma once
// Who makes a request. Made in one place (identity::Access) before any handler runs; handlers and
// services receive it and never look at credentials themselves. A value: copies are cheap.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/ids.hpp"
#include "base/plan.hpp"

namespace vf {

// What a key may be used for: an area, to read or to write. Writing does not include reading.
enum class Scope : std::uint8_t {
    kSpeechRead,
    kSpeechWrite,
    kVoicesRead,
    kVoicesWrite,
    kModelsRead,
    kModelsWrite,
    kDeploymentsRead,
    kDeploymentsWrite,
    kUsageRead,
    kUsageWrite,
    kKeysRead,
    kKeysWrite,
    kAdminRead,
    kAdminWrite,
};
inline constexpr std::size_t kScopeCount = 14;

std::string_view ScopeName(Scope scope);  // "speech:write"
std::optional<Scope> ParseScope(std::string_view name);

class Scopes {
public:
    constexpr Scopes() = default;
    static constexpr Scopes All() { return Scopes((1U << kScopeCount) - 1); }
    constexpr void Add(Scope scope) { bits_ |= 1U << static_cast<unsigned>(scope); }
    constexpr void Remove(Scope scope) { bits_ &= ~(1U << static_cast<unsigned>(scope)); }
    constexpr bool Has(Scope scope) const {
        return ((bits_ >> static_cast<unsigned>(scope)) & 1U) != 0;
    }
    constexpr bool empty() const { return bits_ == 0; }
    constexpr bool operator==(const Scopes&) const = default;

private:
    explicit constexpr Scopes(std::uint32_t bits) : bits_(bits) {}
    std::uint32_t bits_ = 0;
};

// In a team. A key has none of its own.
enum class Role : std::uint8_t { kNone, kViewer, kDeveloper, kAdmin, kOwner };

// The team that demo callers act as; made by the migrations, billed to nobody.
inline constexpr TeamId kDemoTeam{
    Uuid{{0x01, 0x93, 0, 0, 0, 0, 0x70, 0, 0x80, 0, 0, 0, 0, 0, 0, 0xde}}};

struct Caller {
    enum class Kind : std::uint8_t {
        kAnonymous,  // no right to anything but public routes
        kDemo,       // the built-in demo team: a loopback caller of a server without accounts
        kKey,        // an API key of a team
        kSession,    // a person signed in
    };
    Kind kind = Kind::kAnonymous;
    Role role = Role::kNone;
    bool live = false;  // false: a test key or the demo team; never billed
    Scopes scopes;
    TeamId team;                       // of kDemo, kKey and kSession
    std::optional<KeyId> key;          // of kKey
    std::optional<AccountId> account;  // of kSession
    BillingAccountId billing;          // who pays for the team
    std::shared_ptr<const Plan> plan;  // of the billing account; never null unless anonymous
    std::string address;  // the client's address, proxies that are trusted seen through
    std::string request_id;

    bool known() const { return kind != Kind::kAnonymous; }
};

}  // namespace vf

#include "base/caller.hpp"

#include <array>

namespace vf {
namespace {

constexpr std::array<std::string_view, kScopeCount> kNames = {
    "speech:read",  "speech:write",     "voices:read",       "voices:write", "models:read",
    "models:write", "deployments:read", "deployments:write", "usage:read",   "usage:write",
    "keys:read",    "keys:write",       "admin:read",        "admin:write"};

}  // namespace

std::string_view ScopeName(Scope scope) {
    return kNames[static_cast<std::size_t>(scope)];
}

std::optional<Scope> ParseScope(std::string_view name) {
    for (std::size_t i = 0; i < kNames.size(); ++i) {
        if (kNames[i] == name) return static_cast<Scope>(i);
    }
    return std::nullopt;
}

}  // namespace vf

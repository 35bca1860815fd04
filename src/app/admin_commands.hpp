#pragma once
// `voiceflowd admin …`: teams, keys and plans from the server's own machine. Works beside a running
// server (through its database) and without one (starting the private database for the moment).

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "app/app_settings.hpp"

namespace vf::app {

struct AdminRequest {
    enum class Verb {
        kCreateTeam,
        kCreateKey,
        kRevokeKey,
        kSetPlan,
        kList,
        kLoadPlans,
        kListPlans,
        kSetSpendingBound,
        kRotateKey,
    };
    Verb verb = Verb::kList;
    std::string team;  // an id, or a name that only one team has
    std::string key;
    std::string plan = "free";
    std::string name;
    std::string file;
    std::int64_t amount_minor = 0;
    bool soft = false;
    bool test = false;
    bool json = false;
    std::vector<std::string> scopes;
    std::int64_t expires_in_days = 0;   // 0: never
    std::vector<std::string> settings;  // --section.name=value, for the rest of the program
};

// Reads what stands after `admin`; prints help or what is wrong by itself. An exit code instead of
// a request when there is nothing more to do.
struct AdminCommandLine {
    AdminRequest request;
    std::optional<int> exit_code;
};
AdminCommandLine ReadAdminCommandLine(std::span<const std::string> arguments);

// The exit code: 0, or 1 with the reason on standard error.
int RunAdmin(const AppSettings& settings, const AdminRequest& request);

}  // namespace vf::app

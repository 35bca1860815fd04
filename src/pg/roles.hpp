#pragma once
// The database's roles, from the least to the most that they may do:
//
//   voiceflow_app     (group) team data under row-level security, as the team that is set
//   voiceflow_system  (group) what crosses teams: key look-ups, ingest of usage, readers, sweepers
//   the owner         the user of database.url: migrations; owns every table
//
// The server itself connects as two login roles of this one database, `<database>_login_app` and
// `<database>_login_system`, members of the groups. Neither may bypass row-level security.

#include <chrono>
#include <string>

#include "base/result.hpp"

namespace vf::pg {

struct RoleOptions {
    std::string owner_url;     // secret
    std::string app_url;       // secret; as configured, or empty: the server makes the login roles
    std::string system_url;    // secret; both or none
    std::string app_password;  // for the login roles that are made
    std::string system_password;
    std::chrono::milliseconds connect_timeout{5000};
};

struct RoleUrls {
    std::string app;     // secret
    std::string system;  // secret
};

// Makes what is missing and proves that the wall stands: neither login role is a superuser, may
// bypass row-level security or owns a table. To be called before the migrations, which grant to the
// groups. Errors, for the operator: database_roles_missing (with the SQL to run by hand),
// database_role_too_strong, database_unavailable. Blocking; call from a thread that may wait.
Result<RoleUrls> EnsureRoles(const RoleOptions& options);

}  // namespace vf::pg

#include "pg/roles.hpp"

#include <fmt/format.h>
#include <libpq-fe.h>

#include <memory>

#include "pg/blocking.hpp"

namespace vf::pg {
namespace {

constexpr const char* kGroups[] = {"voiceflow_app", "voiceflow_system"};

// Two servers that start at once would change the same catalogue rows ("voicrole" in ASCII).
constexpr const char* kTakeLock = "SELECT pg_advisory_lock(8533465783822118757)";

constexpr const char* kWhoAmI =
    "SELECT current_database(), current_user, rolsuper OR rolcreaterole "
    "FROM pg_roles WHERE rolname = current_user";

constexpr const char* kWhatIsWrong =
    "SELECT CASE WHEN rolsuper THEN 'is a superuser' "
    "WHEN rolbypassrls THEN 'may bypass row-level security' "
    "WHEN pg_has_role(current_user, $1, 'MEMBER') THEN 'acts for the owner of the tables' "
    "WHEN NOT pg_has_role(current_user, $2, 'MEMBER') THEN 'is not a member of ' || $2 "
    "WHEN $2 = 'voiceflow_app' AND pg_has_role(current_user, 'voiceflow_system', 'MEMBER') "
    "THEN 'is also a member of voiceflow_system' END "
    "FROM pg_roles WHERE rolname = current_user";

struct Owner {
    std::string database;
    std::string user;
    bool may_make_roles = false;
};

// The url with another user; everything else (host, TLS, options) stays.
std::string WithUser(const std::string& url, const std::string& user, const std::string& password) {
    char* message = nullptr;
    const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> parts(
        PQconninfoParse(url.c_str(), &message), &PQconninfoFree);
    if (!parts) {
        PQfreemem(message);
        throw QueryError("08001", "", "database.url cannot be read");
    }
    std::string out;
    const auto add = [&out](const char* key, const std::string& value) {
        out += out.empty() ? "" : " ";
        out += std::string(key) + "='";
        for (const char c : value) {
            if (c == '\'' || c == '\\') out += '\\';
            out += c;
        }
        out += "'";
    };
    for (const PQconninfoOption* part = parts.get(); part->keyword; ++part) {
        const std::string_view key = part->keyword;
        if (!part->val || key == "user" || key == "password" || key == "passfile") continue;
        add(part->keyword, part->val);
    }
    add("user", user);
    add("password", password);
    return out;
}

bool Exists(BlockingConnection& connection, const std::string& role) {
    return !connection.Run("SELECT 1 FROM pg_roles WHERE rolname = $1", {role}).empty();
}

// Role names and passwords cannot be parameters of CREATE ROLE; format() quotes them.
void RunFormatted(BlockingConnection& connection, const char* format,
                  const std::vector<std::string>& values) {
    std::string call = "SELECT format($1";
    std::vector<std::string> parameters{format};
    for (const std::string& value : values) {
        parameters.push_back(value);
        call += ", $" + std::to_string(parameters.size()) + "::text";
    }
    const Rows rows = connection.Run((call + ")").c_str(), parameters);
    connection.Run(std::string(rows[0].Text(0)));
}

Error MissingRoles(const Owner& owner) {
    return Error(
        ErrorKind::kConflict, "database_roles_missing",
        fmt::format(
            "The database user \"{0}\" may not make roles. Let an administrator run:\n"
            "  CREATE ROLE voiceflow_app NOLOGIN;\n"
            "  CREATE ROLE voiceflow_system NOLOGIN;\n"
            "  CREATE ROLE \"{1}_login_app\" LOGIN PASSWORD '…' IN ROLE voiceflow_app;\n"
            "  CREATE ROLE \"{1}_login_system\" LOGIN PASSWORD '…' IN ROLE voiceflow_system;\n"
            "  GRANT TEMPORARY ON DATABASE \"{1}\" TO voiceflow_system;\n"
            "and set database.app_url and database.system_url to these two.",
            owner.user, owner.database));
}

bool CanConnect(const std::string& url, std::chrono::milliseconds timeout) {
    try {
        BlockingConnection connection(url, timeout);
        return true;
    } catch (const DatabaseUnavailable&) {
        return false;  // the check that follows the making of the role tells the reason
    }
}

void MakeLogin(BlockingConnection& connection, const Owner& owner, const std::string& login,
               const std::string& group, const std::string& password) {
    if (!Exists(connection, login)) RunFormatted(connection, "CREATE ROLE %I LOGIN", {login});
    RunFormatted(connection, "ALTER ROLE %I LOGIN INHERIT PASSWORD %L", {login, password});
    RunFormatted(connection, "GRANT %I TO %I", {group, login});
    RunFormatted(connection, "GRANT CONNECT ON DATABASE %I TO %I", {owner.database, login});
    if (group == kGroups[1]) {
        RunFormatted(connection, "GRANT TEMPORARY ON DATABASE %I TO %I", {owner.database, login});
    }
}

// Why the wall would not stand with this role; empty when it does.
Result<void> Check(const std::string& url, const Owner& owner, const std::string& group,
                   std::chrono::milliseconds timeout) {
    BlockingConnection connection(url, timeout);
    const Rows rows = connection.Run(kWhatIsWrong, {owner.user, group});
    const std::optional<std::string> wrong = rows[0].MaybeText(0);
    if (!wrong) return {};
    const std::string user(connection.Run("SELECT current_user")[0].Text(0));
    return Error(ErrorKind::kConflict, "database_role_too_strong",
                 fmt::format("The database role \"{}\" {}: teams would not be walled off from each "
                             "other. Use a plain role that is a member of {}.",
                             user, *wrong, group));
}

Result<RoleUrls> EnsureOn(BlockingConnection& connection, const RoleOptions& options) {
    const Rows who = connection.Run(kWhoAmI);
    const Owner owner{std::string(who[0].Text(0)), std::string(who[0].Text(1)), who[0].Bool(2)};
    connection.Run(kTakeLock);
    for (const char* group : kGroups) {
        if (Exists(connection, group)) continue;
        if (!owner.may_make_roles) return MissingRoles(owner);
        RunFormatted(connection, "CREATE ROLE %I NOLOGIN", {group});
    }
    RoleUrls urls{options.app_url, options.system_url};
    if (urls.app.empty()) {
        const std::string app = owner.database + "_login_app";
        const std::string system = owner.database + "_login_system";
        urls.app = WithUser(options.owner_url, app, options.app_password);
        urls.system = WithUser(options.owner_url, system, options.system_password);
        if (!CanConnect(urls.app, options.connect_timeout) ||
            !CanConnect(urls.system, options.connect_timeout)) {
            if (!owner.may_make_roles) return MissingRoles(owner);
            MakeLogin(connection, owner, app, kGroups[0], options.app_password);
            MakeLogin(connection, owner, system, kGroups[1], options.system_password);
        }
    }
    const Result<void> app = Check(urls.app, owner, kGroups[0], options.connect_timeout);
    if (!app) return app.error();
    const Result<void> system = Check(urls.system, owner, kGroups[1], options.connect_timeout);
    if (!system) return system.error();
    return urls;
}

}  // namespace

Result<RoleUrls> EnsureRoles(const RoleOptions& options) {
    if (options.app_url.empty() != options.system_url.empty()) {
        return Error(ErrorKind::kInvalid, "database_roles_missing",
                     "Set both database.app_url and database.system_url, or neither.");
    }
    try {
        BlockingConnection connection(options.owner_url, options.connect_timeout);
        return EnsureOn(connection, options);
    } catch (const DatabaseUnavailable& e) {
        return e.error;
    } catch (const QueryError& e) {
        return Error(ErrorKind::kConflict, "database_roles_failed",
                     std::string("The database's roles could not be made: ") + e.what() +
                         " (SQLSTATE " + e.sqlstate() + ").");
    }
}

}  // namespace vf::pg

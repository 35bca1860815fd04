#include "app/instance_store.hpp"

#include <stdexcept>

namespace vf::app {
namespace {

// Not team data: one row for the whole installation.
constexpr pg::Statement kMakeInstance{
    "make_instance", "INSERT INTO instance (id) VALUES ($1) ON CONFLICT DO NOTHING"};

constexpr pg::Statement kFindInstance{
    "find_instance",
    "SELECT id, to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), "
    "(SELECT max(version) FROM schema_migrations) FROM instance"};

}  // namespace

Task<Instance> InstanceStore::FindOrMake() {
    pg::Rows rows = co_await db_.Query(kFindInstance);
    if (rows.empty()) {
        pg::Params params;
        params.Text(NewUuid().Dashed());
        co_await db_.Query(kMakeInstance, std::move(params));
        rows = co_await db_.Query(kFindInstance);
    }
    const pg::Row row = rows[0];
    const std::optional<Uuid> uuid = Uuid::Parse(row.Text(0));
    if (!uuid) throw std::runtime_error("the instance id in the database is not a UUID");
    Instance instance;
    instance.id = InstanceId{*uuid};
    instance.created_at = std::string(row.Text(1));
    instance.schema_version = row.Int(2);
    co_return instance;
}

}  // namespace vf::app

#pragma once
// The one row that names this installation.

#include <string>

#include "base/ids.hpp"
#include "base/task.hpp"
#include "pg/database.hpp"

namespace vf::app {

struct Instance {
    InstanceId id;
    std::string created_at;  // RFC 3339, UTC
    std::int64_t schema_version = 0;
};

class InstanceStore {
public:
    explicit InstanceStore(pg::SystemDb db) : db_(std::move(db)) {}

    // Makes the row when it is missing; two servers at once make one.
    Task<Instance> FindOrMake();

private:
    pg::SystemDb db_;
};

}  // namespace vf::app

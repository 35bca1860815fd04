#pragma once
// A plain blocking connection, for what runs before or beside the server: migrations and the
// upgrade of a private cluster. Inside src/pg only; one thread at a time.

#include <string>
#include <vector>

#include "pg/connect.hpp"
#include "pg/values.hpp"

namespace vf::pg {

class BlockingConnection {
public:
    // Throws DatabaseUnavailable.
    BlockingConnection(const std::string& url, std::chrono::milliseconds timeout);

    // One or more statements without parameters; the rows of the last. Throws QueryError, or
    // DatabaseUnavailable when the connection went.
    Rows Run(const std::string& sql);
    // One statement with text parameters.
    Rows Run(const char* sql, const std::vector<std::string>& parameters);

private:
    Rows Take(pg_result* result);
    ConnPtr conn_;
};

}  // namespace vf::pg

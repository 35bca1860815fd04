#pragma once
// SQL of the vendor connections.

#include <optional>
#include <string>
#include <vector>

#include "pg/database.hpp"
#include "vendors/vendors.hpp"

namespace vf::vendors::store {

// A connection with its encrypted key.
struct Stored {
    Connection connection;
    std::string sealed_key;
};

Task<std::int64_t> Count(pg::TeamTransaction& transaction);
// Another connection's currency that is not `currency`; none: all prices are in it.
Task<std::optional<std::string>> OtherCurrency(pg::TeamTransaction& transaction,
                                               std::string currency, ConnectionId but);
// Throws QueryError with unique_violation() for a name that is in use.
Task<void> Insert(pg::TeamTransaction& transaction, Stored row);
// Locks the connection until the transaction ends.
Task<std::optional<Stored>> Lock(pg::TeamTransaction& transaction, ConnectionId id);
// All but the maker and the times; forgets the last error. Throws as Insert.
Task<void> Update(pg::TeamTransaction& transaction, Stored row);
Task<void> Delete(pg::TeamTransaction& transaction, ConnectionId id);

Task<std::optional<Stored>> Find(pg::TeamDb db, ConnectionId id);
Task<std::vector<Connection>> List(pg::TeamDb db, std::optional<ConnectionId> after,
                                   std::int64_t limit);
// Oldest first.
Task<std::vector<Stored>> All(pg::TeamDb db, std::int64_t limit);
// An empty code: there is no error any more.
Task<void> SetError(pg::TeamDb db, ConnectionId id, std::string code, std::string message);

}  // namespace vf::vendors::store

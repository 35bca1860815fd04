#pragma once
// What a Transaction holds: an exclusive connection, given back or discarded when it ends.

#include "pg/pool_core.hpp"

namespace vf::pg {

class TransactionState {
public:
    TransactionState(std::shared_ptr<PoolCore> c, std::shared_ptr<Connection> owned)
        : core(std::move(c)), connection(std::move(owned)) {}

    std::shared_ptr<PoolCore> core;
    std::shared_ptr<Connection> connection;  // null once ended
    bool begun = false;
    bool failed = false;
    bool running = false;  // a query is in flight
};

}  // namespace vf::pg

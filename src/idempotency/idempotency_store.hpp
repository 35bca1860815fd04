#pragma once
// The table of idempotent requests. SQL and nothing else.

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "base/ids.hpp"
#include "pg/database.hpp"

namespace vf::idempotency {

using Digest = std::array<std::uint8_t, 32>;

struct StoredRequest {
    bool is_claimed = false;  // by this call: do the work
    bool is_same = false;     // the stored request is this one
    bool is_done = false;
    OperationId operation;  // to be accounted under
    int status = 0;
    std::string headers;  // JSON
    std::optional<BlobId> blob;
};

namespace idempotency_store {

// Claims the key for `node`, or says what stands there.
Task<StoredRequest> Claim(pg::TeamDb db, Digest key, Digest request, OperationId operation,
                          NodeId node, std::chrono::milliseconds lease,
                          std::chrono::milliseconds keep);
Task<void> Done(pg::TeamDb db, Digest key, OperationId operation, int status, std::string headers,
                std::optional<BlobId> blob);
// The attempt failed: the next one is the first again.
Task<void> Release(pg::TeamDb db, Digest key, OperationId operation);
// Attempts that `node` had under way may be taken over at once.
Task<void> ReleaseNode(pg::SystemDb db, NodeId node);
// Removes 1,000 expired ones at most; how many it were.
Task<std::int64_t> Sweep(pg::SystemDb db);

}  // namespace idempotency_store
}  // namespace vf::idempotency

#pragma once
// The rows of blobs: SQL and nothing else. Inside src/blob.

#include <optional>
#include <string>
#include <vector>

#include "blob/blob.hpp"
#include "pg/database.hpp"

namespace vf::blob::store {

using Time = Clock::time_point;

struct NewBlob {
    BlobInfo info;  // bytes: what is reserved; sha256 is not known yet
    Time give_up_at;
    std::optional<std::int64_t> storage_bytes;
};

// A row in state 'writing' and its reservation. False: no room in the team's storage.
Task<bool> Reserve(pg::TeamDb db, const NewBlob& blob);

// `more` bytes for a blob that is being written, and a later end of its patience.
enum class Extension { kDone, kNoRoom, kLost };  // lost: the sweeper took the row
Task<Extension> Extend(pg::TeamDb db, BlobId id, std::uint64_t more,
                       std::optional<std::int64_t> storage_bytes, Time give_up_at);

// To 'ready', with its true size. False: the row is lost.
Task<bool> Finish(pg::TeamDb db, const BlobInfo& info);
// From 'writing' to 'deleting': the sweeper removes what there is.
Task<void> GiveUp(pg::TeamDb db, BlobId id, Time now);

Task<std::optional<BlobInfo>> Find(pg::TeamDb db, BlobId id, Time now);
// At most `limit`, newest first, older than `before`.
Task<std::vector<BlobInfo>> List(pg::TeamDb db, std::optional<BlobId> before, std::int64_t limit,
                                 Time now);
// From 'ready' to 'deleting'. False: there was none.
Task<bool> MarkDeleted(pg::TeamDb db, BlobId id, Time now);
Task<std::int64_t> Used(pg::TeamDb db);

// Across teams: a signed link names a blob and no team.
Task<std::optional<BlobInfo>> FindLinked(pg::SystemDb db, BlobId id, Time now);

struct Due {
    BlobId id;
    std::string backend;
};
// Takes rows whose time has come, so that no other sweeper does before `lease_until`. `backends`
// separated by commas.
Task<std::vector<Due>> Claim(pg::SystemDb db, const std::string& backends, Time now,
                             Time lease_until, std::int64_t limit);
Task<void> Forget(pg::SystemDb db, BlobId id);
Task<std::int64_t> StoredBytes(pg::SystemDb db);

}  // namespace vf::blob::store

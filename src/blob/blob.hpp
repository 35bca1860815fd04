#pragma once
// Stored objects of a team: recordings, results of jobs, exports. Sealed before they leave the
// process (sealed.hpp), checksummed, expiring, counted against the plan, and served by links that
// carry their own proof.
//
// Facts are rows in PostgreSQL (0007_blobs.sql), bytes are in a backend: a folder of one server, or
// S3 for several. An object is there for readers whole or not at all: its row turns 'ready' after
// the backend has all of it; whatever a crash or a broken source leaves is found by the sweeper.
// On the loop, not thread-safe; hashing, sealing and files run on threads of its own.

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_pipe.hpp"
#include "base/ids.hpp"
#include "base/result.hpp"
#include "base/settings.hpp"
#include "base/task.hpp"
#include "blob/backend.hpp"

namespace vf::pg {
class Database;
}
namespace vf::http {
class HttpClient;
}
namespace vf::secrets {
class Keyring;
}

namespace vf::blob {

using Clock = std::chrono::system_clock;

struct BlobOptions {
    std::string backend = "files";  // where new objects go: files, s3
    std::uint64_t max_bytes = 64ULL << 20U;
    std::int64_t puts_at_once = 8;    // S3: each holds one part
    std::int64_t puts_waiting = 256;  // for one of those, at most put_wait
    std::chrono::milliseconds put_wait{30'000};
    std::chrono::milliseconds write_timeout{900'000};  // a writer silent for so long is dead
    std::chrono::milliseconds sweep_interval{30'000};
    std::string s3_endpoint;  // "https://s3.eu-central-1.amazonaws.com"
    std::string s3_region = "us-east-1";
    std::string s3_bucket;
    std::string s3_access_key;
    std::string s3_secret_key;  // secret
    bool s3_path_style = true;
    std::string s3_prefix = "voiceflow/";
    std::uint64_t s3_part_bytes = 16ULL << 20U;
    std::chrono::milliseconds s3_timeout{30'000};  // of one request, of a part too
};

// Section "blob".
void DeclareSettings(SettingsSchema& schema, BlobOptions& options);

struct BlobInfo {
    BlobId id;
    TeamId team;
    std::string name;  // to show: valid UTF-8 without control characters, or ""; never a path
    std::string content_type;
    std::uint64_t bytes = 0;  // of the plain content
    std::string sha256;       // of it, 64 hexadecimal digits
    bool live = false;
    Clock::time_point created_at;                 // milliseconds
    std::optional<Clock::time_point> expires_at;  // gone from then on
    // How to open it; for this module.
    std::string backend;
    std::string key_id;
};

struct PutOptions {
    std::string content_type = "application/octet-stream";
    std::string name;  // at most 255 characters; kInvalid "invalid_request" otherwise
    std::optional<Clock::time_point> expires_at;
    bool live = false;
    std::optional<std::uint64_t> max_bytes;     // none: BlobOptions::max_bytes
    std::optional<std::int64_t> storage_bytes;  // the plan's (Plan::storage_bytes); none: no bound
};

// The bytes from `first` to `last`, both included, as in an HTTP Content-Range.
struct ByteRange {
    std::uint64_t first = 0;
    std::uint64_t last = 0;
};

struct BlobContent {
    BlobInfo info;
    std::uint64_t length = 0;        // of what the pipe brings
    std::shared_ptr<BytePipe> pipe;  // plain bytes, each proven before it comes; fails when damaged
};

struct BlobPage {
    std::vector<BlobInfo> blobs;  // newest first
    std::optional<BlobId> next;   // the cursor of the following page; none: this was the last
};

class Blobs {
public:
    // `loop` and `client` must outlive it. Until Start() every call throws UnavailableException
    // "blob_storage_unavailable".
    Blobs(asio::io_context& loop, http::HttpClient& client, BlobOptions options);
    ~Blobs();
    Blobs(const Blobs&) = delete;
    Blobs& operator=(const Blobs&) = delete;

    // Before the loop runs; blocking. `data_dir` is locked by this process and holds blobs/. For
    // the operator: blob_settings (S3 chosen without its settings), blob_folder (cannot be made or
    // written).
    Result<void> Open(std::shared_ptr<const secrets::Keyring> keyring,
                      const std::filesystem::path& data_dir);
    // Once, after Open(); the database is migrated. Starts the sweeper.
    void Start(std::shared_ptr<pg::Database> database);
    void Stop();  // no further sweep; running calls end by themselves

    // Stores everything that `source` brings. Errors: kInvalid "invalid_request" (name, content
    // type, expiry), kTooLarge "blob_too_large", kPaymentRequired "storage_quota_exceeded",
    // kUnavailable "blob_storage_unavailable" and "blob_storage_busy"; the source's own error when
    // it fails. After an error nothing is left and `source` is abandoned. Throws
    // DatabaseUnavailable, as all calls.
    Task<Result<BlobInfo>> Put(TeamId team, PutOptions options, std::shared_ptr<BytePipe> source);
    Task<Result<BlobInfo>> Put(TeamId team, PutOptions options, std::string content);

    // kNotFound "blob_not_found": also expired, being deleted, still being written, or of another
    // team.
    Task<Result<BlobInfo>> Find(TeamId team, BlobId id);
    // `range` must lie within the content (kRangeNotSatisfiable "invalid_range"); none: all of it.
    // Returns when the first bytes have been proven. kInternal "blob_damaged".
    Task<Result<BlobContent>> Get(TeamId team, BlobId id, std::optional<ByteRange> range);
    Task<Result<BlobContent>> Get(BlobInfo info, std::optional<ByteRange> range);
    // `limit` 1 to 100; `before`: BlobPage::next of the page before.
    Task<BlobPage> List(TeamId team, std::optional<BlobId> before, std::int64_t limit);
    // Gone for readers and from the quota at once, the object soon after. kNotFound as Find().
    Task<Result<void>> Delete(TeamId team, BlobId id);
    // Bytes that count against the quota, reservations included.
    Task<std::uint64_t> Used(TeamId team);

    // A path with a signature: "/api/blobs/{id}/content?expires=…&signature=…". Whoever has it may
    // read the content until then, which is never later than the blob's own end.
    struct Link {
        std::string path;
        Clock::time_point expires_at;  // whole seconds
    };
    Link MakeLink(const BlobInfo& info, std::chrono::seconds expires_in) const;
    // What a link is for. kForbidden "link_invalid", kGone "link_expired", kNotFound
    // "blob_not_found".
    Task<Result<BlobInfo>> FindLinked(BlobId id, std::int64_t expires, std::string signature);

    // One round of the sweeper: what is expired, deleted, or left by writers that died. True when
    // there was as much as one round may take.
    Task<bool> SweepOnce();

    const BlobOptions& options() const;
    Clock::time_point now() const;
    void UseClockForTest(std::function<Clock::time_point()> clock);
    // Instead of the one of that name; after Open(), before Start().
    void UseBackendForTest(std::unique_ptr<Backend> backend);

private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace vf::blob

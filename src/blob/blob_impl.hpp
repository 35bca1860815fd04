#pragma once
// What the parts of the Blobs service share. Inside src/blob.

#include <map>

#include "base/unavailable.hpp"
#include "blob/blob.hpp"
#include "blob/blob_store.hpp"
#include "blob/put_slots.hpp"
#include "pg/database.hpp"
#include "secrets/keyring.hpp"

namespace vf::blob {

inline constexpr const char* kKeyPurpose = "blobs";
inline constexpr const char* kLinkPurpose = "blob links";

Error BlobNotFound();

// Moves voiceflow_blob_operations_total{backend,operation,outcome}.
void CountOperation(std::string_view backend, const char* operation, const char* outcome);
// "ok", or the error's code.
void CountResult(std::string_view backend, const char* operation, const Error* error);

struct Blobs::Impl : std::enable_shared_from_this<Impl> {
    Impl(asio::io_context& l, http::HttpClient& c, BlobOptions o)
        : loop(l), client(c), options(std::move(o)),
          slots(options.puts_at_once, options.puts_waiting), sweep_timer(l.get_executor()) {}

    asio::io_context& loop;
    http::HttpClient& client;
    BlobOptions options;
    asio::thread_pool threads{2};            // hashing, sealing, files
    std::shared_ptr<pg::Database> database;  // null until Start()
    std::shared_ptr<const secrets::Keyring> keyring;
    std::map<std::string, std::unique_ptr<Backend>, std::less<>> backends;
    std::function<Clock::time_point()> clock = [] { return Clock::now(); };
    PutSlots slots;
    SteadyTimer sweep_timer;
    bool is_sweep_wanted = false;
    bool is_stopping = false;

    // Throws UnavailableException before Start().
    void NeedStart() const;
    pg::TeamDb Team(TeamId team) const;
    Backend* BackendOf(const std::string& name) const;  // null when it is not configured
    void WakeSweeper();
    static Task<void> Probe(std::shared_ptr<Impl> self);
    static Task<void> SweepForever(std::weak_ptr<Impl> weak);
    Task<bool> SweepOnce();
    Task<Result<BlobContent>> Open(BlobInfo info, std::optional<ByteRange> range);
    // `bytes`: what the source will bring, when that is known.
    Task<Result<BlobInfo>> Put(TeamId team, PutOptions put, std::optional<std::uint64_t> bytes,
                               std::shared_ptr<BytePipe> source);
    Task<Result<BlobInfo>> PutInSlot(BlobInfo info, PutOptions put,
                                     std::optional<std::uint64_t> bytes,
                                     std::shared_ptr<BytePipe> source);
};

// kInvalid "invalid_request", with every wrong field.
Result<void> CheckPut(const PutOptions& options, Clock::time_point now);

}  // namespace vf::blob

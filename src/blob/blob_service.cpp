#include <fmt/format.h>

#include <charconv>
#include <utility>

#include "base/log.hpp"
#include "base/metrics.hpp"
#include "blob/blob_impl.hpp"
#include "blob/file_backend.hpp"
#include "blob/s3_backend.hpp"
#include "blob/sealed.hpp"

namespace vf::blob {
namespace {

constexpr std::int64_t kSweepBatch = 100;
constexpr std::chrono::minutes kSweepLease{5};
constexpr std::size_t kPipeBytes = 512 * 1024;

prometheus::Gauge& StoredBytesGauge() {
    static prometheus::Gauge& gauge =
        prometheus::BuildGauge()
            .Name("voiceflow_blob_stored_bytes")
            .Help("Bytes of all stored objects, reservations included, as of the last sweep.")
            .Register(metrics::Registry())
            .Add({});
    return gauge;
}

Error Damaged() {
    return {ErrorKind::kInternal, "blob_damaged",
            "The stored object is damaged and cannot be read."};
}

// What is signed: the object and the end of the link, and nothing that could be read two ways.
std::string LinkText(BlobId id, std::int64_t expires) {
    return fmt::format("{}\n{}", id.Wire(), expires);
}

S3Options S3OptionsOf(const BlobOptions& options) {
    S3Options s3;
    s3.endpoint = options.s3_endpoint;
    s3.bucket = options.s3_bucket;
    s3.keys.access_key = options.s3_access_key;
    s3.keys.secret_key = options.s3_secret_key;
    s3.keys.region = options.s3_region;
    s3.path_style = options.s3_path_style;
    s3.timeout = options.s3_timeout;
    return s3;
}

// What is wrong with the S3 settings, or "".
std::string S3Complaint(const BlobOptions& options) {
    const std::string& endpoint = options.s3_endpoint;
    const bool is_url = endpoint.starts_with("http://") || endpoint.starts_with("https://");
    const std::size_t host = endpoint.find("://") + 3;
    const std::size_t path = is_url ? endpoint.find('/', host) : std::string::npos;
    if (!is_url || host >= endpoint.size() ||
        (path != std::string::npos && path + 1 != endpoint.size())) {
        return "blob.s3_endpoint must be http:// or https://, a host and perhaps a port";
    }
    if (options.s3_bucket.empty()) return "blob.s3_bucket is missing";
    if (options.s3_access_key.empty()) return "blob.s3_access_key is missing";
    if (options.s3_secret_key.empty()) return "blob.s3_secret_key is missing";
    return {};
}

// Sealed chunks in, the plain bytes of the range out. `skip` bytes of the first chunk are not of
// it.
Task<void> Unseal(std::shared_ptr<BytePipe> in, std::shared_ptr<BytePipe> out,
                  std::unique_ptr<Opener> opener, BlobInfo info, std::uint64_t skip,
                  std::uint64_t left) {
    for (;;) {
        std::optional<std::string> sealed = co_await in->Read();
        if (!sealed) break;
        std::optional<std::string> plain = opener->Update(*sealed);
        if (!plain) {
            log::Error("blob_damaged", {{"blob", info.id.Wire()}, {"backend", info.backend}});
            CountOperation(info.backend, "get", "blob_damaged");
            out->Fail(Damaged());
            in->Abandon();
            co_return;
        }
        const std::uint64_t skipped = std::min<std::uint64_t>(skip, plain->size());
        skip -= skipped;
        std::string piece = plain->substr(skipped, left);
        left -= piece.size();
        const bool is_taken = co_await out->Write(std::move(piece));
        if (!is_taken) {
            in->Abandon();
            co_return;
        }
    }
    const bool is_whole = left == 0 && in->complete() && opener->is_between_chunks();
    CountOperation(info.backend, "get", is_whole ? "ok" : "broken_off");
    if (is_whole) {
        out->Finish();
    } else {
        out->Fail(StorageUnavailable());
    }
}

}  // namespace

Error StorageUnavailable() {
    return Error(ErrorKind::kUnavailable, "blob_storage_unavailable",
                 "The storage of objects is not available now. Try again in a moment.")
        .RetryAfter(std::chrono::seconds(5));
}

Error BlobNotFound() {
    return {ErrorKind::kNotFound, "blob_not_found", "There is no such stored object."};
}

void CountOperation(std::string_view backend, const char* operation, const char* outcome) {
    static prometheus::Family<prometheus::Counter>& family =
        prometheus::BuildCounter()
            .Name("voiceflow_blob_operations_total")
            .Help("Operations on stored objects, by outcome.")
            .Register(metrics::Registry());
    family.Add({{"backend", std::string(backend)}, {"operation", operation}, {"outcome", outcome}})
        .Increment();
}

void CountResult(std::string_view backend, const char* operation, const Error* error) {
    CountOperation(backend, operation, error ? error->code().c_str() : "ok");
}

void Blobs::Impl::NeedStart() const {
    if (!database) throw UnavailableException(StorageUnavailable());
}

pg::TeamDb Blobs::Impl::Team(TeamId team) const {
    NeedStart();
    return database->Team(team);
}

Backend* Blobs::Impl::BackendOf(const std::string& name) const {
    const auto found = backends.find(name);
    if (found != backends.end()) return found->second.get();
    log::Error("blob_backend_missing", {{"backend", name}});
    return nullptr;
}

void Blobs::Impl::WakeSweeper() {
    is_sweep_wanted = true;
    sweep_timer.cancel();
}

Task<void> Blobs::Impl::SweepForever(std::weak_ptr<Impl> weak) {
    for (;;) {
        const std::shared_ptr<Impl> self = weak.lock();
        if (!self || self->is_stopping) co_return;
        self->is_sweep_wanted = false;
        bool is_more = false;
        try {
            is_more = co_await self->SweepOnce();
        } catch (const std::exception& e) {
            log::Warning("blob_sweep_failed", {{"error", e.what()}});
        }
        if (self->is_stopping) co_return;
        if (is_more || self->is_sweep_wanted) continue;
        self->sweep_timer.expires_after(self->options.sweep_interval);
        co_await self->sweep_timer.async_wait(kAwaitTuple);
    }
}

// A wrong setting is logged at start, and not only when somebody stores something.
Task<void> Blobs::Impl::Probe(std::shared_ptr<Impl> self) {
    auto* s3 = dynamic_cast<S3Backend*>(self->BackendOf("s3"));
    if (!s3) co_return;
    const Result<void> found = co_await s3->Probe();
    if (found) log::Info("blob_storage_ready", {{"bucket", self->options.s3_bucket}});
}

Task<bool> Blobs::Impl::SweepOnce() {
    std::string names;
    for (const auto& [name, backend] : backends) names += (names.empty() ? "" : ",") + name;
    const Clock::time_point now = clock();
    const Clock::time_point lease = now + kSweepLease;
    pg::SystemDb db = database->System("the sweeper removes expired objects of every team");
    const std::vector<store::Due> due = co_await store::Claim(db, names, now, lease, kSweepBatch);
    for (const store::Due& one : due) {
        Backend* backend = BackendOf(one.backend);
        if (!backend || is_stopping) break;
        const Result<void> removed = co_await backend->Remove(one.id);
        CountResult(one.backend, "remove", removed ? nullptr : &removed.error());
        // What could not be removed is tried again after the lease.
        if (removed) co_await store::Forget(db, one.id);
    }
    const std::int64_t stored = co_await store::StoredBytes(db);
    StoredBytesGauge().Set(static_cast<double>(stored));
    co_return static_cast<std::int64_t>(due.size()) == kSweepBatch;
}

Task<Result<BlobContent>> Blobs::Impl::Open(BlobInfo info, std::optional<ByteRange> range) {
    const Executor executor = loop.get_executor();
    if (range && (range->first > range->last || range->last >= info.bytes)) {
        co_return Error(
            ErrorKind::kRangeNotSatisfiable, "invalid_range",
            fmt::format("The object has {} bytes; the range lies outside.", info.bytes));
    }
    BlobContent content;
    content.info = info;
    content.pipe = std::make_shared<BytePipe>(executor, kPipeBytes);
    if (info.bytes == 0) {
        content.pipe->Finish();
        co_return content;
    }
    const std::uint64_t first = range ? range->first : 0;
    const std::uint64_t last = range ? range->last : info.bytes - 1;
    content.length = last - first + 1;
    Backend* backend = BackendOf(info.backend);
    if (!backend) co_return StorageUnavailable();
    Result<std::string> key = keyring->DrawAgain(kKeyPurpose, info.id.Wire(), info.key_id);
    if (!key) {
        log::Error("blob_key_missing", {{"blob", info.id.Wire()}, {"key", info.key_id}});
        co_return Damaged();
    }
    const std::uint64_t first_chunk = first / kChunkBytes;
    const std::uint64_t from = first_chunk * kSealedChunkBytes;
    const std::uint64_t to =
        std::min(SealedBytes(info.bytes), (last / kChunkBytes + 1) * kSealedChunkBytes);
    Result<std::shared_ptr<BytePipe>> sealed = co_await backend->Get(info.id, from, to - from);
    if (!sealed) {
        CountResult(info.backend, "get", &sealed.error());
        if (sealed.error().kind() == ErrorKind::kNotFound) {
            log::Error("blob_object_missing", {{"blob", info.id.Wire()}});
        }
        co_return sealed.error();
    }
    const std::shared_ptr<BytePipe> in = *sealed;
    content.pipe->OnAbandon([in] { in->Abandon(); });
    auto opener = std::make_unique<Opener>(*std::move(key), info.id, info.bytes, first_chunk);
    Spawn(executor,
          Unseal(in, content.pipe, std::move(opener), info, first - first_chunk * kChunkBytes,
                 content.length),
          "blob_unseal");
    co_await content.pipe->WaitReady();
    if (content.pipe->failed() && content.pipe->queued_bytes() == 0) {
        co_return *content.pipe->error();
    }
    co_return content;
}

Blobs::Blobs(asio::io_context& loop, http::HttpClient& client, BlobOptions options)
    : impl_(std::make_shared<Impl>(loop, client, std::move(options))) {}

Blobs::~Blobs() {
    Stop();
    impl_->threads.join();
}

Result<void> Blobs::Open(std::shared_ptr<const secrets::Keyring> keyring,
                         const std::filesystem::path& data_dir) {
    Impl& self = *impl_;
    const BlobOptions& options = self.options;
    const bool has_s3 = options.backend == "s3" || !options.s3_endpoint.empty();
    if (const std::string complaint = has_s3 ? S3Complaint(options) : ""; !complaint.empty()) {
        return Error(ErrorKind::kInvalid, "blob_settings", complaint + ".");
    }
    // Both, where there are settings for both: what was stored before a change stays readable.
    auto files = std::make_unique<FileBackend>(data_dir / "blobs", self.threads);
    Result<void> opened = files->Open();
    if (!opened) return opened;
    self.backends.emplace("files", std::move(files));
    if (has_s3) {
        S3Client client(self.client, self.threads, S3OptionsOf(options));
        self.backends.emplace("s3",
                              std::make_unique<S3Backend>(std::move(client), options.s3_prefix,
                                                          options.s3_part_bytes));
    }
    self.keyring = std::move(keyring);
    return {};
}

void Blobs::Start(std::shared_ptr<pg::Database> database) {
    impl_->database = std::move(database);
    const Executor executor = impl_->loop.get_executor();
    if (impl_->options.backend == "s3") {
        Spawn(executor, Impl::Probe(impl_), "blob_probe");
    }
    Spawn(executor, Impl::SweepForever(impl_), "blob_sweep");
}

void Blobs::Stop() {
    impl_->is_stopping = true;
    impl_->sweep_timer.cancel();
}

Task<Result<BlobInfo>> Blobs::Find(TeamId team, BlobId id) {
    pg::TeamDb db = impl_->Team(team);
    const Clock::time_point now = impl_->clock();
    std::optional<BlobInfo> found = co_await store::Find(db, id, now);
    if (!found) co_return BlobNotFound();
    co_return *std::move(found);
}

Task<Result<BlobContent>> Blobs::Get(TeamId team, BlobId id, std::optional<ByteRange> range) {
    Result<BlobInfo> found = co_await Find(team, id);
    if (!found) co_return found.error();
    co_return co_await Get(*std::move(found), range);
}

Task<Result<BlobContent>> Blobs::Get(BlobInfo info, std::optional<ByteRange> range) {
    impl_->NeedStart();
    return impl_->Open(std::move(info), range);
}

Task<BlobPage> Blobs::List(TeamId team, std::optional<BlobId> before, std::int64_t limit) {
    pg::TeamDb db = impl_->Team(team);
    const Clock::time_point now = impl_->clock();
    const std::int64_t one_more = std::clamp<std::int64_t>(limit, 1, 100) + 1;
    BlobPage page;
    page.blobs = co_await store::List(db, before, one_more, now);
    if (static_cast<std::int64_t>(page.blobs.size()) == one_more) {
        page.blobs.pop_back();
        page.next = page.blobs.back().id;
    }
    co_return page;
}

Task<Result<void>> Blobs::Delete(TeamId team, BlobId id) {
    pg::TeamDb db = impl_->Team(team);
    const Clock::time_point now = impl_->clock();
    const bool was_there = co_await store::MarkDeleted(db, id, now);
    if (!was_there) co_return BlobNotFound();
    impl_->WakeSweeper();
    co_return Result<void>();
}

Task<std::uint64_t> Blobs::Used(TeamId team) {
    pg::TeamDb db = impl_->Team(team);
    const std::int64_t bytes = co_await store::Used(db);
    co_return static_cast<std::uint64_t>(bytes);
}

Blobs::Link Blobs::MakeLink(const BlobInfo& info, std::chrono::seconds expires_in) const {
    impl_->NeedStart();
    const auto now = std::chrono::floor<std::chrono::seconds>(impl_->clock());
    Link link;
    link.expires_at = now + expires_in;
    if (info.expires_at) {
        link.expires_at =
            std::min(link.expires_at,
                     Clock::time_point(std::chrono::floor<std::chrono::seconds>(*info.expires_at)));
    }
    const std::int64_t expires = Clock::to_time_t(link.expires_at);
    link.path =
        fmt::format("/api/blobs/{}/content?expires={}&signature={}", info.id.Wire(), expires,
                    impl_->keyring->Sign(kLinkPurpose, LinkText(info.id, expires)));
    return link;
}

Task<Result<BlobInfo>> Blobs::FindLinked(BlobId id, std::int64_t expires, std::string signature) {
    impl_->NeedStart();
    if (!impl_->keyring->Verify(kLinkPurpose, LinkText(id, expires), signature)) {
        co_return Error(ErrorKind::kForbidden, "link_invalid",
                        "The link is not one of ours, or was changed. Ask its owner for a new "
                        "one.");
    }
    const Clock::time_point now = impl_->clock();
    if (Clock::from_time_t(expires) <= now) {
        co_return Error(ErrorKind::kGone, "link_expired",
                        "The link has expired. Ask its owner for a new one.");
    }
    pg::SystemDb db = impl_->database->System("a signed link names an object and no team");
    std::optional<BlobInfo> found = co_await store::FindLinked(db, id, now);
    if (!found) co_return BlobNotFound();
    co_return *std::move(found);
}

Task<bool> Blobs::SweepOnce() {
    impl_->NeedStart();
    return impl_->SweepOnce();
}

const BlobOptions& Blobs::options() const {
    return impl_->options;
}

Clock::time_point Blobs::now() const {
    return impl_->clock();
}

void Blobs::UseClockForTest(std::function<Clock::time_point()> clock) {
    impl_->clock = std::move(clock);
}

void Blobs::UseBackendForTest(std::unique_ptr<Backend> backend) {
    std::string name(backend->name());
    impl_->backends[std::move(name)] = std::move(backend);
}

}  // namespace vf::blob

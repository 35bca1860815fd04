// The way of an object in: checked, reserved, hashed and sealed, stored, and only then 'ready'.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/json_body.hpp"
#include "base/log.hpp"
#include "base/utf8.hpp"
#include "blob/blob_impl.hpp"
#include "blob/sealed.hpp"

namespace vf::blob {
namespace {

constexpr std::size_t kPieceBytes = 8 * kChunkBytes;     // hashed and sealed at once
constexpr std::uint64_t kReserveStep = 4 * 1024 * 1024;  // ahead of a source of unknown size
constexpr std::size_t kSealedPipeBytes = 1024 * 1024;
constexpr std::size_t kMaxNameCharacters = 255;
constexpr std::size_t kMaxContentType = 255;

bool IsControl(char32_t c) {
    // C0, DEL, C1, and what reverses or breaks a line of text.
    return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x2028 || c == 0x2029 ||
           (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
}

bool HasControl(std::string_view text) {
    while (!text.empty()) {
        if (IsControl(Utf8Decode(text))) return true;
        text.remove_prefix(Utf8SequenceLength(text));
    }
    return false;
}

// "type/subtype" and perhaps parameters; printable ASCII, as a header may hold it.
bool IsContentType(std::string_view type) {
    const std::size_t slash = type.find('/');
    return slash != std::string_view::npos && slash > 0 && slash + 1 < type.size() &&
           type.size() <= kMaxContentType &&
           std::ranges::all_of(type, [](char c) { return c >= 0x20 && c < 0x7F; });
}

std::string HexOf(std::string_view bytes) {
    std::string out;
    for (const unsigned char byte : bytes) out += fmt::format("{:02x}", byte);
    return out;
}

Error NoRoom() {
    return {ErrorKind::kPaymentRequired, "storage_quota_exceeded",
            "The plan's storage is full. Delete stored objects, or change the plan."};
}

Error Busy() {
    return Error(ErrorKind::kUnavailable, "blob_storage_busy",
                 "Too many objects are being stored. Try again in a moment.")
        .RetryAfter(std::chrono::seconds(1));
}

Error TooLarge(std::uint64_t limit) {
    return {ErrorKind::kTooLarge, "blob_too_large",
            fmt::format("The object is larger than {} bytes.", limit)};
}

// One object on its way in.
class Putting {
public:
    struct Terms {
        asio::thread_pool* threads;
        std::function<Clock::time_point()> clock;
        std::chrono::milliseconds patience;  // of the sweeper, with a silent writer
        std::uint64_t max_bytes;
        std::optional<std::int64_t> storage_bytes;
    };

    Putting(Executor executor, BlobInfo i, Terms terms, pg::TeamDb db, std::string key)
        : info(std::move(i)), sealed(std::make_shared<BytePipe>(executor, kSealedPipeBytes)),
          terms_(std::move(terms)), db_(std::move(db)), sealer_(std::move(key), info.id),
          stored_timer_(executor) {
        stored_timer_.expires_at(SteadyTimer::time_point::max());
    }

    // The row; `bytes` is what the source will bring, when that is known.
    Task<Result<void>> Reserve(std::uint64_t bytes);
    // Takes the source to its end.
    Task<Result<void>> Feed(std::shared_ptr<BytePipe> source);
    Task<Result<void>> WaitStored();
    Task<bool> Finish();
    Task<void> GiveUp();
    static Task<void> Store(std::shared_ptr<Putting> self, Backend* backend);

    BlobInfo info;
    const std::shared_ptr<BytePipe> sealed;  // to the backend

private:
    Task<Result<void>> NeedRoom(std::uint64_t size);
    Task<Result<void>> Take(std::string piece);

    Terms terms_;
    pg::TeamDb db_;
    Sealer sealer_;
    std::uint64_t bytes_ = 0;  // taken from the source
    std::uint64_t reserved_ = 0;
    Clock::time_point give_up_at_;
    Result<void> stored_;
    bool is_stored_ = false;
    SteadyTimer stored_timer_;
};

Task<Result<void>> Putting::Reserve(std::uint64_t bytes) {
    if (bytes > terms_.max_bytes) co_return TooLarge(terms_.max_bytes);
    store::NewBlob row;
    row.info = info;
    row.info.bytes = bytes;
    row.give_up_at = info.created_at + terms_.patience;
    row.storage_bytes = terms_.storage_bytes;
    const bool has_room = co_await store::Reserve(db_, row);
    if (!has_room) co_return NoRoom();
    reserved_ = bytes;
    give_up_at_ = row.give_up_at;
    co_return Result<void>();
}

// Room for `size` bytes more: a step ahead where there is room for one, so that not every piece
// asks the database; what was too much is given back at the end. Also says that the writer lives.
Task<Result<void>> Putting::NeedRoom(std::uint64_t size) {
    const std::uint64_t missing = bytes_ + size > reserved_ ? bytes_ + size - reserved_ : 0;
    const Clock::time_point now = terms_.clock();
    const bool is_fresh = give_up_at_ - now > terms_.patience / 2;
    if (missing == 0 && is_fresh) co_return Result<void>();
    const Clock::time_point later = now + terms_.patience;
    std::uint64_t more = missing;
    if (missing > 0) {
        more = std::max(missing, std::min(kReserveStep, terms_.max_bytes - reserved_));
    }
    store::Extension done = co_await store::Extend(db_, info.id, more, terms_.storage_bytes, later);
    if (done == store::Extension::kNoRoom && more > missing) {
        more = missing;
        done = co_await store::Extend(db_, info.id, more, terms_.storage_bytes, later);
    }
    if (done == store::Extension::kLost) co_return StorageUnavailable();
    if (done == store::Extension::kNoRoom) co_return NoRoom();
    reserved_ += more;
    give_up_at_ = later;
    co_return Result<void>();
}

Task<Result<void>> Putting::Take(std::string piece) {
    if (bytes_ + piece.size() > terms_.max_bytes) co_return TooLarge(terms_.max_bytes);
    Result<void> room = co_await NeedRoom(piece.size());
    if (!room) co_return room;
    bytes_ += piece.size();
    auto seal = [this, bytes = std::move(piece)] { return sealer_.Update(bytes); };
    std::string chunks = co_await Offload(*terms_.threads, std::move(seal));
    const bool is_taken = co_await sealed->Write(std::move(chunks));
    if (!is_taken) co_return StorageUnavailable();
    co_return Result<void>();
}

Task<Result<void>> Putting::Feed(std::shared_ptr<BytePipe> source) {
    for (;;) {
        const std::optional<std::string> chunk = co_await source->Read();
        if (!chunk) break;
        for (std::size_t at = 0; at < chunk->size(); at += kPieceBytes) {
            std::string piece = chunk->substr(at, kPieceBytes);
            Result<void> taken = co_await Take(std::move(piece));
            if (!taken) co_return taken;
        }
    }
    if (source->error()) co_return *source->error();
    if (!source->complete()) {
        co_return Error(ErrorKind::kInvalid, "blob_source_broken", "The object broke off.");
    }
    auto seal = [this] { return sealer_.Finish(); };
    std::string last = co_await Offload(*terms_.threads, std::move(seal));
    sealed->WriteNow(std::move(last));
    sealed->Finish();
    info.bytes = bytes_;
    info.sha256 = HexOf(sealer_.sha256());
    co_return Result<void>();
}

Task<void> Putting::Store(std::shared_ptr<Putting> self, Backend* backend) {
    try {
        self->stored_ = co_await backend->Put(self->info.id, self->sealed);
    } catch (const std::exception& e) {
        log::Error("blob_put_failed", {{"error", e.what()}});
        self->stored_ = StorageUnavailable();
    }
    if (!self->stored_) self->sealed->Abandon();
    self->is_stored_ = true;
    self->stored_timer_.cancel();
}

Task<Result<void>> Putting::WaitStored() {
    while (!is_stored_) co_await stored_timer_.async_wait(kAwaitTuple);
    co_return stored_;
}

Task<bool> Putting::Finish() {
    return store::Finish(db_, info);
}

// At best: when the database is away too, the sweeper finds the row by its age.
Task<void> Putting::GiveUp() {
    const Clock::time_point now = terms_.clock();
    try {
        co_await store::GiveUp(db_, info.id, now);
    } catch (const std::exception& e) {
        log::Warning("blob_give_up_failed", {{"error", e.what()}});
    }
}

}  // namespace

Result<void> CheckPut(const PutOptions& options, Clock::time_point now) {
    std::vector<FieldError> wrong;
    if (Utf8FindInvalid(options.name) || Utf8Count(options.name) > kMaxNameCharacters ||
        HasControl(options.name)) {
        wrong.push_back({"name", "not_allowed",
                         "must have at most 255 characters, and no control characters."});
    }
    if (!IsContentType(options.content_type)) {
        wrong.push_back({"Content-Type", "not_allowed",
                         "must be a media type such as audio/wav, of at most 255 characters."});
    }
    if (options.expires_at && *options.expires_at <= now) {
        wrong.push_back({"expires_in", "out_of_range", "must lie in the future."});
    }
    if (wrong.empty()) return {};
    std::string message = fmt::format("\"{}\" {}", wrong.front().path, wrong.front().message);
    return Error(ErrorKind::kInvalid, "invalid_request", std::move(message), std::move(wrong));
}

Task<Result<BlobInfo>> Blobs::Impl::PutInSlot(BlobInfo info, PutOptions put,
                                              std::optional<std::uint64_t> bytes,
                                              std::shared_ptr<BytePipe> source) {
    Backend* backend = BackendOf(info.backend);
    if (!backend) co_return StorageUnavailable();
    const secrets::Keyring::Drawn key = keyring->Draw(kKeyPurpose, info.id.Wire());
    info.key_id = key.key_id;
    const Putting::Terms terms{&threads, clock, options.write_timeout,
                               put.max_bytes.value_or(options.max_bytes), put.storage_bytes};
    const pg::TeamDb db = Team(info.team);
    auto putting =
        std::make_shared<Putting>(loop.get_executor(), std::move(info), terms, db, key.secret);
    const Result<void> reserved = co_await putting->Reserve(bytes.value_or(0));
    if (!reserved) co_return reserved.error();
    Spawn(loop.get_executor(), Putting::Store(putting, backend), "blob_store");
    Result<void> done;
    std::exception_ptr failure;
    try {
        done = co_await putting->Feed(source);
    } catch (...) {
        failure = std::current_exception();
    }
    if (failure || !done) putting->sealed->Fail(StorageUnavailable());
    const Result<void> stored = co_await putting->WaitStored();
    if (!failure && done) done = stored;
    if (!failure && done) {
        try {
            const bool is_ours = co_await putting->Finish();
            if (!is_ours) done = StorageUnavailable();
        } catch (...) {
            failure = std::current_exception();
        }
    }
    if (!failure && done) co_return putting->info;
    co_await putting->GiveUp();
    WakeSweeper();
    if (failure) std::rethrow_exception(failure);
    co_return done.error();
}

Task<Result<BlobInfo>> Blobs::Impl::Put(TeamId team, PutOptions put,
                                        std::optional<std::uint64_t> bytes,
                                        std::shared_ptr<BytePipe> source) {
    NeedStart();
    const std::shared_ptr<Impl> alive = shared_from_this();
    BlobInfo info;
    info.id = BlobId::New();
    info.team = team;
    info.name = put.name;
    info.content_type = put.content_type;
    info.live = put.live;
    info.created_at = std::chrono::floor<std::chrono::milliseconds>(clock());
    if (put.expires_at) {
        info.expires_at = std::chrono::floor<std::chrono::milliseconds>(*put.expires_at);
    }
    info.backend = options.backend;
    Result<void> checked = CheckPut(put, info.created_at);
    if (checked) {
        const bool has_slot = co_await slots.Acquire(options.put_wait);
        if (!has_slot) checked = Busy();
    }
    if (!checked) {
        source->Abandon();
        CountResult(options.backend, "put", &checked.error());
        co_return checked.error();
    }
    Result<BlobInfo> result = StorageUnavailable();
    std::exception_ptr failure;
    try {
        result = co_await PutInSlot(std::move(info), std::move(put), bytes, source);
    } catch (...) {
        failure = std::current_exception();
    }
    slots.Release();
    if (failure || !result) source->Abandon();
    CountResult(options.backend, "put", result ? nullptr : &result.error());
    if (failure) std::rethrow_exception(failure);
    co_return result;
}

Task<Result<BlobInfo>> Blobs::Put(TeamId team, PutOptions options,
                                  std::shared_ptr<BytePipe> source) {
    const std::optional<std::uint64_t> unknown;
    return impl_->Put(team, std::move(options), unknown, std::move(source));
}

Task<Result<BlobInfo>> Blobs::Put(TeamId team, PutOptions options, std::string content) {
    const std::uint64_t bytes = content.size();
    auto source = std::make_shared<BytePipe>(impl_->loop.get_executor(), 1);
    source->WriteNow(std::move(content));
    source->Finish();
    return impl_->Put(team, std::move(options), bytes, std::move(source));
}

}  // namespace vf::blob

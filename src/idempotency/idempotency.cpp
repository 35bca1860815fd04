#include "idempotency/idempotency.hpp"

#include <openssl/sha.h>

#include <algorithm>

#include "base/json.hpp"
#include "base/log.hpp"
#include "base/unavailable.hpp"
#include "blob/blob.hpp"
#include "idempotency/idempotency_store.hpp"

namespace vf::idempotency {

struct Idempotency::State {
    State(Executor executor, IdempotencyOptions o)
        : loop(executor), options(o), sweep_timer(executor) {}

    Executor loop;
    IdempotencyOptions options;
    pg::Database* database = nullptr;
    blob::Blobs* blobs = nullptr;
    NodeId node;
    bool stopped = false;
    SteadyTimer sweep_timer;
};

namespace {

using State = Idempotency::State;

constexpr std::size_t kMostKey = 255;
constexpr std::size_t kTeePipe = 256 * 1024;
constexpr std::chrono::minutes kSweepInterval{5};

Digest Sha256(std::string_view text) {
    Digest digest{};
    ::SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
    return digest;
}

// Each part with its length, so that no two requests give one text.
Digest DigestOf(const http::Request& request) {
    std::string text;
    for (const std::string_view part :
         {http::MethodName(request.method), request.route, std::string_view(request.target),
          request.headers.Get("Content-Type"), std::string_view(request.body)}) {
        text += std::to_string(part.size()) + ":";
        text += part;
    }
    return Sha256(text);
}

bool IsGoodKey(std::string_view key) {
    return !key.empty() && key.size() <= kMostKey &&
           std::all_of(key.begin(), key.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

// One attempt at one key.
struct Attempt {
    std::shared_ptr<State> state;
    TeamId team;
    bool live = false;
    Digest key{};
    OperationId operation;
};

// What tells of the body, also in the words of ElevenLabs' clients.
bool IsKept(std::string_view name) {
    for (const char* kept : {"Content-Type", "request-id", "character-cost", "history-item-id",
                             "current-concurrent-requests", "maximum-concurrent-requests",
                             "x-trace-id", "x-region", "Cartesia-Request-ID", "dg-request-id",
                             "dg-model-name", "dg-model-uuid", "dg-char-count"}) {
        if (http::EqualsIgnoringCase(name, kept)) return true;
    }
    return false;
}

std::string KeptHeaders(const http::Response& response) {
    json::object kept;
    for (const auto& [name, value] : response.headers) {
        const bool is_ours =
            name.size() > 12 && http::EqualsIgnoringCase(name.substr(0, 12), "X-VoiceFlow-");
        if (is_ours || IsKept(name)) kept[name] = value;
    }
    return json::Print(kept);
}

Task<void> StoreOrThrow(const Attempt& attempt, int status, std::string headers, std::string body) {
    State& state = *attempt.state;
    pg::TeamDb db = state.database->Team(attempt.team);
    std::optional<BlobId> kept;
    if (body.size() <= state.options.max_bytes) {
        blob::PutOptions put;
        put.live = attempt.live;
        put.expires_at = blob::Clock::now() + state.options.keep;
        const Result<blob::BlobInfo> stored =
            co_await state.blobs->Put(attempt.team, std::move(put), std::move(body));
        if (stored) {
            kept = stored->id;
        } else {
            log::Warning("idempotent_answer_not_kept", {{"code", stored.error().code()}});
        }
    }
    co_await idempotency_store::Done(db, attempt.key, attempt.operation, status, std::move(headers),
                                     kept);
}

// An answer that cannot be kept is made again when it is asked for again, under the same operation.
Task<void> Store(Attempt attempt, int status, std::string headers, std::string body) {
    std::string failure;
    try {
        co_await StoreOrThrow(attempt, status, std::move(headers), std::move(body));
    } catch (const std::exception& e) {
        failure = e.what();
    }
    if (!failure.empty()) log::Warning("idempotent_answer_not_kept", {{"error", failure}});
}

Task<void> Release(Attempt attempt) {
    std::string failure;
    try {
        pg::TeamDb db = attempt.state->database->Team(attempt.team);
        co_await idempotency_store::Release(db, attempt.key, attempt.operation);
    } catch (const std::exception& e) {
        failure = e.what();
    }
    if (!failure.empty()) log::Warning("idempotency_key_held", {{"error", failure}});
}

using OnDone = std::function<void(bool)>;

// Passes a stream on and keeps it. A client that leaves does not end the work: it will ask again,
// and then all of it is there. So the work is over, and charged, when it is stored.
Task<void> Tee(Attempt attempt, std::shared_ptr<BytePipe> from, std::shared_ptr<BytePipe> to,
               int status, std::string headers, OnDone on_done) {
    std::string body;
    bool is_kept = true;
    bool is_read = true;
    for (;;) {
        std::optional<std::string> chunk = co_await from->Read();
        if (!chunk) break;
        is_kept = is_kept && body.size() + chunk->size() <= attempt.state->options.max_bytes;
        if (is_kept) body += *chunk;
        if (is_read) is_read = co_await to->Write(std::move(*chunk));
        if (!is_read && !is_kept) {
            from->Abandon();
            break;
        }
    }
    const bool is_whole = from->complete();
    if (!is_whole) {
        to->Fail(from->error().value_or(Error()));
        if (on_done) on_done(false);
        co_await Release(std::move(attempt));
        co_return;
    }
    if (!is_kept) body.assign(attempt.state->options.max_bytes + 1, '\0');
    // Kept before the last byte leaves: whoever has all of it finds it stored.
    co_await Store(std::move(attempt), status, std::move(headers), std::move(body));
    to->Finish();
    if (on_done) on_done(true);
}

Task<Result<http::Response>> Replay(std::shared_ptr<State> state, TeamId team,
                                    StoredRequest stored) {
    Result<blob::BlobContent> content =
        co_await state->blobs->Get(team, *stored.blob, std::nullopt);
    if (!content) co_return std::move(content).error();
    http::Response response(stored.status);
    const Result<json::Parsed> headers = json::Parse(stored.headers);
    if (headers && headers->root.is_object()) {
        for (const auto& [name, value] : headers->root.get_object()) {
            response.headers.Set(name, value.as_string());
        }
    }
    response.headers.Set("Cache-Control", "no-store");
    response.headers.Set("Idempotent-Replayed", "true");
    response.body = http::StreamBody{content->pipe, content->length};
    co_return response;
}

Error Refusal(const StoredRequest& stored) {
    if (!stored.is_same) {
        return Error(ErrorKind::kConflict, "idempotency_key_reused",
                     "This Idempotency-Key was used for another request within the last 24 hours. "
                     "Use a new key for a new request.");
    }
    return Error(ErrorKind::kConflict, "idempotency_in_progress",
                 "A request with this Idempotency-Key is under way. Ask again in a moment.")
        .RetryAfter(std::chrono::seconds(1));
}

Task<http::Response> Work(Attempt attempt, http::Handler inner, http::Request* request) {
    request->operation = attempt.operation;
    http::Response response;
    std::exception_ptr failure;
    try {
        Task<http::Response> work = inner(*request);
        response = co_await std::move(work);
    } catch (...) {
        failure = std::current_exception();
    }
    if (failure || response.status >= 400) {
        co_await Release(std::move(attempt));
        if (failure) std::rethrow_exception(failure);
        co_return response;
    }
    std::string headers = KeptHeaders(response);
    if (auto* stream = std::get_if<http::StreamBody>(&response.body)) {
        const Executor loop = attempt.state->loop;
        auto out = std::make_shared<BytePipe>(loop, kTeePipe);
        OnDone on_done = std::exchange(response.on_done, nullptr);
        Spawn(loop,
              Tee(std::move(attempt), stream->pipe, out, response.status, std::move(headers),
                  std::move(on_done)),
              "idempotent_stream");
        stream->pipe = out;
        co_return response;
    }
    std::string body;
    if (const auto* text = std::get_if<std::string>(&response.body)) body = *text;
    const int status = response.status;
    co_await Store(std::move(attempt), status, std::move(headers), std::move(body));
    co_return response;
}

Task<http::Response> Handle(std::shared_ptr<State> state, http::Handler inner,
                            http::ErrorFormat errors, http::Request* request) {
    const std::string_view key = request->headers.Get("Idempotency-Key");
    if (!IsGoodKey(key) || request->headers.Count("Idempotency-Key") != 1) {
        const Error error(ErrorKind::kInvalid, "invalid_idempotency_key",
                          "Idempotency-Key must be sent once and have 1 to 255 visible ASCII "
                          "characters.");
        co_return errors(error, *request);
    }
    Attempt attempt;
    attempt.state = state;
    attempt.team = request->caller.team;
    attempt.live = request->caller.live;
    attempt.key = Sha256(key);
    const Digest digest = DigestOf(*request);
    pg::TeamDb db = state->database->Team(attempt.team);
    const OperationId fresh = OperationId::New();
    StoredRequest stored = co_await idempotency_store::Claim(
        db, attempt.key, digest, fresh, state->node, state->options.lease, state->options.keep);
    attempt.operation = stored.operation;
    if (stored.is_claimed) {
        co_return co_await Work(std::move(attempt), std::move(inner), request);
    }
    if (!stored.is_same || !stored.is_done || !stored.blob) {
        const Error refusal = Refusal(stored);
        co_return errors(refusal, *request);
    }
    Result<http::Response> replay = co_await Replay(state, attempt.team, std::move(stored));
    if (!replay) co_return errors(replay.error(), *request);
    co_return *std::move(replay);
}

Task<void> KeepSwept(std::shared_ptr<State> state) {
    while (!state->stopped) {
        try {
            pg::SystemDb db = state->database->System("expired idempotency keys of all teams");
            for (;;) {
                const std::int64_t removed = co_await idempotency_store::Sweep(db);
                if (removed < 1000) break;
            }
        } catch (const UnavailableException&) {
            // Next time.
        }
        state->sweep_timer.expires_after(kSweepInterval);
        co_await state->sweep_timer.async_wait(kAwaitTuple);
    }
}

Task<void> TakeBack(std::shared_ptr<State> state) {
    pg::SystemDb db = state->database->System("what this node had under way when it died");
    co_await idempotency_store::ReleaseNode(db, state->node);
}

}  // namespace

void DeclareSettings(SettingsSchema& schema, IdempotencyOptions& options) {
    using std::chrono::milliseconds;
    schema.Duration("idempotency.keep", options.keep, milliseconds(60'000),
                    milliseconds(30LL * 86'400'000),
                    {"24h", "How long a request with an Idempotency-Key is answered again."});
    schema.Duration("idempotency.lease", options.lease, milliseconds(1000), milliseconds(3'600'000),
                    {"2m", "When an attempt that another node works on is taken for dead."});
    schema.Bytes("idempotency.max_bytes", options.max_bytes, 0, 1ULL << 30U,
                 {"16MiB", "The largest answer that is kept; larger ones are made again."});
}

Idempotency::Idempotency(asio::io_context& loop, IdempotencyOptions options)
    : state_(std::make_shared<State>(loop.get_executor(), options)) {}

Idempotency::~Idempotency() {
    Stop();
}

void Idempotency::Start(pg::Database& database, blob::Blobs& blobs, NodeId node) {
    state_->database = &database;
    state_->blobs = &blobs;
    state_->node = node;
    Spawn(state_->loop, TakeBack(state_), "idempotency_take_back");
    Spawn(state_->loop, KeepSwept(state_), "idempotency_sweep");
}

void Idempotency::Stop() {
    state_->stopped = true;
    state_->sweep_timer.cancel();
}

http::Handler Idempotency::Wrap(http::Handler inner, http::ErrorFormat errors) {
    return [state = state_, inner = std::move(inner), errors](http::Request& request) {
        if (!request.headers.Has("Idempotency-Key") || !state->database) return inner(request);
        return Handle(state, inner, errors, &request);
    };
}

}  // namespace vf::idempotency

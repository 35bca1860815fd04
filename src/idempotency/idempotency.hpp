#pragma once
// Requests sent again: with an `Idempotency-Key` header, the same key and the same request within
// 24 hours are answered again from what was stored, and charged once.
//
// - Same key, same request, done: the stored answer, with Idempotent-Replayed: true.
// - Same key, same request, under way: 409 idempotency_in_progress, Retry-After.
// - Same key, another request: 409 idempotency_key_reused.
// - The first attempt failed: done anew.
// - The server of the first attempt died: done again, accounted under the first attempt's operation
//   id, so that usage has one row for it.
//
// The request is its method, target, content type and body. Answers below 400 are kept (encrypted,
// as blobs), also when the client left before it had all of it; an answer larger than `max_bytes`
// is made again instead. On the loop; must outlive the router.

#include <cstdint>
#include <memory>

#include "base/ids.hpp"
#include "base/settings.hpp"
#include "http/router.hpp"

namespace vf::pg {
class Database;
}
namespace vf::blob {
class Blobs;
}

namespace vf::idempotency {

struct IdempotencyOptions {
    std::chrono::milliseconds keep{std::chrono::hours(24)};
    std::chrono::milliseconds lease{std::chrono::minutes(2)};  // of one attempt
    std::uint64_t max_bytes = 16ULL << 20U;                    // of an answer that is kept
};
// Section "idempotency".
void DeclareSettings(SettingsSchema& schema, IdempotencyOptions& options);

class Idempotency {
public:
    Idempotency(asio::io_context& loop, IdempotencyOptions options);
    ~Idempotency();
    Idempotency(const Idempotency&) = delete;
    Idempotency& operator=(const Idempotency&) = delete;

    // Takes back what this node had under way when it died. Both must outlive Stop().
    void Start(pg::Database& database, blob::Blobs& blobs, NodeId node);
    void Stop();

    // `inner`, for requests with the header made repeatable; others pass untouched. The handler
    // accounts its work under request.operation when that is set.
    http::Handler Wrap(http::Handler inner, http::ErrorFormat errors);

    struct State;

private:
    std::shared_ptr<State> state_;
};

}  // namespace vf::idempotency

#pragma once
// Brings the journal's rows into PostgreSQL: batches, one transaction each, idempotent by the
// operation's id. Reads the journal's own files behind the writer, so that memory stays flat while
// PostgreSQL is away; then tries again with back-off for as long as it takes. Segments whose rows
// are all there are deleted, unless an operation in flight has its latest mark in them.
// On the loop; reading and encoding happen on a thread of its own.

#include <chrono>
#include <cstdint>
#include <memory>

#include "base/task.hpp"
#include "pg/database.hpp"
#include "usage/journal.hpp"
#include "usage/usage.hpp"

namespace vf::usage {

class Shipper {
public:
    // `journal` and `database` must outlive it.
    Shipper(asio::io_context& loop, Journal& journal, pg::Database& database, UsageOptions options,
            OnIngest on_ingest = {});
    ~Shipper();
    Shipper(const Shipper&) = delete;
    Shipper& operator=(const Shipper&) = delete;

    // Starts with what earlier processes left.
    void Start();
    // Everything that is written now is in PostgreSQL, or `timeout` is over: false.
    Task<bool> Drain(std::chrono::milliseconds timeout);
    // No new batch; waits for the one in flight (bounded by the database's timeouts). Rows that
    // are left are shipped by the next process.
    Task<void> Stop();

    std::uint64_t rows_shipped() const;  // new in the database, by this process

private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace vf::usage

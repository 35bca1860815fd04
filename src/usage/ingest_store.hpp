#pragma once
// How rows come into usage_rows: SQL, and the arrays that one statement takes.
//
// One INSERT … SELECT from arrays a batch, in binary; what many rows share (who, how, what became
// of it) travels once and is joined. Measured beside COPY into a staging table and beside one array
// a column, this is the fastest (bench/usage).

#include <chrono>
#include <vector>

#include "pg/database.hpp"
#include "usage/usage.hpp"

namespace vf::usage {

using Month = std::chrono::year_month;

Month MonthOf(const OperationId& operation);  // UTC
Month MonthOf(std::chrono::sys_time<std::chrono::milliseconds> time);

// The rows of one month, ready to be sent.
struct IngestPart {
    Month month;
    std::size_t rows = 0;
    pg::Params params;
};
// Any thread; takes about a microsecond a row.
std::vector<IngestPart> EncodeRows(const std::vector<UsageRow>& rows);

// Makes the month's partition when it is missing.
Task<void> EnsurePartition(pg::SystemDb database, Month month);

struct Inserted {
    std::vector<IngestTotals> totals;
    std::uint64_t rows = 0;
};
// Inserts what is not there yet; the totals and number of these rows.
Task<Inserted> InsertRows(pg::SystemTransaction& transaction, const IngestPart& part);

}  // namespace vf::usage

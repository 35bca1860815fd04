#pragma once
// For the tests of this folder: rows, folders, and what a reader finds in them.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "base/caller.hpp"
#include "pg/pg_testing.hpp"
#include "usage/batch_reader.hpp"
#include "usage/file_calls.hpp"
#include "usage/journal.hpp"

namespace vf::usage {

namespace fs = std::filesystem;

using pg::TempDir;

inline UsageRow MakeRow(std::int64_t characters = 10) {
    UsageRow row;
    row.operation = OperationId::New();
    row.team = kDemoTeam;
    row.billing = BillingAccountId{kDemoTeam.uuid};
    row.route = "/v1/generate";
    row.voice = "flite:slt";
    row.model = "standard";
    row.engine = "flite";
    row.characters = characters;
    row.audio_ms = characters * 70;
    row.engine_ms = 12;
    row.bytes = characters * 3000;
    row.charge_milli = characters * 2;
    row.started_at = std::chrono::sys_time<std::chrono::milliseconds>(
        std::chrono::milliseconds(row.operation.uuid.UnixMillis()));
    return row;
}

// An id with the given time stamp.
inline OperationId IdAt(std::chrono::sys_time<std::chrono::milliseconds> time) {
    OperationId id = OperationId::New();
    const auto millis = static_cast<std::uint64_t>(time.time_since_epoch().count());
    for (std::size_t i = 0; i < 6; ++i) {
        id.uuid.bytes[i] = static_cast<std::uint8_t>(millis >> (40 - 8 * i));
    }
    return id;
}

// What these tests ask of a sync is not that the disk keeps it.
class QuickDisk : public FileCalls {
public:
    int Sync(int) override { return 0; }
};

inline JournalOptions OptionsIn(const fs::path& folder) {
    static QuickDisk disk;
    JournalOptions options;
    options.files = &disk;
    options.folder = folder;
    options.usage.segment_bytes = 64 << 10;
    options.usage.sync_interval = std::chrono::milliseconds(1);
    options.retry_interval = std::chrono::milliseconds(1);
    return options;
}

inline std::unique_ptr<Journal> OpenJournal(JournalOptions options) {
    auto journal = Journal::Open(std::move(options));
    if (!journal) throw std::runtime_error(journal.error().message());
    return *std::move(journal);
}

// Polls for what another thread does in its own time.
inline bool WaitUntil(const std::function<bool()>& condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!condition()) {
        if (std::chrono::steady_clock::now() > deadline) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return true;
}

struct Found {
    std::vector<UsageRow> rows;
    std::uint64_t damaged = 0;
};

inline Found ReadAll(Journal& journal, std::size_t most_rows = 1000) {
    BatchReader reader(journal.folder(), journal.node(), journal.first_own_segment());
    Found found;
    for (;;) {
        Batch batch = reader.Next(journal.written(), most_rows);
        found.rows.insert(found.rows.end(), batch.rows.begin(), batch.rows.end());
        found.damaged += batch.report.damaged_records;
        if (batch.is_last) return found;
    }
}

inline std::string ReadBytes(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

inline void WriteBytes(const fs::path& path, const std::string& bytes) {
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    file << bytes;
}

}  // namespace vf::usage

#include "usage/batch_reader.hpp"

#include <algorithm>
#include <cstring>

#include "base/log.hpp"

namespace vf::usage {

BatchReader::BatchReader(std::filesystem::path folder, NodeId node, std::uint64_t first_own)
    : folder_(std::move(folder)), node_(node), first_own_(first_own) {}

std::size_t BatchReader::HashId::operator()(const OperationId& id) const {
    std::size_t hash = 0;  // the last bytes of a version 7 id are random
    std::memcpy(&hash, id.uuid.bytes.data() + 8, sizeof hash);
    return hash;
}

Batch BatchReader::Next(JournalPosition end, std::size_t most_rows) {
    Batch batch;
    try {
        Fill(end, most_rows, batch);
    } catch (...) {
        // What was read already must not be lost; the next call meets the trouble again.
        if (batch.rows.empty() && batch.report.bytes == 0) throw;
    }
    if (scanner_) {
        batch.report.position = {scanner_->sequence(), scanner_->offset()};
    } else {
        batch.report.position = {last_segment_, 0};
    }
    batch.report.nothing_open = batch.is_last && open_.empty();
    return batch;
}

void BatchReader::Fill(JournalPosition end, std::size_t most_rows, Batch& batch) {
    for (;;) {
        if (!ChargeOrphans(most_rows, batch)) return;
        if (!scanner_ && !OpenNext(end)) {
            batch.is_last = true;
            return;
        }
        if (scanner_ && !ReadSegment(end, most_rows, batch)) {
            batch.is_last = batch.rows.size() < most_rows;
            return;
        }
    }
}

// Opens the segment that comes next, if there is one up to `end`. When those of earlier processes
// are all read, what they left open becomes orphans first.
bool BatchReader::OpenNext(JournalPosition end) {
    std::uint64_t next = 0;
    for (const std::uint64_t sequence : ListSegments(folder_)) {
        if (sequence > last_segment_ && sequence <= end.segment) {
            next = sequence;
            break;
        }
    }
    if (!past_is_over_ && (next == 0 || next >= first_own_)) {
        past_is_over_ = true;
        CollectOrphans();
        if (!orphans_.empty()) return true;
    }
    if (next == 0) return false;
    scanner_ = std::make_unique<SegmentScanner>(folder_, next, node_);
    last_segment_ = next;
    damage_noted_ = 0;
    return true;
}

// False: the batch is full, or the writer was caught up with.
bool BatchReader::ReadSegment(JournalPosition end, std::size_t most_rows, Batch& batch) {
    const bool is_current = scanner_->sequence() == end.segment;
    const std::uint64_t limit = is_current ? end.offset : scanner_->FileSize();
    const std::uint64_t from = scanner_->offset();
    bool at_limit = false;
    while (batch.rows.size() < most_rows) {
        std::optional<Record> record = scanner_->Next(limit);
        if (!record) {
            at_limit = true;
            break;
        }
        Take(std::move(*record), batch);
    }
    batch.report.bytes += scanner_->offset() - from;
    NoteDamage(batch);
    if (!at_limit || is_current) return false;
    finished_.push_back(scanner_->sequence());
    scanner_.reset();
    return true;
}

void BatchReader::NoteDamage(Batch& batch) {
    const std::uint64_t found = scanner_->damaged() - damage_noted_;
    if (found == 0) return;
    damage_noted_ = scanner_->damaged();
    batch.report.damaged_records += found;
    const bool is_new = KeepDamaged(folder_, scanner_->sequence());
    if (is_new) ++batch.report.damaged_segments;
    log::Error("usage_journal_damaged",
               {{"segment", SegmentPath(folder_, scanner_->sequence()).filename().string()},
                {"stretches", found},
                {"kept", is_new}});
}

void BatchReader::Take(Record record, Batch& batch) {
    const OperationId operation = record.row.operation;
    const auto known = open_.find(operation);
    if (record.type == RecordType::kEnd) {
        if (known != open_.end()) {
            LetGo(known->second.segment);
            open_.erase(known);
        }
        batch.rows.push_back(std::move(record.row));
        return;
    }
    const Mark mark{scanner_->sequence(), scanner_->record_offset()};
    if (known != open_.end()) {
        if (known->second.segment != mark.segment) {
            LetGo(known->second.segment);
            ++held_[mark.segment];
        }
        known->second = mark;
        return;
    }
    open_.emplace(operation, mark);
    ++held_[mark.segment];
}

void BatchReader::LetGo(std::uint64_t segment) {
    const auto held = held_.find(segment);
    if (held != held_.end() && --held->second == 0) held_.erase(held);
}

// Everything that is open belongs to processes that are no more.
void BatchReader::CollectOrphans() {
    for (const auto& [operation, mark] : open_) orphans_.emplace_back(operation, mark);
    std::sort(orphans_.begin(), orphans_.end(), [](const auto& a, const auto& b) {
        return std::pair(a.second.segment, a.second.offset) <
               std::pair(b.second.segment, b.second.offset);
    });
    open_.clear();
}

// False: the batch is full. The segments of orphans stay held until the batch is released.
bool BatchReader::ChargeOrphans(std::size_t most_rows, Batch& batch) {
    while (!orphans_.empty()) {
        if (batch.rows.size() >= most_rows) return false;
        const Mark mark = orphans_.front().second;
        const OperationId operation = orphans_.front().first;
        std::optional<Record> record;
        if (!orphan_file_ || orphan_file_->sequence() != mark.segment) {
            orphan_file_.reset();
            if (std::filesystem::exists(SegmentPath(folder_, mark.segment))) {
                orphan_file_ = std::make_unique<SegmentScanner>(folder_, mark.segment, node_);
            }
        }
        if (orphan_file_) record = orphan_file_->ReadAt(mark.offset);
        orphans_.pop_front();
        LetGo(mark.segment);
        if (!record || record->row.operation != operation) {
            log::Error("usage_mark_vanished", {{"operation", operation.Wire()}});
            continue;
        }
        record->row.delivery = record->row.streamed ? Delivery::kInterrupted : Delivery::kUnknown;
        batch.rows.push_back(std::move(record->row));
    }
    orphan_file_.reset();
    return true;
}

void BatchReader::Release() {
    std::erase_if(finished_, [this](std::uint64_t sequence) {
        if (held_.contains(sequence)) return false;
        std::error_code error;
        std::filesystem::remove(SegmentPath(folder_, sequence), error);
        if (error) {
            log::Error("usage_journal_segment_stays", {{"error", error.message()}});
            return false;
        }
        return true;
    });
}

}  // namespace vf::usage

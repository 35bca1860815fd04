// The replay of a usage journal with any bytes in its segment: nothing may crash, every row that
// comes out must be one that the database can hold, and what is written anew reads the same.
// The input is a list of pieces: a byte that says which kind, two of length, and so many bytes. A
// frame's checksum is made here, as no mutation would find it.
#include <stdlib.h>

#include <cstdlib>
#include <fstream>

#include "base/log.hpp"
#include "base/utf8.hpp"
#include "usage/batch_reader.hpp"
#include "usage/crc32c.hpp"
#include "usage/ingest_store.hpp"
#include "usage/journal_folder.hpp"

namespace {

using namespace vf;
using namespace vf::usage;
namespace fs = std::filesystem;

void Require(bool holds) {
    if (!holds) abort();
}

const fs::path& Folder() {
    static const fs::path folder = [] {
        std::string pattern = (fs::temp_directory_path() / "journal_fuzz_XXXXXX").string();
        fs::path made = ::mkdtemp(pattern.data());
        std::atexit([] { fs::remove_all(Folder()); });
        log::Configure(log::Level::kError, log::Format::kJson, "/dev/null");
        return made;
    }();
    return folder;
}

void Put(std::string& out, std::uint32_t number) {
    for (int i = 0; i < 4; ++i) out += static_cast<char>(number >> (8 * i));
}

std::string MakeSegment(std::string_view input) {
    const SegmentHeader header{1, NodeId{}};
    const std::uint32_t seed = FrameSeed(header);
    std::string out = EncodeHeader(header);
    while (input.size() >= 3) {
        const auto length = static_cast<std::size_t>(static_cast<std::uint8_t>(input[1]) |
                                                     static_cast<std::uint8_t>(input[2]) << 8);
        const bool is_frame = input[0] % 2 == 0;
        input.remove_prefix(3);
        const std::string_view piece = input.substr(0, length);
        input.remove_prefix(piece.size());
        if (is_frame) {
            std::string size;
            Put(size, static_cast<std::uint32_t>(piece.size()));
            out += size;
            Put(out, Crc32c(Crc32c(seed, size), piece));
        }
        out += piece;
    }
    return out;
}

void CheckRow(const UsageRow& row) {
    Require(HasSensibleTime(row.operation));
    Require(row.status >= 0 && row.status <= 999);
    for (const std::int64_t count : {row.characters, row.audio_ms, row.engine_ms, row.bytes,
                                     row.charge_milli, row.vendor_milli}) {
        Require(count >= 0 && count <= kMaxCount);
    }
    for (const std::string* text : {&row.route, &row.voice, &row.model, &row.engine, &row.region,
                                    &row.deployment, &row.vendor_currency}) {
        Require(text->size() <= kMaxText && !Utf8FindInvalid(*text));
        Require(text->find('\0') == std::string::npos);
    }
    std::string bytes;
    AppendFrame(bytes, 7, RecordType::kEnd, row);
    const auto frame = ReadFrame(bytes, 7);
    Require(frame && frame->size == bytes.size());
    auto again = DecodePayload(frame->payload);
    Require(again.has_value());
    again->row.node = row.node;
    Require(again->row == row);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size > (64U << 10)) return 0;
    const fs::path folder = Folder();
    for (const auto& left : fs::directory_iterator(folder)) {
        if (left.path().filename() != "node.id") fs::remove(left);
    }
    {
        std::ofstream file(SegmentPath(folder, 1), std::ios::binary);
        file << MakeSegment({reinterpret_cast<const char*>(data), size});
    }
    const auto state = PrepareFolder(folder);
    Require(state.ok());
    BatchReader reader(folder, state->node, state->next_sequence);
    std::uint64_t bytes = 0;
    for (int calls = 0;; ++calls) {
        Require(calls < 100'000);
        const Batch batch = reader.Next({state->next_sequence, kSegmentHeaderBytes}, 3);
        bytes += batch.report.bytes;
        for (const UsageRow& row : batch.rows) CheckRow(row);
        EncodeRows(batch.rows);
        reader.Release();
        if (batch.is_last) break;
    }
    Require(bytes == state->record_bytes);
    Require(reader.open_operations() == 0);
    Require(ListSegments(folder).empty());
    return 0;
}

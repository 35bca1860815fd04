#pragma once
// The journal's bytes. Little-endian.
//
//   segment   header, then frames without gaps
//   header    "VFUSAGE1", u64 sequence number, 16 bytes node id, u32 CRC-32C of these
//   frame     u32 length of the payload, u32 CRC-32C of (header, length, payload), payload
//   payload   u8 version (2; 1 is read too: it ends before the vendor's cost), u8 type (1 mark,
//             2 end), the row
//
// A frame's checksum begins with the header of its segment, whose random part nobody outside knows:
// no text that a caller sends can look like a frame. Pure functions; any bytes may come in.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "usage/usage.hpp"

namespace vf::usage {

inline constexpr std::size_t kSegmentHeaderBytes = 36;
inline constexpr std::size_t kFrameHeaderBytes = 8;
inline constexpr std::size_t kMaxPayload = 2048;

enum class RecordType : std::uint8_t { kMark = 1, kEnd = 2 };

struct Record {
    RecordType type = RecordType::kMark;
    UsageRow row;  // without its node, which is the segment's
};

struct SegmentHeader {
    std::uint64_t sequence = 0;
    NodeId node;
    bool operator==(const SegmentHeader&) const = default;
};

std::string EncodeHeader(const SegmentHeader& header);
std::optional<SegmentHeader> DecodeHeader(std::string_view bytes);
// What the checksums of a segment's frames begin with.
std::uint32_t FrameSeed(const SegmentHeader& header);

// Whether the id's time stamp is one that usage_rows has a partition for.
bool HasSensibleTime(const OperationId& operation);

// Appends one frame.
void AppendFrame(std::string& out, std::uint32_t seed, RecordType type, const UsageRow& row);

struct Frame {
    std::string_view payload;
    std::size_t size = 0;  // with its header
};
// The frame that `bytes` begin with; none when they do not begin with a whole and sound one.
std::optional<Frame> ReadFrame(std::string_view bytes, std::uint32_t seed);
// None for another version, type, length or range.
std::optional<Record> DecodePayload(std::string_view payload);

}  // namespace vf::usage

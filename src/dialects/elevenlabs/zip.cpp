#include "dialects/elevenlabs/zip.hpp"

#include <zlib.h>

#include <cstdint>

namespace vf::elevenlabs {
namespace {

// 1 January 1980: archives of one content are one archive.
constexpr std::uint16_t kDate = (1U << 5U) | 1U;
constexpr std::uint16_t kVersion = 20;

void Put16(std::string& out, std::uint32_t value) {
    out += static_cast<char>(value & 0xffU);
    out += static_cast<char>(value >> 8U & 0xffU);
}

void Put32(std::string& out, std::uint32_t value) {
    Put16(out, value & 0xffffU);
    Put16(out, value >> 16U);
}

}  // namespace

void ZipWriter::Add(std::string_view name, std::string_view content) {
    Entry entry;
    entry.name = name;
    entry.size = static_cast<std::uint32_t>(content.size());
    entry.offset = static_cast<std::uint32_t>(out_.size());
    entry.crc = static_cast<std::uint32_t>(
        crc32(0, reinterpret_cast<const Bytef*>(content.data()), entry.size));
    Put32(out_, 0x04034b50);
    Put16(out_, kVersion);
    Put16(out_, 0);  // flags
    Put16(out_, 0);  // stored
    Put16(out_, 0);  // time
    Put16(out_, kDate);
    Put32(out_, entry.crc);
    Put32(out_, entry.size);
    Put32(out_, entry.size);
    Put16(out_, static_cast<std::uint32_t>(name.size()));
    Put16(out_, 0);  // extra
    out_ += name;
    out_ += content;
    entries_.push_back(std::move(entry));
}

std::string ZipWriter::Finish() {
    const auto begin = static_cast<std::uint32_t>(out_.size());
    for (const Entry& entry : entries_) {
        Put32(out_, 0x02014b50);
        Put16(out_, kVersion);
        Put16(out_, kVersion);
        Put16(out_, 0);
        Put16(out_, 0);
        Put16(out_, 0);
        Put16(out_, kDate);
        Put32(out_, entry.crc);
        Put32(out_, entry.size);
        Put32(out_, entry.size);
        Put16(out_, static_cast<std::uint32_t>(entry.name.size()));
        Put16(out_, 0);  // extra
        Put16(out_, 0);  // comment
        Put16(out_, 0);  // disk
        Put16(out_, 0);  // attributes
        Put32(out_, 0);
        Put32(out_, entry.offset);
        out_ += entry.name;
    }
    const auto end = static_cast<std::uint32_t>(out_.size());
    Put32(out_, 0x06054b50);
    Put16(out_, 0);
    Put16(out_, 0);
    Put16(out_, static_cast<std::uint32_t>(entries_.size()));
    Put16(out_, static_cast<std::uint32_t>(entries_.size()));
    Put32(out_, end - begin);
    Put32(out_, begin);
    Put16(out_, 0);
    return std::move(out_);
}

}  // namespace vf::elevenlabs

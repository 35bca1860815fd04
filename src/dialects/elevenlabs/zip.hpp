#pragma once
// A ZIP archive of whole files, stored without compression: audio has been compressed already.
// APPNOTE.TXT 6.3.10 without ZIP64: below 4 GiB and 65,535 files.

#include <string>
#include <string_view>
#include <vector>

namespace vf::elevenlabs {

class ZipWriter {
public:
    // `name` is ASCII without directories.
    void Add(std::string_view name, std::string_view content);
    // The archive; nothing may be added afterwards.
    std::string Finish();
    std::size_t size() const { return out_.size(); }

private:
    struct Entry {
        std::string name;
        std::uint32_t crc;
        std::uint32_t size;
        std::uint32_t offset;
    };
    std::string out_;
    std::vector<Entry> entries_;
};

}  // namespace vf::elevenlabs

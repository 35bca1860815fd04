#include "neural/archive.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <memory>

namespace vf::neural {
namespace {

namespace fs = std::filesystem;

struct Wrong {
    std::string what;
};

struct CloseArchive {
    void operator()(archive* open) const { archive_read_free(open); }
};
using Archive = std::unique_ptr<archive, CloseArchive>;

constexpr std::size_t kMaxPath = 512;

std::string Reason(archive* open) {
    const char* reason = archive_error_string(open);
    return reason == nullptr ? "it is damaged" : reason;
}

// A path of plain names inside of the folder; empty for the archive's own root.
fs::path SafePath(const char* name) {
    if (name == nullptr) throw Wrong{"an entry has a name that cannot be read"};
    std::string_view rest = name;
    if (rest.size() > kMaxPath) throw Wrong{"an entry's name is too long"};
    const bool has_control = std::ranges::any_of(
        rest, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == '\\'; });
    if (has_control) throw Wrong{"an entry's name has characters that no file here has"};
    if (rest.starts_with('/')) throw Wrong{fmt::format("\"{}\" is an absolute path", rest)};
    fs::path path;
    while (!rest.empty()) {
        const std::size_t slash = std::min(rest.find('/'), rest.size());
        const std::string_view part = rest.substr(0, slash);
        if (part == "..") throw Wrong{fmt::format("\"{}\" leads out of the folder", name)};
        if (!part.empty() && part != ".") path /= part;
        rest.remove_prefix(std::min(slash + 1, rest.size()));
    }
    return path;
}

class Unpacker {
public:
    Unpacker(const fs::path& file, const fs::path& folder, const ArchiveLimits& limits)
        : folder_(folder), limits_(limits), packed_(fs::file_size(file)),
          open_(archive_read_new()) {
        archive* from = open_.get();
        archive_read_support_filter_bzip2(from);
        archive_read_support_filter_gzip(from);
        archive_read_support_filter_xz(from);
        archive_read_support_format_tar(from);
        archive_read_support_format_zip(from);
        if (archive_read_open_filename(from, file.c_str(), 1 << 16) != ARCHIVE_OK) {
            throw Wrong{Reason(from)};
        }
    }

    void Run() {
        archive_entry* entry = nullptr;
        for (;;) {
            const int status = archive_read_next_header(open_.get(), &entry);
            if (status == ARCHIVE_EOF) break;
            if (status != ARCHIVE_OK) throw Wrong{Reason(open_.get())};
            if (++entries_ > limits_.entries) {
                throw Wrong{fmt::format("it has more than {} entries", limits_.entries)};
            }
            Take(entry);
        }
        if (entries_ == 0) throw Wrong{"there is nothing in it"};
    }

private:
    void Take(archive_entry* entry) {
        const fs::path path = SafePath(archive_entry_pathname(entry));
        const auto type = archive_entry_filetype(entry);
        const bool is_link =
            archive_entry_hardlink(entry) != nullptr || archive_entry_symlink(entry) != nullptr;
        if (is_link || (type != AE_IFREG && type != AE_IFDIR)) {
            throw Wrong{fmt::format("\"{}\" is neither a file nor a folder", path.string())};
        }
        if (path.empty()) return;
        if (type == AE_IFDIR) {
            fs::create_directories(folder_ / path);
            return;
        }
        fs::create_directories((folder_ / path).parent_path());
        if (fs::exists(folder_ / path)) {
            throw Wrong{fmt::format("\"{}\" stands in it twice", path.string())};
        }
        Write(folder_ / path);
    }

    void Write(const fs::path& path) {
        std::ofstream out(path, std::ios::binary);
        const void* bytes = nullptr;
        std::size_t size = 0;
        la_int64_t offset = 0, written = 0;
        for (;;) {
            const int status = archive_read_data_block(open_.get(), &bytes, &size, &offset);
            if (status == ARCHIVE_EOF) break;
            if (status != ARCHIVE_OK) throw Wrong{Reason(open_.get())};
            // A hole counts as what it becomes when it is read.
            if (offset < written) throw Wrong{"it is damaged"};
            Count(static_cast<std::uint64_t>(offset - written) + size);
            out.seekp(offset);
            out.write(static_cast<const char*>(bytes), static_cast<std::streamsize>(size));
            written = offset + static_cast<la_int64_t>(size);
        }
        out.close();
        if (!out) throw Wrong{"there is no room to unpack it"};
    }

    void Count(std::uint64_t bytes) {
        unpacked_ += bytes;
        if (unpacked_ > limits_.bytes) {
            throw Wrong{fmt::format("it unpacks to more than {} MiB", limits_.bytes >> 20U)};
        }
        if (unpacked_ > kFreeBytes &&
            unpacked_ / std::max<std::uint64_t>(packed_, 1) > limits_.ratio) {
            throw Wrong{fmt::format("it unpacks to more than {} times its size", limits_.ratio)};
        }
    }

    const fs::path& folder_;
    const ArchiveLimits& limits_;
    std::uint64_t packed_;
    Archive open_;
    std::size_t entries_ = 0;
    std::uint64_t unpacked_ = 0;
};

}  // namespace

bool IsArchive(std::string_view name) {
    for (const std::string_view end :
         {".tar.bz2", ".tbz2", ".tar.gz", ".tgz", ".tar.xz", ".txz", ".tar", ".zip"}) {
        if (name.size() > end.size() && name.ends_with(end)) return true;
    }
    return false;
}

Result<void> Unpack(const fs::path& archive, const fs::path& folder, const ArchiveLimits& limits) {
    std::string what;
    try {
        Unpacker(archive, folder, limits).Run();
        return {};
    } catch (const Wrong& e) {
        what = e.what;
    } catch (const fs::filesystem_error& e) {
        what = e.code().message();
    }
    return Error(
        ErrorKind::kInvalid, "bad_archive",
        fmt::format("The package {} cannot be unpacked: {}.", archive.filename().string(), what));
}

}  // namespace vf::neural

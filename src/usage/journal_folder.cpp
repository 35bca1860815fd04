#include "usage/journal_folder.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

#include "base/log.hpp"
#include "usage/segment.hpp"

namespace vf::usage {
namespace {

namespace fs = std::filesystem;

Error Unusable(const fs::path& what, const std::string& why) {
    return Error(ErrorKind::kConflict, "journal_unusable",
                 "The usage journal cannot be used: " + what.string() + ": " + why + ".");
}

Result<NodeId> MakeNode(const fs::path& folder) {
    const NodeId node = NodeId::New();
    const fs::path part = folder / "node.id.part";
    const int fd = ::open(part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) return FolderError(part, errno);
    const std::string text = node.Wire() + "\n";
    errno = 0;
    const bool written =
        ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
        ::fsync(fd) == 0;
    const int error = errno != 0 ? errno : ENOSPC;
    ::close(fd);
    if (!written) return FolderError(part, error);
    // The folder is synced with the first segment, which comes before anything is charged.
    if (::rename(part.c_str(), (folder / "node.id").c_str()) != 0) return FolderError(part, errno);
    return node;
}

Result<NodeId> ReadNode(const fs::path& folder) {
    const fs::path path = folder / "node.id";
    if (!fs::exists(path)) return MakeNode(folder);
    std::ifstream file(path, std::ios::binary);
    std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    if (text.ends_with('\n')) text.pop_back();
    const std::optional<NodeId> node = NodeId::Parse(text);
    if (node) return *node;
    return Unusable(path,
                    "it does not hold this node's id; restore it, or remove it to have a new "
                    "one made");
}

// Cuts the newest segment behind its last sound record; how many bytes went.
Result<std::uint64_t> CutTail(const fs::path& folder, std::uint64_t sequence, NodeId node) {
    SegmentScanner scanner(folder, sequence, node);
    const std::uint64_t size = scanner.FileSize();
    while (scanner.Next(size)) continue;
    if (scanner.sound_end() >= size) return std::uint64_t{0};
    const fs::path path = SegmentPath(folder, sequence);
    if (::truncate(path.c_str(), static_cast<off_t>(scanner.sound_end())) != 0) {
        return FolderError(path, errno);
    }
    const std::uint64_t torn = size - scanner.sound_end();
    log::Warning("usage_journal_tail_cut",
                 {{"segment", path.filename().string()}, {"bytes", torn}});
    return torn;
}

Result<FolderState> Prepare(const fs::path& folder) {
    const Result<NodeId> node = ReadNode(folder);
    if (!node) return node.error();
    FolderState state;
    state.node = *node;
    state.damaged_files = CountDamagedFiles(folder);
    std::vector<std::uint64_t> segments;
    for (const std::uint64_t sequence : ListSegments(folder)) {
        state.next_sequence = sequence + 1;
        const fs::path path = SegmentPath(folder, sequence);
        if (fs::file_size(path) <= kSegmentHeaderBytes) {
            fs::remove(path);
        } else {
            segments.push_back(sequence);
        }
    }
    if (!segments.empty()) {
        const Result<std::uint64_t> torn = CutTail(folder, segments.back(), *node);
        if (!torn) return torn.error();
        state.torn_bytes = *torn;
    }
    for (const std::uint64_t sequence : segments) {
        state.record_bytes += fs::file_size(SegmentPath(folder, sequence)) - kSegmentHeaderBytes;
    }
    return state;
}

}  // namespace

Error FolderError(const fs::path& what, int error) {
    if (error == ENOSPC || error == EDQUOT) {
        return Error(
            ErrorKind::kInsufficientStorage, "journal_full",
            "The usage journal has no room: " + what.string() + ": " + std::strerror(error) + ".");
    }
    return Unusable(what, std::strerror(error));
}

Result<FolderLock> FolderLock::Acquire(const fs::path& folder) {
    std::error_code error;
    fs::create_directories(folder, error);
    if (error) return FolderError(folder, error.value());
    const fs::path path = folder / "journal.lock";
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) return FolderError(path, errno);
    FolderLock lock(fd);
    if (::flock(fd, LOCK_EX | LOCK_NB) == 0) return lock;
    if (errno != EWOULDBLOCK) return FolderError(path, errno);
    return Error(ErrorKind::kConflict, "journal_in_use",
                 "Another process uses the usage journal in " + folder.string() +
                     ". Stop it, or give this server another data folder.");
}

FolderLock::~FolderLock() {
    if (fd_ >= 0) ::close(fd_);
}

Result<FolderState> PrepareFolder(const fs::path& folder) {
    try {
        return Prepare(folder);
    } catch (const std::exception& e) {  // a folder that cannot be listed, a file that vanished
        return Unusable(folder, e.what());
    }
}

}  // namespace vf::usage

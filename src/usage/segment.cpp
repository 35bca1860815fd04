#include "usage/segment.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <stdexcept>

namespace vf::usage {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "usage-";
constexpr std::string_view kSuffix = ".vfj";
constexpr std::string_view kDamagedSuffix = ".damaged";
constexpr std::uint64_t kMaxDamagedFiles = 64;
constexpr std::size_t kWindow = 256 << 10;
constexpr std::size_t kUnreadable = 4096;  // skipped when the disk gives an error
constexpr std::size_t kMaxFrame = kFrameHeaderBytes + kMaxPayload;

std::optional<std::uint64_t> SequenceOf(const std::string& name) {
    if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix)) return std::nullopt;
    const std::string_view digits = std::string_view(name).substr(
        kPrefix.size(), name.size() - kPrefix.size() - kSuffix.size());
    std::uint64_t sequence = 0;
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), sequence, 16);
    if (digits.size() != 16 || error != std::errc() || end != digits.data() + digits.size()) {
        return std::nullopt;
    }
    return sequence;
}

int SyncFolder(FileCalls& files, const fs::path& folder) {
    const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return -1;
    const int result = files.Sync(fd);
    const int error = errno;
    ::close(fd);
    errno = error;
    return result;
}

}  // namespace

ssize_t FileCalls::Write(int fd, const void* data, std::size_t size, std::uint64_t offset) {
    ssize_t written = 0;
    do {
        written = ::pwrite(fd, data, size, static_cast<off_t>(offset));
    } while (written < 0 && errno == EINTR);
    return written;
}

int FileCalls::Allocate(int fd, std::uint64_t size) {
    int result = 0;
    do {
        result = ::fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, static_cast<off_t>(size));
    } while (result < 0 && errno == EINTR);
    return result < 0 && (errno == EOPNOTSUPP || errno == ENOSYS) ? 0 : result;
}

int FileCalls::Truncate(int fd, std::uint64_t size) {
    return ::ftruncate(fd, static_cast<off_t>(size));
}

int FileCalls::Sync(int fd) {
    return ::fdatasync(fd);
}

FileCalls& FileCalls::System() {
    static FileCalls calls;
    return calls;
}

fs::path SegmentPath(const fs::path& folder, std::uint64_t sequence) {
    return folder / fmt::format("{}{:016x}{}", kPrefix, sequence, kSuffix);
}

std::vector<std::uint64_t> ListSegments(const fs::path& folder) {
    std::vector<std::uint64_t> found;
    for (const auto& entry : fs::directory_iterator(folder)) {
        if (const auto sequence = SequenceOf(entry.path().filename().string())) {
            found.push_back(*sequence);
        }
    }
    std::sort(found.begin(), found.end());
    return found;
}

std::uint64_t CountDamagedFiles(const fs::path& folder) {
    std::uint64_t count = 0;
    for (const auto& entry : fs::directory_iterator(folder)) {
        if (entry.path().string().ends_with(kDamagedSuffix)) ++count;
    }
    return count;
}

bool KeepDamaged(const fs::path& folder, std::uint64_t sequence) {
    const fs::path from = SegmentPath(folder, sequence);
    const fs::path to = from.string() + std::string(kDamagedSuffix);
    std::error_code error;
    if (fs::exists(to, error) || CountDamagedFiles(folder) >= kMaxDamagedFiles) return false;
    fs::create_hard_link(from, to, error);
    if (!error) return true;
    return fs::copy_file(from, to, fs::copy_options::skip_existing, error);
}

SegmentFile::~SegmentFile() {
    ::close(fd);
}

std::shared_ptr<SegmentFile> MakeSegment(FileCalls& files, const fs::path& folder,
                                         const SegmentHeader& header, std::uint64_t bytes,
                                         int& error) {
    const fs::path path = SegmentPath(folder, header.sequence);
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        error = errno;
        return nullptr;
    }
    auto segment = std::make_shared<SegmentFile>(fd, header);
    const std::string head = EncodeHeader(header);
    errno = 0;
    const bool made =
        files.Allocate(fd, bytes) == 0 &&
        files.Write(fd, head.data(), head.size(), 0) == static_cast<ssize_t>(head.size()) &&
        files.Sync(fd) == 0 && SyncFolder(files, folder) == 0;
    if (made) return segment;
    error = errno != 0 ? errno : ENOSPC;  // a short write says nothing
    ::unlink(path.c_str());
    return nullptr;
}

SegmentScanner::SegmentScanner(const fs::path& folder, std::uint64_t sequence, NodeId node)
    : sequence_(sequence) {
    const fs::path path = SegmentPath(folder, sequence);
    fd_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd_ < 0) throw std::runtime_error(path.string() + ": " + std::strerror(errno));
    char head[kSegmentHeaderBytes];
    const ssize_t size = ::pread(fd_, head, sizeof head, 0);
    const auto read = DecodeHeader({head, static_cast<std::size_t>(std::max<ssize_t>(size, 0))});
    if (!read) ++damaged_;
    header_ = read.value_or(SegmentHeader{sequence, node});
    seed_ = FrameSeed(header_);
}

SegmentScanner::~SegmentScanner() {
    ::close(fd_);
}

std::uint64_t SegmentScanner::FileSize() const {
    struct stat about{};
    return ::fstat(fd_, &about) == 0 ? static_cast<std::uint64_t>(about.st_size) : 0;
}

// What the file holds from offset_ on: at least one frame's worth, unless `limit` is nearer.
std::string_view SegmentScanner::Window(std::uint64_t limit) {
    const std::uint64_t end = window_at_ + window_.size();
    const std::uint64_t wanted = std::min<std::uint64_t>(limit, offset_ + kMaxFrame);
    if (offset_ < window_at_ || end < wanted) {
        const std::uint64_t from = offset_;
        const std::size_t most =
            static_cast<std::size_t>(std::min<std::uint64_t>(limit - from, kWindow));
        window_.resize(most);
        ssize_t size = 0;
        do {
            size = ::pread(fd_, window_.data(), most, static_cast<off_t>(from));
        } while (size < 0 && errno == EINTR);
        if (size < 0) {
            window_.assign(std::min(most, kUnreadable), '\0');
        } else {
            window_.resize(static_cast<std::size_t>(size));
        }
        window_at_ = from;
    }
    const std::string_view all = window_;
    const std::string_view from = all.substr(static_cast<std::size_t>(offset_ - window_at_));
    return from.substr(
        0, static_cast<std::size_t>(std::min<std::uint64_t>(from.size(), limit - offset_)));
}

std::optional<Record> SegmentScanner::Next(std::uint64_t limit) {
    bool is_bad = false;
    while (offset_ < limit) {
        const std::string_view bytes = Window(limit);
        if (bytes.empty()) break;  // shorter than it was
        const std::optional<Frame> frame = ReadFrame(bytes, seed_);
        std::optional<Record> record;
        if (frame) record = DecodePayload(frame->payload);
        if (!record) {
            is_bad = true;
            offset_ += frame ? frame->size : 1;
            continue;
        }
        if (is_bad) ++damaged_;
        record_at_ = offset_;
        offset_ += frame->size;
        sound_end_ = offset_;
        record->row.node = header_.node;
        return record;
    }
    if (is_bad) ++damaged_;
    return std::nullopt;
}

std::optional<Record> SegmentScanner::ReadAt(std::uint64_t offset) const {
    std::string bytes(kMaxFrame, '\0');
    const ssize_t size = ::pread(fd_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (size <= 0) return std::nullopt;
    bytes.resize(static_cast<std::size_t>(size));
    const std::optional<Frame> frame = ReadFrame(bytes, seed_);
    if (!frame) return std::nullopt;
    std::optional<Record> record = DecodePayload(frame->payload);
    if (record) record->row.node = header_.node;
    return record;
}

}  // namespace vf::usage

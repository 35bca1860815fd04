#include "blob/file_backend.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/log.hpp"

namespace vf::blob {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kPieceBytes = 256 * 1024;  // of one read
constexpr std::size_t kPipeBytes = 512 * 1024;
constexpr const char* kTemporary = "unfinished";

class File {
public:
    explicit File(int fd) : fd_(fd) {}
    ~File() {
        if (fd_ >= 0) ::close(fd_);
    }
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    int fd() const { return fd_; }

private:
    int fd_;
};

// The file, and 0 or errno.
std::pair<std::shared_ptr<File>, int> OpenFile(const fs::path& path, int flags) {
    const int fd = ::open(path.c_str(), flags | O_CLOEXEC | O_NOFOLLOW, 0600);
    const int error = fd < 0 ? errno : 0;
    return {std::make_shared<File>(fd), error};
}

// 0, or errno.
int WriteAll(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t n = ::write(fd, bytes.data(), bytes.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return errno;
        bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return 0;
}

int SyncFolder(const fs::path& folder) {
    const File opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (opened.fd() < 0) return errno;
    return ::fsync(opened.fd()) == 0 ? 0 : errno;
}

int Publish(int fd, const fs::path& temporary, const fs::path& final_path) {
    if (::fsync(fd) != 0) return errno;
    const fs::path folder = final_path.parent_path();
    const bool is_new = ::mkdir(folder.c_str(), 0700) == 0;
    if (!is_new && errno != EEXIST) return errno;
    if (is_new) {
        const int failed = SyncFolder(folder.parent_path());
        if (failed != 0) return failed;
    }
    if (::rename(temporary.c_str(), final_path.c_str()) != 0) return errno;
    return SyncFolder(folder);
}

Error Failed(const char* what, int number) {
    log::Error("blob_file_failed", {{"step", what}, {"error", std::strerror(number)}});
    return StorageUnavailable();
}

struct Piece {
    std::string bytes;
    int error = 0;
};

Piece ReadPiece(int fd, std::uint64_t offset, std::size_t size) {
    Piece piece;
    piece.bytes.resize(size);
    std::size_t got = 0;
    while (got < size) {
        const ssize_t n =
            ::pread(fd, piece.bytes.data() + got, size - got, static_cast<off_t>(offset + got));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) piece.error = errno;
        if (n == 0) piece.error = EIO;  // shorter than its row says
        if (n <= 0) break;
        got += static_cast<std::size_t>(n);
    }
    piece.bytes.resize(got);
    return piece;
}

// All sizes are known before: the pipe ends with its last byte.
Task<void> CopyOut(asio::thread_pool* threads, std::shared_ptr<File> file, std::uint64_t offset,
                   std::uint64_t length, std::shared_ptr<BytePipe> out) {
    while (length > 0) {
        const std::size_t size = std::min<std::uint64_t>(length, kPieceBytes);
        auto read = [file, offset, size] { return ReadPiece(file->fd(), offset, size); };
        Piece piece = co_await Offload(*threads, std::move(read));
        if (piece.error != 0) {
            out->Fail(Failed("read", piece.error));
            co_return;
        }
        offset += size;
        length -= size;
        const bool is_taken = co_await out->Write(std::move(piece.bytes));
        if (!is_taken) co_return;
    }
    out->Finish();
}

}  // namespace

FileBackend::FileBackend(fs::path root, asio::thread_pool& threads)
    : root_(std::move(root)), threads_(threads) {}

fs::path FileBackend::PathOf(BlobId id) const {
    const std::string hex = id.uuid.Hex();
    return root_ / hex.substr(30) / hex;
}

fs::path FileBackend::TemporaryOf(BlobId id) const {
    return root_ / kTemporary / id.uuid.Hex();
}

Result<void> FileBackend::Open() {
    std::error_code ec;
    fs::create_directories(root_ / kTemporary, ec);
    if (!ec) fs::permissions(root_, fs::perms::owner_all, ec);
    if (!ec && ::access(root_.c_str(), R_OK | W_OK | X_OK) != 0) {
        ec = std::error_code(errno, std::generic_category());
    }
    if (ec) {
        return Error(ErrorKind::kInvalid, "blob_folder",
                     fmt::format("The folder of stored objects {} cannot be used: {}.",
                                 root_.string(), ec.message()));
    }
    for (const fs::directory_entry& left : fs::directory_iterator(root_ / kTemporary, ec)) {
        fs::remove(left.path(), ec);
    }
    return {};
}

Task<Result<void>> FileBackend::Put(BlobId id, std::shared_ptr<BytePipe> source) {
    const fs::path temporary = TemporaryOf(id);
    const fs::path final_path = PathOf(id);
    auto open = [temporary] { return OpenFile(temporary, O_WRONLY | O_CREAT | O_EXCL); };
    const auto opened = co_await Offload(threads_, std::move(open));
    const std::shared_ptr<File> file = opened.first;
    int failed = opened.second;
    while (failed == 0) {
        std::optional<std::string> chunk = co_await source->Read();
        if (!chunk) break;
        auto write = [file, bytes = std::move(*chunk)] { return WriteAll(file->fd(), bytes); };
        failed = co_await Offload(threads_, std::move(write));
    }
    const bool is_whole = failed == 0 && source->complete();
    if (is_whole) {
        auto publish = [file, temporary, final_path] {
            return Publish(file->fd(), temporary, final_path);
        };
        failed = co_await Offload(threads_, std::move(publish));
        if (failed == 0) co_return Result<void>();
    }
    source->Abandon();
    auto remove = [temporary, final_path] {
        ::unlink(temporary.c_str());
        ::unlink(final_path.c_str());
    };
    co_await Offload(threads_, std::move(remove));
    if (failed != 0) co_return Failed("write", failed);
    if (source->error()) co_return *source->error();
    co_return StorageUnavailable();
}

Task<Result<std::shared_ptr<BytePipe>>> FileBackend::Get(BlobId id, std::uint64_t offset,
                                                         std::uint64_t length) {
    const fs::path path = PathOf(id);
    auto open = [path] { return OpenFile(path, O_RDONLY); };
    const auto opened = co_await Offload(threads_, std::move(open));
    if (opened.second == ENOENT) {
        co_return Error(ErrorKind::kNotFound, "blob_not_found", "There is no such stored object.");
    }
    if (opened.second != 0) co_return Failed("open", opened.second);
    const Executor executor = co_await asio::this_coro::executor;
    auto pipe = std::make_shared<BytePipe>(executor, kPipeBytes);
    Task<void> copy = CopyOut(&threads_, opened.first, offset, length, pipe);
    Spawn(executor, std::move(copy), "blob_read");
    co_return pipe;
}

Task<Result<void>> FileBackend::Remove(BlobId id) {
    const fs::path temporary = TemporaryOf(id);
    const fs::path final_path = PathOf(id);
    auto remove = [temporary, final_path] {
        int failed = 0;
        for (const fs::path& path : {temporary, final_path}) {
            if (::unlink(path.c_str()) != 0 && errno != ENOENT) failed = errno;
        }
        return failed;
    };
    const int failed = co_await Offload(threads_, std::move(remove));
    if (failed != 0) co_return Failed("remove", failed);
    co_return Result<void>();
}

}  // namespace vf::blob

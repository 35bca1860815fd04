#include "pg/cluster_files.hpp"

#include <fcntl.h>
#include <pwd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>

#include "base/random.hpp"

namespace vf::pg {
namespace fs = std::filesystem;
namespace {

std::string Reason() {
    return std::strerror(errno);
}

std::optional<int> ParseNumber(std::string_view text) {
    int number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end == text.data()) return std::nullopt;
    return number;
}

Result<RunAs> FindUser(const fs::path& folder, const std::string& wanted) {
    if (::geteuid() != 0) return RunAs{::geteuid(), ::getegid()};
    if (!wanted.empty()) {
        const passwd* entry = ::getpwnam(wanted.c_str());
        if (entry == nullptr || entry->pw_uid == 0) {
            return ClusterError("cluster_unusable",
                                "PostgreSQL cannot run as the user \"" + wanted + "\".");
        }
        return RunAs{entry->pw_uid, entry->pw_gid};
    }
    struct stat info{};
    if (::stat(folder.c_str(), &info) == 0) {
        if (info.st_uid != 0) return RunAs{info.st_uid, info.st_gid};
        return ClusterError("cluster_unusable",
                            folder.string() +
                                " belongs to root, as which PostgreSQL refuses to "
                                "run; give it to another user with chown -R.");
    }
    for (const char* name : {"voiceflow", "postgres", "nobody"}) {
        const passwd* entry = ::getpwnam(name);
        if (entry != nullptr && entry->pw_uid != 0) return RunAs{entry->pw_uid, entry->pw_gid};
    }
    return ClusterError("cluster_unusable",
                        "There is no unprivileged user to run PostgreSQL as: add a user "
                        "\"voiceflow\" (adduser --system --group voiceflow).");
}

// As root we run PostgreSQL as somebody else, who has to reach the folder by its path.
Result<void> OpenTheWay(const fs::path& data_dir, const RunAs& user) {
    if (::geteuid() != 0) return {};
    for (fs::path part = data_dir; part != part.root_path(); part = part.parent_path()) {
        struct stat info{};
        if (::stat(part.c_str(), &info) != 0) {
            return ClusterError("cluster_unusable", part.string() + ": " + Reason() + ".");
        }
        const bool open = (info.st_mode & S_IXOTH) != 0 ||
                          (info.st_uid == user.uid && (info.st_mode & S_IXUSR) != 0) ||
                          (info.st_gid == user.gid && (info.st_mode & S_IXGRP) != 0);
        if (open) continue;
        const bool ours = part == data_dir;
        if (ours && ::chmod(part.c_str(), (info.st_mode & 07777) | S_IXOTH) == 0) continue;
        return ClusterError("cluster_unusable",
                            "PostgreSQL runs as user " + std::to_string(user.uid) +
                                ", who cannot pass through " + part.string() +
                                ". Choose another data folder, such as /var/lib/voiceflow.");
    }
    return {};
}

// FNV-1a (RFC draft-eastlake-fnv, 64 bits): short and the same in every build.
std::string HashOf(const std::string& text) {
    std::uint64_t hash = 0xcbf29ce484222325u;
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
    std::array<char, 16> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), hash, 16).ptr;
    return {digits.data(), end};
}

// Outlives log-outs, unlike $XDG_RUNTIME_DIR. In /tmp anybody may have made the name before us:
// hence the look at owner and mode, on the thing itself and not on what it links to.
Result<fs::path> MakeSocketDir(const fs::path& folder, const RunAs& user) {
    const bool root = ::geteuid() == 0;
    const fs::path base = root && ::access("/run", W_OK) == 0 ? "/run" : "/tmp";
    const fs::path path = base / ("vf-pg-" + HashOf(folder.string()));
    if (::mkdir(path.c_str(), 0700) == 0) {
        if (root && ::lchown(path.c_str(), user.uid, user.gid) != 0) {
            return ClusterError("cluster_unusable", path.string() + ": " + Reason() + ".");
        }
    } else if (errno != EEXIST) {
        return ClusterError("cluster_unusable", path.string() + ": " + Reason() + ".");
    }
    struct stat info{};
    const bool ours = ::lstat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode) &&
                      info.st_uid == user.uid && (info.st_mode & 0077) == 0;
    if (ours) return path;
    return ClusterError("cluster_unusable",
                        path.string() + " is not a folder of mode 0700 that belongs to user " +
                            std::to_string(user.uid) + "; remove it and start again.");
}

Result<void> WritePrivately(const fs::path& path, const std::string& text) {
    const fs::path fresh = path.string() + ".new";
    ::unlink(fresh.c_str());
    const int fd =
        ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    const bool written =
        fd >= 0 && ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
        ::fsync(fd) == 0;
    const bool placed = written && ::rename(fresh.c_str(), path.c_str()) == 0;
    const std::string reason = Reason();
    if (fd >= 0) ::close(fd);
    if (placed) return {};
    return ClusterError("cluster_unusable", path.string() + ": " + reason + ".");
}

// Makes what was written in and to `folder` durable, with one call for the whole file system.
bool SyncFolder(const fs::path& folder) {
    const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return false;
    const bool synced = ::syncfs(fd) == 0;
    ::close(fd);
    return synced;
}

}  // namespace

Error ClusterError(const char* code, std::string message) {
    return Error(ErrorKind::kConflict, code, std::move(message));
}

std::string ClusterPlace::Url() const {
    return std::string("postgresql://") + kClusterUser + ":" + password + "@/" + kClusterDatabase +
           "?host=" + socket_dir.string();
}

std::optional<int> MajorOfFolder(const fs::path& folder) {
    std::ifstream file(folder / "PG_VERSION");
    std::string line;
    if (!std::getline(file, line)) return std::nullopt;
    return ParseNumber(line);
}

std::optional<int> MajorOfPrograms(const fs::path& bin_dir) {
    for (const char* name : {"postgres", "initdb"}) {
        if (::access((bin_dir / name).c_str(), X_OK) != 0) return std::nullopt;
    }
    ProcessSpec spec;
    spec.arguments = {(bin_dir / "postgres").string(), "--version"};
    spec.user = {::geteuid(), ::getegid()};
    const ToolOutcome outcome = RunTool(spec, std::chrono::seconds(10));
    const auto number = outcome.output.find_first_of("0123456789");
    if (outcome.exit_code != 0 || number == std::string::npos) return std::nullopt;
    return ParseNumber(std::string_view(outcome.output).substr(number));
}

Result<fs::path> FindPrograms(const std::string& bin_dir, std::optional<int> major) {
    constexpr const char* kDebianRoot = "/usr/lib/postgresql";
    if (!bin_dir.empty()) {
        if (MajorOfPrograms(bin_dir)) return fs::path(bin_dir);
        return ClusterError("postgres_missing", "database.bin_dir is " + bin_dir +
                                                    ", but initdb and postgres are not there.");
    }
    int newest = 0;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(kDebianRoot, error)) {
        const auto version = ParseNumber(entry.path().filename().string());
        if (!version || !MajorOfPrograms(entry.path() / "bin")) continue;
        if (major && *version == *major) return entry.path() / "bin";
        newest = std::max(newest, *version);
    }
    if (newest > 0) return fs::path(kDebianRoot) / std::to_string(newest) / "bin";
    ProcessSpec spec;
    spec.arguments = {"/usr/bin/pg_config", "--bindir"};
    const fs::path named = LastLine(RunTool(spec, std::chrono::seconds(10)).output);
    if (MajorOfPrograms(named)) return named;
    return ClusterError("postgres_missing",
                        "PostgreSQL is not installed. Install the Debian package postgresql "
                        "(apt-get install postgresql), or set DATABASE_URL to use one elsewhere.");
}

Result<ClusterPlace> FindPlace(const fs::path& data_dir, const fs::path& folder,
                               PrivateClusterOptions options, std::optional<RunAs> user) {
    ClusterPlace place;
    place.options = std::move(options);
    place.data_dir = data_dir;
    place.folder = folder;
    const auto existing = MajorOfFolder(folder);
    Result<fs::path> programs = FindPrograms(place.options.bin_dir, existing);
    if (!programs) return programs.error();
    place.bin_dir = *programs;
    place.major = MajorOfPrograms(place.bin_dir).value_or(0);
    constexpr int kOldestMajor = 15;
    if (!existing && place.major < kOldestMajor) {
        return ClusterError("postgres_version", "PostgreSQL " + std::to_string(place.major) +
                                                    " is too old; VoiceFlow needs 15 or newer.");
    }
    if (!user) {
        const Result<RunAs> found = FindUser(folder, place.options.run_as);
        if (!found) return found.error();
        user = *found;
    }
    place.user = *user;
    const Result<void> way = OpenTheWay(data_dir, place.user);
    if (!way) return way.error();
    Result<fs::path> socket_dir = MakeSocketDir(folder, place.user);
    if (!socket_dir) return socket_dir.error();
    place.socket_dir = *socket_dir;
    return place;
}

Result<std::string> ReadPassword(const fs::path& data_dir) {
    const fs::path path = data_dir / "postgres.password";
    std::ifstream file(path);
    std::string password;
    if (std::getline(file, password) && !password.empty()) return password;
    return ClusterError("cluster_unusable",
                        path.string() +
                            " is missing or unreadable, and without it nobody can "
                            "sign in to the private PostgreSQL. Restore it from a "
                            "backup of the data folder.");
}

Result<std::string> EnsurePassword(const fs::path& data_dir) {
    const Result<std::string> existing = ReadPassword(data_dir);
    if (existing) return *existing;
    std::array<std::uint8_t, 24> bytes{};
    RandomBytes(bytes);
    std::string password;
    for (const std::uint8_t byte : bytes) {
        password += "0123456789abcdef"[byte >> 4];
        password += "0123456789abcdef"[byte & 15];
    }
    const Result<void> written = WritePrivately(data_dir / "postgres.password", password + "\n");
    if (!written) return written.error();
    return password;
}

Result<void> MakeCluster(const ClusterPlace& place) {
    const fs::path fresh = place.folder.string() + ".making";
    std::error_code ignored;
    fs::remove_all(fresh, ignored);
    if (::mkdir(fresh.c_str(), 0700) != 0 ||
        (::geteuid() == 0 && ::lchown(fresh.c_str(), place.user.uid, place.user.gid) != 0)) {
        return ClusterError("cluster_unusable", fresh.string() + ": " + Reason() + ".");
    }
    const int pwfile = ::memfd_create("vf-pg-password", MFD_CLOEXEC);
    const std::string line = place.password + "\n";
    if (pwfile < 0 || ::fchown(pwfile, place.user.uid, place.user.gid) != 0 ||
        ::write(pwfile, line.data(), line.size()) < 0 || ::lseek(pwfile, 0, SEEK_SET) != 0) {
        return ClusterError("cluster_unusable", "memfd: " + Reason() + ".");
    }
    ProcessSpec spec;
    // --no-sync: one syncfs below does the same for a fraction of the time.
    spec.arguments = {(place.bin_dir / "initdb").string(),
                      "--pgdata=" + fresh.string(),
                      "--no-sync",
                      "--no-instructions",
                      "--data-checksums",
                      "--encoding=UTF8",
                      "--locale=C.UTF-8",
                      "--wal-segsize=4",
                      "--auth-local=scram-sha-256",
                      "--auth-host=reject",
                      std::string("--username=") + kClusterUser,
                      "--pwfile=/dev/stdin"};
    spec.user = place.user;
    spec.input = pwfile;
    const ToolOutcome made = RunTool(spec, std::chrono::seconds(120));
    ::close(pwfile);
    if (made.exit_code != 0) {
        fs::remove_all(fresh, ignored);
        return ClusterError("cluster_failed", "initdb failed: " + LastLine(made.output));
    }
    if (!SyncFolder(fresh) || ::rename(fresh.c_str(), place.folder.c_str()) != 0 ||
        !SyncFolder(place.folder.parent_path())) {
        return ClusterError("cluster_unusable", place.folder.string() + ": " + Reason() + ".");
    }
    return {};
}

std::optional<PostmasterFile> ReadPostmasterFile(const fs::path& folder) {
    std::ifstream file(folder / "postmaster.pid");
    std::array<std::string, 8> lines;
    for (std::string& line : lines) {
        if (!std::getline(file, line)) break;
    }
    const auto pid = ParseNumber(lines[0]);
    if (!pid || *pid <= 0) return std::nullopt;
    std::string status = lines[7].substr(0, lines[7].find(' '));
    return PostmasterFile{*pid, lines[4], std::move(status)};
}

std::vector<pid_t> ProcessesIn(const fs::path& folder) {
    std::vector<pid_t> found;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator("/proc", error)) {
        const auto pid = ParseNumber(entry.path().filename().string());
        if (!pid) continue;
        std::error_code unreadable;
        if (fs::read_symlink(entry.path() / "cwd", unreadable) == folder) found.push_back(*pid);
    }
    return found;
}

}  // namespace vf::pg

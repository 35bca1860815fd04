#include "neural/onnx.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <optional>
#include <string_view>

namespace vf::neural {
namespace {

// Fields of ModelProto, GraphProto, ValueInfoProto and StringStringEntryProto.
constexpr std::uint64_t kGraph = 7;
constexpr std::uint64_t kMetadata = 14;
constexpr std::uint64_t kGraphInput = 11;
constexpr std::uint64_t kGraphOutput = 12;
constexpr std::size_t kMaxNames = 64;
constexpr std::size_t kMaxEntries = 256;
constexpr std::size_t kMaxValue = 64 << 10;

struct Wrong {
    std::string what;
};

class Mapping {
public:
    explicit Mapping(const std::filesystem::path& file) {
        const int fd = open(file.c_str(), O_RDONLY | O_CLOEXEC);
        struct stat info{};
        if (fd < 0 || fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
            if (fd >= 0) close(fd);
            throw Wrong{"cannot be read"};
        }
        size_ = static_cast<std::size_t>(info.st_size);
        if (size_ > 0) data_ = mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, fd, 0);
        close(fd);
        if (size_ == 0) throw Wrong{"is empty"};
        if (data_ == MAP_FAILED) throw Wrong{"cannot be read"};
    }
    ~Mapping() {
        if (size_ > 0 && data_ != MAP_FAILED) munmap(data_, size_);
    }
    Mapping(const Mapping&) = delete;
    Mapping& operator=(const Mapping&) = delete;
    std::string_view bytes() const { return {static_cast<const char*>(data_), size_}; }

private:
    void* data_ = MAP_FAILED;
    std::size_t size_ = 0;
};

// One protobuf message: its fields, one after the other.
class Message {
public:
    explicit Message(std::string_view bytes) : rest_(bytes) {}

    // The next field's number; its bytes are in `value` when it has a length, else empty.
    std::optional<std::uint64_t> Next(std::string_view& value) {
        if (rest_.empty()) return std::nullopt;
        const std::uint64_t key = Varint();
        value = {};
        switch (key & 7U) {
            case 0: Varint(); break;
            case 1: Take(8); break;
            case 2: value = Take(Varint()); break;
            case 5: Take(4); break;
            default: throw Wrong{"is not an ONNX model"};
        }
        if ((key >> 3U) == 0) throw Wrong{"is not an ONNX model"};
        return key >> 3U;
    }

private:
    std::uint64_t Varint() {
        std::uint64_t number = 0;
        for (unsigned shift = 0; shift < 64; shift += 7) {
            const auto byte = static_cast<unsigned char>(Take(1).front());
            number |= static_cast<std::uint64_t>(byte & 127U) << shift;
            if (byte < 128) return number;
        }
        throw Wrong{"is not an ONNX model"};
    }

    std::string_view Take(std::uint64_t count) {
        if (count > rest_.size()) throw Wrong{"is cut off, or no ONNX model"};
        const std::string_view taken = rest_.substr(0, count);
        rest_.remove_prefix(count);
        return taken;
    }

    std::string_view rest_;
};

std::string_view Member(std::string_view message, std::uint64_t wanted) {
    Message fields(message);
    std::string_view value, found;
    while (const auto number = fields.Next(value)) {
        if (*number == wanted) found = value;
    }
    return found.substr(0, kMaxValue);
}

void ReadGraph(std::string_view bytes, OnnxInfo& info) {
    Message graph(bytes);
    std::string_view value;
    while (const auto number = graph.Next(value)) {
        std::vector<std::string>* names = *number == kGraphInput    ? &info.inputs
                                          : *number == kGraphOutput ? &info.outputs
                                                                    : nullptr;
        if (names != nullptr && names->size() < kMaxNames) names->emplace_back(Member(value, 1));
    }
}

OnnxInfo Read(std::string_view bytes) {
    OnnxInfo info;
    bool has_graph = false;
    Message fields(bytes);
    std::string_view value;
    while (const auto number = fields.Next(value)) {
        if (*number == kGraph) {
            has_graph = true;
            ReadGraph(value, info);
        } else if (*number == kMetadata && info.metadata.size() < kMaxEntries) {
            info.metadata[std::string(Member(value, 1))] = Member(value, 2);
        }
    }
    if (!has_graph || info.inputs.empty() || info.outputs.empty()) {
        throw Wrong{"is not an ONNX model"};
    }
    return info;
}

void PutVarint(std::string& out, std::uint64_t number) {
    for (; number > 127; number >>= 7U) out += static_cast<char>((number & 127U) | 128U);
    out += static_cast<char>(number);
}

void PutText(std::string& out, std::uint64_t number, std::string_view text) {
    PutVarint(out, number << 3U | 2U);
    PutVarint(out, text.size());
    out += text;
}

}  // namespace

std::string OnnxInfo::Get(const std::string& key) const {
    const auto found = metadata.find(key);
    return found == metadata.end() ? std::string() : found->second;
}

Result<OnnxInfo> ReadOnnx(const std::filesystem::path& file) {
    try {
        const Mapping mapping(file);
        return Read(mapping.bytes());
    } catch (const Wrong& e) {
        return Error(ErrorKind::kInvalid, "bad_onnx",
                     fmt::format("{} {}", file.filename().string(), e.what));
    }
}

std::string EncodeMetadata(const std::map<std::string, std::string>& pairs) {
    std::string out;
    for (const auto& [key, value] : pairs) {
        std::string entry;
        PutText(entry, 1, key);
        PutText(entry, 2, value);
        PutText(out, kMetadata, entry);
    }
    return out;
}

}  // namespace vf::neural

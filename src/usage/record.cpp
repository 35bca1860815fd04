#include "usage/record.hpp"

#include <algorithm>
#include <cstring>

#include "base/utf8.hpp"
#include "usage/crc32c.hpp"

namespace vf::usage {
namespace {

constexpr std::string_view kMagic = "VFUSAGE1";
constexpr std::uint8_t kVersion = 2;
constexpr std::uint8_t kVersionWithoutVendor = 1;
// 2020-01-01 and 2101-01-01 in milliseconds since 1970.
constexpr std::uint64_t kFirstMillis = 1'577'836'800'000;
constexpr std::uint64_t kEndMillis = 4'133'980'800'000;

// Bits of the flags byte.
constexpr unsigned kHasKey = 1;
constexpr unsigned kStreamed = 2;
constexpr unsigned kCached = 4;
constexpr unsigned kLive = 8;
constexpr unsigned kAllFlags = 15;

template <class Number>
void Put(std::string& out, Number value) {
    char bytes[sizeof value];
    std::memcpy(bytes, &value, sizeof value);
    out.append(bytes, sizeof value);
}

void Put(std::string& out, const Uuid& id) {
    out.append(reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size());
}

void PutCount(std::string& out, std::int64_t value) {
    Put(out, std::clamp<std::int64_t>(value, 0, kMaxCount));
}

bool IsPlain(std::string_view text) {
    return text.size() <= kMaxText && std::all_of(text.begin(), text.end(), [](char c) {
               return static_cast<unsigned char>(c) - 1U < 127;  // ASCII without NUL
           });
}

// What PostgreSQL can hold in a text column.
std::string Clean(std::string_view text) {
    std::string out;
    while (!text.empty() && out.size() < kMaxText) {
        const auto invalid = Utf8FindInvalid(text);
        std::string_view good = text.substr(0, invalid.value_or(text.size()));
        text.remove_prefix(good.size());
        good = good.substr(0, kMaxText - out.size());
        while (!good.empty() && Utf8FindInvalid(good)) good.remove_suffix(1);  // a cut character
        out += good;
        if (text.empty() || !invalid) break;
        if (out.size() < kMaxText) out += '?';
        text.remove_prefix(1);
    }
    std::replace(out.begin(), out.end(), '\0', '?');
    return out;
}

void PutText(std::string& out, std::string_view text) {
    std::string cleaned;
    if (!IsPlain(text)) {
        cleaned = Clean(text);
        text = cleaned;
    }
    out += static_cast<char>(text.size());
    out += text;
}

class Reader {
public:
    explicit Reader(std::string_view bytes) : rest_(bytes) {}

    template <class Number>
    Number Get() {
        Number value{};
        const std::string_view bytes = Take(sizeof value);
        if (!bytes.empty()) std::memcpy(&value, bytes.data(), sizeof value);
        return value;
    }
    Uuid GetUuid() {
        Uuid id;
        const std::string_view bytes = Take(id.bytes.size());
        if (!bytes.empty()) std::memcpy(id.bytes.data(), bytes.data(), bytes.size());
        return id;
    }
    std::int64_t GetCount() {
        const auto value = Get<std::int64_t>();
        if (value < 0 || value > kMaxCount) good_ = false;
        return value;
    }
    std::string GetText() {
        const std::string_view text = Take(Get<std::uint8_t>());
        if (text.size() > kMaxText || text.find('\0') != std::string_view::npos ||
            (!IsPlain(text) && Utf8FindInvalid(text))) {
            good_ = false;
        }
        return std::string(text);
    }
    bool AtEnd() const { return good_ && rest_.empty(); }

private:
    std::string_view Take(std::size_t size) {
        if (rest_.size() < size) {
            good_ = false;
            rest_ = {};
            return {};
        }
        const std::string_view taken = rest_.substr(0, size);
        rest_.remove_prefix(size);
        return taken;
    }

    std::string_view rest_;
    bool good_ = true;
};

}  // namespace

std::string EncodeHeader(const SegmentHeader& header) {
    std::string out(kMagic);
    Put(out, header.sequence);
    Put(out, header.node.uuid);
    Put(out, Crc32c(0, out));
    return out;
}

std::optional<SegmentHeader> DecodeHeader(std::string_view bytes) {
    if (bytes.size() < kSegmentHeaderBytes || !bytes.starts_with(kMagic)) return std::nullopt;
    Reader reader(bytes.substr(kMagic.size(), kSegmentHeaderBytes - kMagic.size()));
    SegmentHeader header;
    header.sequence = reader.Get<std::uint64_t>();
    header.node = NodeId{reader.GetUuid()};
    const auto crc = reader.Get<std::uint32_t>();
    if (crc != Crc32c(0, bytes.substr(0, kSegmentHeaderBytes - 4))) return std::nullopt;
    return header;
}

std::uint32_t FrameSeed(const SegmentHeader& header) {
    return Crc32c(0, EncodeHeader(header));
}

bool HasSensibleTime(const OperationId& operation) {
    const std::uint64_t millis = operation.uuid.UnixMillis();
    return millis >= kFirstMillis && millis < kEndMillis;
}

void AppendFrame(std::string& out, std::uint32_t seed, RecordType type, const UsageRow& row) {
    const std::size_t start = out.size();
    out.append(kFrameHeaderBytes, '\0');
    out += static_cast<char>(kVersion);
    out += static_cast<char>(type);
    Put(out, row.operation.uuid);
    Put(out, row.team.uuid);
    Put(out, row.billing.uuid);
    const unsigned flags = (row.key ? kHasKey : 0U) | (row.streamed ? kStreamed : 0U) |
                           (row.cached ? kCached : 0U) | (row.live ? kLive : 0U);
    out += static_cast<char>(flags);
    if (row.key) Put(out, row.key->uuid);
    out += static_cast<char>(row.kind);
    out += static_cast<char>(row.delivery);
    Put(out, static_cast<std::uint16_t>(std::clamp(row.status, 0, 999)));
    const std::int64_t started = row.started_at.time_since_epoch().count();
    Put(out, std::clamp<std::int64_t>(started, 0, kEndMillis - 1));
    for (const std::int64_t count :
         {row.characters, row.audio_ms, row.engine_ms, row.bytes, row.charge_milli}) {
        PutCount(out, count);
    }
    for (const std::string* text :
         {&row.route, &row.voice, &row.model, &row.engine, &row.region, &row.deployment}) {
        PutText(out, *text);
    }
    PutCount(out, row.vendor_milli);
    PutText(out, row.vendor_currency);
    const auto length = static_cast<std::uint32_t>(out.size() - start - kFrameHeaderBytes);
    std::memcpy(out.data() + start, &length, sizeof length);
    const std::string_view frame = std::string_view(out).substr(start);
    std::uint32_t crc = Crc32c(seed, frame.substr(0, sizeof length));
    crc = Crc32c(crc, frame.substr(kFrameHeaderBytes));
    std::memcpy(out.data() + start + sizeof length, &crc, sizeof crc);
}

std::optional<Frame> ReadFrame(std::string_view bytes, std::uint32_t seed) {
    if (bytes.size() < kFrameHeaderBytes) return std::nullopt;
    std::uint32_t length = 0;
    std::uint32_t crc = 0;
    std::memcpy(&length, bytes.data(), sizeof length);
    std::memcpy(&crc, bytes.data() + sizeof length, sizeof crc);
    if (length == 0 || length > kMaxPayload) return std::nullopt;
    if (bytes.size() - kFrameHeaderBytes < length) return std::nullopt;
    const std::string_view payload = bytes.substr(kFrameHeaderBytes, length);
    const std::uint32_t computed = Crc32c(Crc32c(seed, bytes.substr(0, sizeof length)), payload);
    if (computed != crc) return std::nullopt;
    return Frame{payload, kFrameHeaderBytes + length};
}

std::optional<Record> DecodePayload(std::string_view payload) {
    Reader reader(payload);
    Record record;
    const auto version = reader.Get<std::uint8_t>();
    const auto type = reader.Get<std::uint8_t>();
    const bool is_known = version == kVersion || version == kVersionWithoutVendor;
    if (!is_known || type < 1 || type > 2) return std::nullopt;
    record.type = static_cast<RecordType>(type);
    UsageRow& row = record.row;
    row.operation = OperationId{reader.GetUuid()};
    row.team = TeamId{reader.GetUuid()};
    row.billing = BillingAccountId{reader.GetUuid()};
    const auto flags = reader.Get<std::uint8_t>();
    if ((flags & ~kAllFlags) != 0) return std::nullopt;
    if ((flags & kHasKey) != 0) row.key = KeyId{reader.GetUuid()};
    row.streamed = (flags & kStreamed) != 0;
    row.cached = (flags & kCached) != 0;
    row.live = (flags & kLive) != 0;
    const auto kind = reader.Get<std::uint8_t>();
    const auto delivery = reader.Get<std::uint8_t>();
    if (kind > static_cast<std::uint8_t>(Kind::kSpeech)) return std::nullopt;
    if (delivery > static_cast<std::uint8_t>(Delivery::kFailed)) return std::nullopt;
    row.kind = static_cast<Kind>(kind);
    row.delivery = static_cast<Delivery>(delivery);
    row.status = reader.Get<std::uint16_t>();
    row.started_at =
        decltype(row.started_at)(std::chrono::milliseconds(reader.Get<std::int64_t>()));
    for (std::int64_t* count :
         {&row.characters, &row.audio_ms, &row.engine_ms, &row.bytes, &row.charge_milli}) {
        *count = reader.GetCount();
    }
    for (std::string* text :
         {&row.route, &row.voice, &row.model, &row.engine, &row.region, &row.deployment}) {
        *text = reader.GetText();
    }
    if (version != kVersionWithoutVendor) {
        row.vendor_milli = reader.GetCount();
        row.vendor_currency = reader.GetText();
    }
    if (!reader.AtEnd() || !HasSensibleTime(row.operation) || row.status > 999) return std::nullopt;
    const auto started = static_cast<std::uint64_t>(row.started_at.time_since_epoch().count());
    if (started >= kEndMillis) return std::nullopt;
    return record;
}

}  // namespace vf::usage

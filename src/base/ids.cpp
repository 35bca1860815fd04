#include "base/ids.hpp"

#include <chrono>
#include <span>

#include "base/random.hpp"

namespace vf {
namespace {

constexpr char kHex[] = "0123456789abcdef";

int HexValue(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

}  // namespace

std::string Uuid::Hex() const {
    std::string out(32, '0');
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        out[2 * i] = kHex[bytes[i] >> 4];
        out[2 * i + 1] = kHex[bytes[i] & 15];
    }
    return out;
}

std::string Uuid::Dashed() const {
    std::string out = Hex();
    for (const std::size_t at : {8, 13, 18, 23}) out.insert(at, 1, '-');
    return out;
}

std::uint64_t Uuid::UnixMillis() const {
    std::uint64_t millis = 0;
    for (std::size_t i = 0; i < 6; ++i) millis = millis << 8 | bytes[i];
    return millis;
}

std::optional<Uuid> Uuid::Parse(std::string_view text) {
    if (text.size() != 32 && text.size() != 36) return std::nullopt;
    const bool dashed = text.size() == 36;
    Uuid uuid;
    std::size_t digit = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (dashed && (i == 8 || i == 13 || i == 18 || i == 23)) {
            if (text[i] != '-') return std::nullopt;
            continue;
        }
        const int value = HexValue(text[i]);
        if (value < 0) return std::nullopt;
        std::uint8_t& byte = uuid.bytes[digit / 2];
        byte = static_cast<std::uint8_t>(byte << 4 | value);
        ++digit;
    }
    return uuid;
}

Uuid NewUuid() {
    // Bits 48 to 59 count ids made within the same millisecond (RFC 9562, section 6.2, method 1).
    thread_local std::uint64_t last_millis = 0;
    thread_local std::uint32_t counter = 0;
    Uuid uuid;
    RandomBytes(std::span(uuid.bytes).subspan(8));
    const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
    const auto now = static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::milliseconds>(since_epoch).count());
    if (now > last_millis) {
        last_millis = now;
        counter = uuid.bytes[8] & 0x3FU;  // starts low, so that there is room to count
    } else if (++counter > 0xFFF) {
        ++last_millis;
        counter = 0;
    }
    for (int i = 0; i < 6; ++i) {
        uuid.bytes[static_cast<std::size_t>(i)] =
            static_cast<std::uint8_t>(last_millis >> (40 - 8 * i));
    }
    uuid.bytes[6] = static_cast<std::uint8_t>(0x70 | counter >> 8);
    uuid.bytes[7] = static_cast<std::uint8_t>(counter);
    uuid.bytes[8] = static_cast<std::uint8_t>(0x80 | (uuid.bytes[8] & 0x3F));
    return uuid;
}

}  // namespace vf

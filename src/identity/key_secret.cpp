#include "identity/key_secret.hpp"

#include <openssl/sha.h>
#include <zlib.h>

#include "base/random.hpp"

namespace vf::identity {
namespace {

constexpr std::string_view kDigits =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
constexpr unsigned kBase = 62;
constexpr std::size_t kEnvironment = 8;     // "vf_live_"
constexpr std::size_t kSecretDigits = 43;   // 62^43 > 2^256
constexpr std::size_t kChecksumDigits = 6;  // 62^6 > 2^32
constexpr std::size_t kShownDigits = 6;     // of the secret, in the prefix
constexpr std::size_t kLength = kEnvironment + kSecretDigits + kChecksumDigits;

// A big-endian number in exactly kSecretDigits digits.
std::string SecretDigits(std::array<std::uint8_t, 32> number) {
    std::string digits(kSecretDigits, '0');
    for (std::size_t i = kSecretDigits; i-- > 0;) {
        unsigned rest = 0;
        for (std::uint8_t& byte : number) {
            const unsigned value = rest * 256 + byte;
            byte = static_cast<std::uint8_t>(value / kBase);
            rest = value % kBase;
        }
        digits[i] = kDigits[rest];
    }
    return digits;
}

std::string Checksum(std::string_view text) {
    auto sum = static_cast<std::uint32_t>(
        ::crc32(0, reinterpret_cast<const Bytef*>(text.data()), static_cast<uInt>(text.size())));
    std::string digits(kChecksumDigits, '0');
    for (std::size_t i = kChecksumDigits; i-- > 0; sum /= kBase) digits[i] = kDigits[sum % kBase];
    return digits;
}

}  // namespace

KeySecret MakeKeySecret(bool live) {
    std::array<std::uint8_t, 32> number{};
    RandomBytes(number);
    KeySecret key;
    key.text = (live ? "vf_live_" : "vf_test_") + SecretDigits(number);
    key.text += Checksum(key.text);
    key.prefix = key.text.substr(0, kEnvironment + kShownDigits);
    return key;
}

KeyForm FormOfKey(std::string_view text) {
    if (!text.starts_with("vf_")) return KeyForm::kForeign;
    const bool is_known = text.starts_with("vf_live_") || text.starts_with("vf_test_");
    if (!is_known || text.size() != kLength) return KeyForm::kMistyped;
    const std::size_t end = kLength - kChecksumDigits;
    return Checksum(text.substr(0, end)) == text.substr(end) ? KeyForm::kWellFormed
                                                             : KeyForm::kMistyped;
}

KeyHash HashOfKey(std::string_view text) {
    KeyHash hash{};
    ::SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), hash.data());
    return hash;
}

}  // namespace vf::identity

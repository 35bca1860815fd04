#include "blob/sigv4.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <map>

#include "http/headers.hpp"

namespace vf::blob {
namespace {

constexpr const char* kAlgorithm = "AWS4-HMAC-SHA256";

std::string Hex(std::string_view bytes) {
    std::string out;
    out.reserve(bytes.size() * 2);
    for (const unsigned char byte : bytes) out += fmt::format("{:02x}", byte);
    return out;
}

std::string Hmac(std::string_view key, std::string_view text) {
    std::array<unsigned char, SHA256_DIGEST_LENGTH> out{};
    HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
         reinterpret_cast<const unsigned char*>(text.data()), text.size(), out.data(), nullptr);
    return {reinterpret_cast<const char*>(out.data()), out.size()};
}

struct Stamp {
    std::string time;  // 20130524T000000Z
    std::string day;   // 20130524
    explicit Stamp(SignTime at) {
        const std::tm utc = fmt::gmtime(std::chrono::system_clock::to_time_t(at));
        time = fmt::format("{:%Y%m%dT%H%M%SZ}", utc);
        day = time.substr(0, 8);
    }
};

std::string ScopeOf(const Sigv4Keys& keys, const Stamp& stamp) {
    return fmt::format("{}/{}/{}/aws4_request", stamp.day, keys.region, keys.service);
}

using Fields = std::map<std::string, std::string>;  // lower-case names, sorted

// Runs of spaces within a value count as one.
std::string Folded(std::string_view value) {
    std::string out;
    for (const char c : http::Trim(value)) {
        if (c != ' ' || !out.ends_with(' ')) out += c;
    }
    return out;
}

Fields FieldsOf(const Sigv4Request& request) {
    Fields fields{{"host", request.host}};
    for (const auto& [name, value] : request.headers) {
        fields[http::LowerCase(name)] = Folded(value);
    }
    return fields;
}

std::string NamesOf(const Fields& fields) {
    std::string names;
    for (const auto& [name, value] : fields) names += (names.empty() ? "" : ";") + name;
    return names;
}

std::string Signature(const Sigv4Request& request, const Fields& fields, const Sigv4Keys& keys,
                      const Stamp& stamp) {
    std::string canonical =
        fmt::format("{}\n{}\n{}\n", request.method, UriEncode(request.path, true),
                    CanonicalQuery(request.query));
    for (const auto& [name, value] : fields) canonical += fmt::format("{}:{}\n", name, value);
    canonical += fmt::format("\n{}\n{}", NamesOf(fields), request.payload_sha256);
    const std::string to_sign = fmt::format("{}\n{}\n{}\n{}", kAlgorithm, stamp.time,
                                            ScopeOf(keys, stamp), Sha256Hex(canonical));
    std::string key = Hmac("AWS4" + keys.secret_key, stamp.day);
    for (const std::string_view part :
         {std::string_view(keys.region), std::string_view(keys.service),
          std::string_view("aws4_request")}) {
        key = Hmac(key, part);
    }
    return Hex(Hmac(key, to_sign));
}

}  // namespace

std::string UriEncode(std::string_view text, bool keep_slash) {
    std::string out;
    for (const unsigned char c : text) {
        const bool is_plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                              (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' ||
                              c == '~' || (c == '/' && keep_slash);
        if (is_plain) {
            out += static_cast<char>(c);
        } else {
            out += fmt::format("%{:02X}", c);
        }
    }
    return out;
}

std::string CanonicalQuery(std::vector<std::pair<std::string, std::string>> query) {
    for (auto& [name, value] : query) {
        name = UriEncode(name, false);
        value = UriEncode(value, false);
    }
    std::ranges::sort(query);
    std::string out;
    for (const auto& [name, value] : query) {
        out += fmt::format("{}{}={}", out.empty() ? "" : "&", name, value);
    }
    return out;
}

std::string Sha256Hex(std::string_view bytes) {
    std::array<unsigned char, SHA256_DIGEST_LENGTH> hash{};
    SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), hash.data());
    return Hex({reinterpret_cast<const char*>(hash.data()), hash.size()});
}

std::vector<std::pair<std::string, std::string>> SignHeaders(const Sigv4Request& request,
                                                             const Sigv4Keys& keys, SignTime time) {
    const Stamp stamp(time);
    Sigv4Request signed_request = request;
    signed_request.headers.emplace_back("X-Amz-Date", stamp.time);
    signed_request.headers.emplace_back("X-Amz-Content-Sha256", request.payload_sha256);
    const Fields fields = FieldsOf(signed_request);
    std::string authorization = fmt::format(
        "{} Credential={}/{},SignedHeaders={},Signature={}", kAlgorithm, keys.access_key,
        ScopeOf(keys, stamp), NamesOf(fields), Signature(signed_request, fields, keys, stamp));
    signed_request.headers.emplace_back("Authorization", std::move(authorization));
    return signed_request.headers;
}

std::string Presign(Sigv4Request request, const Sigv4Keys& keys, SignTime time,
                    std::chrono::seconds expires) {
    const Stamp stamp(time);
    const Fields fields = FieldsOf(request);
    request.payload_sha256 = "UNSIGNED-PAYLOAD";
    request.query.emplace_back("X-Amz-Algorithm", kAlgorithm);
    request.query.emplace_back("X-Amz-Credential",
                               fmt::format("{}/{}", keys.access_key, ScopeOf(keys, stamp)));
    request.query.emplace_back("X-Amz-Date", stamp.time);
    request.query.emplace_back("X-Amz-Expires", std::to_string(expires.count()));
    request.query.emplace_back("X-Amz-SignedHeaders", NamesOf(fields));
    const std::string signature = Signature(request, fields, keys, stamp);
    return fmt::format("{}?{}&X-Amz-Signature={}", UriEncode(request.path, true),
                       CanonicalQuery(request.query), signature);
}

}  // namespace vf::blob

#include "vendors/vendors_check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/utf8.hpp"
#include "http/headers.hpp"
#include "vendors/vendor_wire.hpp"

namespace vf::vendors {
namespace {

bool IsPrintable(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

bool IsTag(std::string_view tag) {
    return tag.size() >= 2 && tag.size() <= 35 && tag.front() != '-' && tag.back() != '-' &&
           std::all_of(tag.begin(), tag.end(), [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '-';
           });
}

Result<void> CheckVoice(const VendorVoice& voice, std::size_t index) {
    const auto wrong = [&](const char* member, const char* words) {
        const std::string path = fmt::format("voices/{}/{}", index, member);
        return WrongMember(path.c_str(), "invalid_voice", words);
    };
    if (!IsVoiceId(voice.id)) {
        return wrong("id",
                     "must have 1 to 100 of the characters A-Z a-z 0-9 . _ ~ + ( ) ! @ , : -");
    }
    const bool is_named = !voice.name.empty() && !Utf8FindInvalid(voice.name) &&
                          Utf8Count(voice.name) <= 100 &&
                          std::none_of(voice.name.begin(), voice.name.end(),
                                       [](char c) { return static_cast<unsigned char>(c) < 0x20; });
    if (!is_named) return wrong("name", "must have 1 to 100 characters.");
    if (voice.languages.size() > 100 ||
        !std::all_of(voice.languages.begin(), voice.languages.end(), &IsTag)) {
        return wrong("languages", "must be at most 100 BCP 47 tags such as en or pt-BR.");
    }
    if (voice.gender != "female" && voice.gender != "male" && voice.gender != "neutral") {
        return wrong("gender", "must be female, male or neutral.");
    }
    return {};
}

}  // namespace

Error WrongMember(const char* member, const char* code, std::string message) {
    return {ErrorKind::kInvalid,
            code,
            fmt::format("The member \"{}\" {}", member, message),
            {{std::string("/") + member, code, std::move(message)}}};
}

Result<void> CheckName(const std::string& name) {
    const auto is_plain = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    };
    const bool is_good = !name.empty() && name.size() <= kMaxName && name.front() != '-' &&
                         name.front() != '_' && std::all_of(name.begin(), name.end(), is_plain);
    if (is_good) return {};
    return WrongMember("name", "invalid_name",
                       fmt::format("must have 1 to {} lower-case letters, digits, - or _, and "
                                   "begin with a letter or digit: it becomes part of voices' ids.",
                                   kMaxName));
}

Result<void> CheckKey(const std::string& key) {
    if (key.size() >= kMinKey && key.size() <= kMaxKey && IsPrintable(key)) return {};
    return WrongMember("api_key", "invalid_api_key",
                       fmt::format("must have {} to {} printable ASCII characters without spaces.",
                                   kMinKey, kMaxKey));
}

Result<void> CheckModel(const std::string& model) {
    if (!model.empty() && model.size() <= kMaxModel && IsPrintable(model)) return {};
    return WrongMember(
        "model", "invalid_model",
        fmt::format("must have 1 to {} printable ASCII characters without spaces.", kMaxModel));
}

Result<void> CheckPrice(const std::optional<Price>& price) {
    if (!price) return {};
    if (price->per_million < 0 || price->per_million > kMaxPrice) {
        return WrongMember("price/per_million", "invalid_price",
                           fmt::format("must be between 0 and {} minor units.", kMaxPrice));
    }
    const std::string& currency = price->currency;
    if (currency.size() == 3 && std::all_of(currency.begin(), currency.end(),
                                            [](char c) { return c >= 'A' && c <= 'Z'; })) {
        return {};
    }
    return WrongMember("price/currency", "invalid_price",
                       "must be an ISO 4217 code of three capital letters, such as USD.");
}

Result<void> CheckFallback(const std::optional<int>& fallback) {
    if (!fallback || (*fallback >= 1 && *fallback <= kMaxFallback)) return {};
    return WrongMember("fallback", "invalid_fallback",
                       fmt::format("must be between 1 and {}, or null.", kMaxFallback));
}

Result<void> CheckVoices(const std::vector<VendorVoice>& voices, std::int64_t most) {
    if (voices.empty()) {
        return WrongMember("voices", "voices_required", "must have at least one voice.");
    }
    if (voices.size() > static_cast<std::size_t>(most)) {
        return WrongMember("voices", "too_many_voices",
                           fmt::format("must have at most {} voices.", most));
    }
    std::set<std::string_view> seen;
    for (std::size_t i = 0; i < voices.size(); ++i) {
        if (Result<void> checked = CheckVoice(voices[i], i); !checked) return checked;
        if (!seen.insert(voices[i].id).second) {
            return WrongMember("voices", "invalid_voice",
                               fmt::format("has the id \"{}\" twice.", voices[i].id));
        }
    }
    return {};
}

Result<std::string> CheckUrl(std::string url, bool allow_plain) {
    while (url.ends_with('/')) url.pop_back();
    const std::string lower = http::LowerCase(url);
    const bool is_plain = lower.starts_with("http://");
    const bool is_secure = lower.starts_with("https://");
    const std::string_view rest = std::string_view(url).substr(
        std::min(url.size(), std::string_view(is_plain ? "http://" : "https://").size()));
    const std::string_view host = rest.substr(0, rest.find('/'));
    const bool is_url = (is_plain || is_secure) && url.size() <= kMaxUrl && IsPrintable(url) &&
                        !host.empty() && rest.find_first_of("?#\\\"<>^`{|}@") == rest.npos;
    if (!is_url) {
        return WrongMember("base_url", "invalid_base_url",
                           fmt::format("must be an http or https URL of at most {} characters, "
                                       "without user, query and fragment.",
                                       kMaxUrl));
    }
    if (is_plain && !allow_plain) {
        return WrongMember("base_url", "https_required",
                           "must be an https URL: plain http would show the key to the network.");
    }
    return url;
}

}  // namespace vf::vendors

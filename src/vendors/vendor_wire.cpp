#include "vendors/vendor_wire.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/json.hpp"
#include "base/utf8.hpp"

namespace vf::vendors {
namespace {

constexpr std::uint64_t kMaxList = 8ULL << 20U;  // bytes of a list of voices
constexpr const char* kCartesiaVersion = "2026-08-14";
constexpr std::chrono::seconds kLongestWait{3600};

http::ClientRequest Call(const Account& account, http::Method method, std::string_view path) {
    http::ClientRequest call;
    call.method = method;
    call.url = account.base_url;
    call.url += path;
    call.headers.Set("Accept", "*/*");
    if (account.vendor == Vendor::kElevenLabs) {
        call.headers.Set("xi-api-key", account.api_key);
    } else {
        call.headers.Set("Authorization", "Bearer " + account.api_key);
    }
    if (account.vendor == Vendor::kCartesia) {
        call.headers.Set("Cartesia-Version", kCartesiaVersion);
    }
    return call;
}

http::ClientRequest JsonCall(const Account& account, std::string_view path,
                             const json::object& body) {
    http::ClientRequest call = Call(account, http::Method::kPost, path);
    call.headers.Set("Content-Type", "application/json");
    call.body = json::Print(body);
    return call;
}

// "en-GB" -> "en": the vendors' languages have no region.
std::string Primary(const std::string& tag) {
    return tag.substr(0, tag.find('-'));
}

http::ClientRequest ElevenLabsCall(const Account& account, const std::string& voice,
                                   const engines::SegmentRequest& request) {
    json::object body{{"text", request.text}, {"model_id", account.model}};
    json::object settings;
    if (request.expression) {
        settings = {{"stability", request.expression->stability},
                    {"similarity_boost", request.expression->similarity_boost},
                    {"style", request.expression->style},
                    {"use_speaker_boost", request.expression->use_speaker_boost}};
    }
    if (request.speed != 1) settings["speed"] = request.speed;
    if (!settings.empty()) body["voice_settings"] = std::move(settings);
    // Models answer with an error to what they do not know: languages are enforced by the faster
    // ones only, and the third generation takes no text around.
    const bool is_third = account.model.find("_v3") != std::string::npos;
    const bool knows_languages = is_third || account.model.ends_with("v2_5");
    if (!request.language.empty() && knows_languages) {
        body["language_code"] = Primary(request.language);
    }
    if (request.seed) body["seed"] = *request.seed;
    if (!request.previous_text.empty() && !is_third) body["previous_text"] = request.previous_text;
    if (!request.next_text.empty() && !is_third) body["next_text"] = request.next_text;
    return JsonCall(
        account, "/v1/text-to-speech/" + voice + "/stream/with-timestamps?output_format=pcm_24000",
        body);
}

http::ClientRequest OpenAiCall(const Account& account, const std::string& voice,
                               const engines::SegmentRequest& request) {
    json::object body{{"model", account.model},
                      {"input", request.text},
                      {"voice", voice},
                      {"response_format", "pcm"}};
    if (request.speed != 1) body["speed"] = request.speed;
    return JsonCall(account, "/audio/speech", body);
}

http::ClientRequest CartesiaCall(const Account& account, const std::string& voice,
                                 const engines::SegmentRequest& request, bool plain) {
    json::object body{{"model_id", account.model},
                      {"transcript", request.text},
                      {"voice", json::object{{"mode", "id"}, {"id", voice}}},
                      {"output_format", json::object{{"container", "raw"},
                                                     {"encoding", "pcm_s16le"},
                                                     {"sample_rate", kSampleRate}}}};
    if (!request.language.empty()) body["language"] = Primary(request.language);
    if (request.speed != 1) body["generation_config"] = json::object{{"speed", request.speed}};
    if (!plain) body["add_timestamps"] = request.wants_events;
    return JsonCall(account, plain ? "/tts/bytes" : "/tts/sse", body);
}

std::string_view TextOf(const json::value* value) {
    if (!value || !value->is_string()) return {};
    return value->get_string();
}

const json::value* Member(const json::value& value, std::string_view name) {
    return value.is_object() ? value.get_object().if_contains(name) : nullptr;
}

bool IsCode(std::string_view text) {
    return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
    });
}

// The vendor's own name of an error; empty: it has none that looks like one.
std::string VendorCode(std::string_view body) {
    const Result<json::Parsed> parsed = json::Parse(body);
    if (!parsed) return {};
    const json::value& root = parsed->root;
    for (const char* holder : {"detail", "error"}) {
        const json::value* inner = Member(root, holder);
        if (!inner) continue;
        for (const char* name : {"code", "status", "type"}) {
            const std::string_view code = TextOf(Member(*inner, name));
            if (IsCode(code)) return std::string(code);
        }
    }
    const std::string_view code = TextOf(Member(root, "error_code"));
    return IsCode(code) ? std::string(code) : std::string();
}

bool IsQuota(std::string_view code) {
    return code == "quota_exceeded" || code == "insufficient_quota" ||
           code == "insufficient_credits" || code == "payment_required" ||
           code == "quota_exhausted";
}

std::optional<std::chrono::seconds> RetryAfter(const http::Headers& headers) {
    const std::string_view text = headers.Get("Retry-After");
    std::int64_t seconds = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (text.empty() || ec != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return std::clamp(std::chrono::seconds(seconds), std::chrono::seconds(1), kLongestWait);
}

// The vendor's languages as tags; "english" and the like are left out.
std::vector<std::string> LanguagesOf(const json::value& voice) {
    std::vector<std::string> found;
    const auto add = [&found](std::string_view tag) {
        const bool is_tag =
            tag.size() >= 2 && tag.size() <= 35 && (tag.size() <= 3 || tag[2] == '-');
        const bool is_plain = std::all_of(tag.begin(), tag.end(), [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                   c == '-';
        });
        if (!is_tag || !is_plain || tag.back() == '-' || found.size() >= 100) return;
        if (std::find(found.begin(), found.end(), tag) == found.end()) found.emplace_back(tag);
    };
    if (const json::value* list = Member(voice, "verified_languages"); list && list->is_array()) {
        for (const json::value& one : list->get_array()) {
            add(TextOf(Member(one, "language")));
        }
    }
    add(TextOf(Member(voice, "language")));
    return found;
}

std::string GenderOf(const json::value& voice) {
    std::string_view gender = TextOf(Member(voice, "gender"));
    if (const json::value* labels = Member(voice, "labels"); gender.empty() && labels) {
        gender = TextOf(Member(*labels, "gender"));
    }
    if (gender == "female" || gender == "feminine") return "female";
    if (gender == "male" || gender == "masculine") return "male";
    return "neutral";
}

}  // namespace

http::ClientRequest SpeechCall(const Account& account, const std::string& voice,
                               const engines::SegmentRequest& request, bool plain) {
    switch (account.vendor) {
        case Vendor::kElevenLabs: return ElevenLabsCall(account, voice, request);
        case Vendor::kOpenAi: return OpenAiCall(account, voice, request);
        case Vendor::kCartesia: break;
    }
    return CartesiaCall(account, voice, request, plain);
}

std::optional<http::ClientRequest> VoicesCall(const Account& account) {
    std::string_view path;
    switch (account.vendor) {
        case Vendor::kElevenLabs: path = "/v1/voices"; break;
        case Vendor::kOpenAi:
            if (account.base_url == DefaultUrl(Vendor::kOpenAi)) return std::nullopt;
            path = "/audio/voices";
            break;
        case Vendor::kCartesia: path = "/voices?limit=100"; break;
    }
    http::ClientRequest call = Call(account, http::Method::kGet, path);
    call.max_response_bytes = kMaxList;
    return call;
}

bool IsVoiceId(std::string_view id) {
    constexpr std::string_view kOthers = "._~+()!@,:-";
    return !id.empty() && id.size() <= 100 && std::all_of(id.begin(), id.end(), [&](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               kOthers.find(c) != std::string_view::npos;
    });
}

Result<std::vector<VendorVoice>> ReadVoices(Vendor vendor, std::string_view body,
                                            std::size_t limit) {
    const Result<json::Parsed> parsed = json::Parse(body);
    const json::value* list = nullptr;
    if (parsed && parsed->root.is_array()) list = &parsed->root;
    if (parsed && !list) {
        list = Member(parsed->root, vendor == Vendor::kCartesia ? "data" : "voices");
    }
    if (!list || !list->is_array()) {
        return Error(
            ErrorKind::kUnavailable, "vendor_answer_unreadable",
            fmt::format("{} gave no list of voices. Check \"base_url\", or list \"voices\" "
                        "yourself.",
                        DisplayName(vendor)));
    }
    std::vector<VendorVoice> voices;
    for (const json::value& one : list->get_array()) {
        if (voices.size() >= limit) break;
        VendorVoice voice;
        voice.id = one.is_string() ? std::string(one.get_string())
                                   : std::string(TextOf(Member(one, "voice_id")));
        if (voice.id.empty()) voice.id = TextOf(Member(one, "id"));
        if (!IsVoiceId(voice.id)) continue;
        const std::string_view name = TextOf(Member(one, "name"));
        voice.name = name.empty() || Utf8FindInvalid(name) ? voice.id : std::string(name);
        std::erase_if(voice.name, [](char c) { return static_cast<unsigned char>(c) < 0x20; });
        voice.name.resize(Utf8Floor(voice.name, 100));
        voice.languages = LanguagesOf(one);
        voice.gender = GenderOf(one);
        voices.push_back(std::move(voice));
    }
    return voices;
}

Error ErrorOf(Vendor vendor, int status, const http::Headers& headers, std::string_view body) {
    const std::string_view name = DisplayName(vendor);
    const std::string code = VendorCode(body);
    const std::string told = code.empty() ? fmt::format("status {}", status)
                                          : fmt::format("status {}, \"{}\"", status, code);
    if (status == 402 || IsQuota(code)) {
        return {ErrorKind::kUnavailable, "vendor_quota_exhausted",
                fmt::format("{} says that the account has no credit left ({}). Top it up there.",
                            name, told)};
    }
    if (status == 401 || status == 403) {
        return {ErrorKind::kUnavailable, "vendor_key_refused",
                fmt::format("{} refuses the connection's API key ({}). Change it with PATCH "
                            "/api/vendors/{{id}}.",
                            name, told)};
    }
    if (status == 429) {
        return Error(ErrorKind::kRateLimited, "vendor_rate_limited",
                     fmt::format("{} takes no more requests of this account now ({}).", name, told))
            .RetryAfter(RetryAfter(headers).value_or(std::chrono::seconds(1)));
    }
    if (status == 404 || code == "voice_not_found") {
        return {ErrorKind::kInvalid, "vendor_voice_not_found",
                fmt::format("{} knows no such voice or route ({}). Fetch the connection's voices "
                            "anew, or check \"base_url\".",
                            name, told)};
    }
    if (status >= 400 && status < 500 && status != 408) {
        return {ErrorKind::kInvalid, "vendor_refused",
                fmt::format("{} refuses the request ({}): the model may not know the voice, the "
                            "language or a setting.",
                            name, told)};
    }
    return Error(ErrorKind::kUnavailable, "vendor_unavailable",
                 fmt::format("{} cannot speak now ({}). Try again in a moment.", name, told))
        .RetryAfter(RetryAfter(headers).value_or(std::chrono::seconds(1)));
}

Error ErrorOf(Vendor vendor, const Error& transport) {
    const std::string_view name = DisplayName(vendor);
    if (transport.code() == "address_refused") {
        return {ErrorKind::kUnavailable, "vendor_address_refused",
                fmt::format("The connection's \"base_url\" ({}) leads to a private address, which "
                            "the operator does not allow (vendors.allow_private_addresses).",
                            name)};
    }
    if (transport.kind() == ErrorKind::kDeadline) {
        return Error(ErrorKind::kUnavailable, "vendor_timeout",
                     fmt::format("{} did not answer in time. Try again in a moment.", name))
            .RetryAfter(std::chrono::seconds(1));
    }
    if (transport.kind() == ErrorKind::kTooLarge) {
        return {ErrorKind::kUnavailable, "vendor_answer_too_long",
                fmt::format("{} sent more than any speech of this text can have.", name)};
    }
    if (transport.code() == "request_cancelled") {
        return {ErrorKind::kUnavailable, "cancelled", "The caller has gone."};
    }
    return Error(ErrorKind::kUnavailable, "vendor_unavailable",
                 fmt::format("{} cannot be reached ({}). Try again in a moment, or check the "
                             "connection's \"base_url\".",
                             name, transport.code()))
        .RetryAfter(std::chrono::seconds(1));
}

}  // namespace vf::vendors

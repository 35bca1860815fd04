#include "text/normalise_address.hpp"

#include <cctype>

#include "base/utf8.hpp"

namespace vf::text::norm {
namespace {

constexpr std::size_t kLongestAddress = 1000;

bool IsDigit(char c) {
    return c >= '0' && c <= '9';
}

bool IsAddressByte(char c) {
    const auto byte = static_cast<unsigned char>(c);
    constexpr std::string_view kAllowed = "-._~:/?#[]@!$&'()*+,;=%";
    return byte >= 0x80 || std::isalnum(byte) || kAllowed.find(c) != std::string_view::npos;
}

// The end of what looks like an address, without the punctuation of the sentence around it.
std::size_t AddressEnd(std::string_view text, std::size_t at) {
    std::size_t end = at;
    while (end < text.size() && end - at < kLongestAddress && IsAddressByte(text[end])) ++end;
    end = Utf8Floor(text, end);
    const bool opened = text.substr(at, end - at).find('(') != std::string_view::npos;
    while (end > at) {
        const char last = text[end - 1];
        const bool closes = last == ')' && !opened;
        if (!closes && std::string_view(".,;:!?'*[]").find(last) == std::string_view::npos) break;
        --end;
    }
    return end;
}

// Letters, digits and hyphens with stops between them, the last one a known top domain.
std::size_t HostEnd(const Rules& rules, std::string_view text, std::size_t at, std::size_t limit,
                    bool any_domain) {
    std::size_t end = at;
    std::size_t label = at;
    bool dotted = false;
    while (end < limit) {
        const auto c = static_cast<unsigned char>(text[end]);
        if (c == '.') {
            if (end == label || end + 1 >= limit ||
                std::isalnum(static_cast<unsigned char>(text[end + 1])) == 0) {
                break;
            }
            dotted = true;
            label = end + 1;
        } else if (!std::isalnum(c) && c != '-' && c < 0x80) {
            break;
        }
        ++end;
    }
    if (end == label) return at;
    if (any_domain) return end;
    const Table* domains = rules.FindTable("domain");
    const std::string_view last = text.substr(label, end - label);
    return dotted && domains && domains->Find(last) ? end : at;
}

// `start` is ASCII in small letters.
bool StartsFolded(std::string_view text, std::string_view start) {
    if (text.size() <= start.size()) return false;
    for (std::size_t i = 0; i < start.size(); ++i) {
        if (Fold(static_cast<unsigned char>(text[i])) != static_cast<unsigned char>(start[i])) {
            return false;
        }
    }
    return true;
}

}  // namespace

std::size_t UrlEnd(const Rules& rules, std::string_view text, std::size_t at) {
    const std::string_view rest = text.substr(at);
    std::size_t host = at;
    bool certain = false;
    for (const std::string_view scheme : {"https://", "http://", "ftp://", "wss://", "ws://"}) {
        if (StartsFolded(rest, scheme)) {
            host += scheme.size();
            certain = true;
            break;
        }
    }
    // Most words have no stop in them: decided before anything is walked.
    if (!certain) {
        std::size_t dot = at;
        while (dot < text.size() && dot - at < 64 &&
               (std::isalnum(static_cast<unsigned char>(text[dot])) || text[dot] == '-' ||
                text[dot] == '_')) {
            ++dot;
        }
        if (dot + 1 >= text.size() || text[dot] != '.') return at;
        // A file's name.
        std::size_t length = 0;
        const Table* extensions = rules.FindTable("extension");
        if (extensions && extensions->Longest(text.substr(dot + 1), length)) {
            return dot + 1 + length;
        }
        certain = StartsFolded(rest, "www.");
    }
    const std::size_t limit = AddressEnd(text, at);
    const std::size_t end = HostEnd(rules, text, host, limit, certain);
    if (end == host) return at;
    const char next = end < limit ? text[end] : ' ';
    if (next == '@') return at;
    const bool goes_on = next == '/' || next == ':' || next == '?' || next == '#';
    return goes_on ? limit : end;
}

std::size_t EmailEnd(const Rules& rules, std::string_view text, std::size_t at) {
    std::size_t local = at;
    while (local < text.size() && local - at < 64) {
        const auto c = static_cast<unsigned char>(text[local]);
        if (!std::isalnum(c) &&
            std::string_view("._%+-").find(text[local]) == std::string_view::npos) {
            break;
        }
        ++local;
    }
    if (local == at || local >= text.size() || text[local] != '@') return at;
    const std::size_t limit = AddressEnd(text, at);
    if (limit <= local + 1) return at;
    const std::size_t end = HostEnd(rules, text, local + 1, limit, true);
    return text.substr(local, end - local).find('.') == std::string_view::npos ? at : end;
}

std::size_t PhoneEnd(std::string_view text, std::size_t at) {
    std::size_t end = at;
    std::size_t digits = 0;
    bool marked = false;
    if (end < text.size() && text[end] == '+') {
        marked = true;
        ++end;
    }
    std::size_t last = at;
    bool open = false;
    while (end < text.size() && end - at < 32) {
        const char c = text[end];
        if (IsDigit(c)) {
            ++digits;
            last = ++end;
        } else if (c == '(' && !open) {
            marked = marked || digits == 0;
            open = true;
            ++end;
        } else if (c == ')' && open) {
            open = false;
            last = ++end;
        } else if ((c == ' ' || c == '-' || c == '.' || c == '/') && digits > 0) {
            const std::size_t next = end + 1;
            if (next >= text.size() || (!IsDigit(text[next]) && text[next] != '(' &&
                                        (text[next] != ' ' || text[end] == ' '))) {
                break;
            }
            ++end;
        } else {
            break;
        }
    }
    return marked && !open && digits >= 7 && digits <= 15 ? last : at;
}

}  // namespace vf::text::norm

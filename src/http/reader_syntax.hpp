#pragma once
// Character classes of RFC 9110 section 5.6 and RFC 3986, as the request reader uses them.

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace vf::http {

inline constexpr std::size_t kMaxMethod = 32;  // bytes of a method's name

inline bool IsTokenChar(char c) {
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) return true;
    return c != '\0' && std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

inline bool IsToken(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, IsTokenChar);
}

// Control characters other than the tab: forbidden in every line.
inline bool IsForbiddenControl(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\t') || byte == 0x7f;
}

// Browsers leave some characters unescaped that RFC 3986 forbids; those that no URL parser lets
// through, and everything outside of ASCII, are refused.
inline bool IsTargetChar(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte > 0x20 && byte < 0x7f && c != '"' && c != '<' && c != '>' && c != '#' && c != '\\';
}

inline bool IsHostChar(char c) {
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) return true;
    return c != '\0' && std::string_view("-._~:[]%!$&'()*+,;=").find(c) != std::string_view::npos;
}

}  // namespace vf::http

#pragma once
// Content negotiation (RFC 9110 section 12.5).

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vf::http {

// "text/html; charset=utf-8" -> "text/html", lower case.
std::string MediaTypeWithoutParameters(std::string_view content_type);

// True when an Accept list allows one of `types`; an empty list allows everything.
bool AcceptsOneOf(std::string_view accept, const std::vector<std::string>& types);

// Which of `types` the list likes best, the first among equals; no value when it allows none. An
// empty list likes the first.
std::optional<std::size_t> ChooseType(std::string_view accept,
                                      const std::vector<std::string>& types);

// True when an Accept-Encoding list allows gzip with a weight above 0 and not below identity's.
bool AcceptsGzip(std::string_view accept_encoding);

// True for types that shrink: text/*, JSON, JavaScript, XML, SVG.
bool IsCompressible(std::string_view content_type);

}  // namespace vf::http

// Text splitting with any bytes that are valid UTF-8: the first byte chooses the options.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/utf8.hpp"
#include "text/split.hpp"
#include "text/steps.hpp"

namespace {

void Require(bool holds) {
    if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0 || size > 20000) return 0;
    const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
    if (vf::Utf8FindInvalid(text)) return 0;
    vf::text::SplitOptions options;
    options.ascii = (data[0] & 1) != 0;
    options.max_chars = (data[0] & 2) != 0 ? 40 : 400;
    options.language = (data[0] & 4) != 0 ? "de" : (data[0] & 8) != 0 ? "el" : "en";
    std::size_t last = 0;
    for (const auto& segment : vf::text::Split(text, options)) {
        Require(segment.begin >= last && segment.end >= segment.begin &&
                segment.end <= text.size());
        Require(!segment.text.empty() && vf::text::HasSpeakable(segment.text));
        Require(vf::Utf8Count(segment.text) <= static_cast<std::size_t>(options.max_chars));
        Require(!vf::Utf8FindInvalid(segment.text));
        Require(segment.text.find_first_of("<>&\n") == std::string::npos);
        for (std::size_t at = 0; at <= segment.text.size(); ++at) {
            const auto range = segment.Original(at, at + 1);
            Require(range.begin <= range.end && range.end <= text.size());
        }
        last = segment.end;
    }
    return 0;
}

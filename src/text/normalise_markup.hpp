#pragma once
// Emoji and the signs of Markdown, which no language reads aloud as they are written. Pure.

#include <string_view>

#include "text/normalise.hpp"

namespace vf::text::norm {

MappedText TreatMarkup(const MappedText& text, std::string_view language,
                       const NormaliseOptions& options);

}  // namespace vf::text::norm

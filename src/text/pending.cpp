// Stands in for the parts that are on their way.
#include "text/normalise.hpp"

namespace vf::text {
MappedText Normalise(const MappedText& text, std::string_view, const NormaliseOptions&,
                     const SayAs&) {
    return text;
}
std::string_view NormaliseRuleName(NormaliseRule) { return ""; }
std::optional<NormaliseRule> FindNormaliseRule(std::string_view) { return std::nullopt; }
}  // namespace vf::text

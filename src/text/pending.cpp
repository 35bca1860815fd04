// Stands in for the parts that are on their way.
#include "text/lexicon.hpp"
#include "text/normalise.hpp"
#include "text/ssml.hpp"

namespace vf::text {
Script PlainScript(std::string_view original) {
    Script script;
    Piece piece;
    piece.text = MappedText::Of(original);
    script.pieces.push_back(std::move(piece));
    return script;
}
Result<Script> ReadSsml(std::string_view, const SsmlOptions&) {
    return Error(ErrorKind::kInvalid, "ssml_malformed", "later");
}
MappedText Normalise(const MappedText& text, std::string_view, const NormaliseOptions&,
                     const SayAs&) {
    return text;
}
std::string_view NormaliseRuleName(NormaliseRule) { return ""; }
std::optional<NormaliseRule> FindNormaliseRule(std::string_view) { return std::nullopt; }
}  // namespace vf::text

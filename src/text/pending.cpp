// Stands in for the parts that are on their way.
#include "text/lexicon.hpp"
#include "text/normalise.hpp"
#include "text/phonemes.hpp"
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
std::optional<PhonemeAlphabet> FindPhonemeAlphabet(std::string_view name) {
    if (name == "ipa") return PhonemeAlphabet::kIpa;
    if (name == "cmu-arpabet") return PhonemeAlphabet::kCmu;
    return std::nullopt;
}
Result<std::string> ToIpa(PhonemeAlphabet, std::string_view phonemes) {
    return std::string(phonemes);
}
Result<std::string> FromIpa(PhonemeAlphabet, std::string_view ipa) { return std::string(ipa); }
std::string EnginePhonemeToIpa(PhonemeAlphabet, std::string_view phoneme) {
    return std::string(phoneme);
}
int VisemeOf(std::string_view) { return 0; }
}  // namespace vf::text

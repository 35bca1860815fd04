// Writing Pronunciation Lexicon documents.
#include "text/phonemes.hpp"
#include "text/pls.hpp"
#include "text/pls_guard.hpp"

#include "base/utf8.hpp"

namespace vf::text {
namespace {

// Characters that XML 1.0 cannot hold leave the text.
std::string Escaped(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        const std::size_t length = Utf8SequenceLength(text);
        const char32_t c = length == 0 ? 0 : Utf8Decode(text);
        switch (c) {
            case '&': out += "&amp;"; break;
            case '<': out += "&lt;"; break;
            case '>': out += "&gt;"; break;
            case '"': out += "&quot;"; break;
            case '\r': out += "&#13;"; break;
            default:
                if (c >= 0x20 || c == '\t' || c == '\n') out += text.substr(0, length);
        }
        text.remove_prefix(length == 0 ? 1 : length);
    }
    return out;
}

void WriteLexeme(const LexiconRule& rule, const std::string& alphabet, std::string& out) {
    out += "  <lexeme";
    if (!rule.case_sensitive) out += std::string(" ") + kCaseAttribute + "=\"false\"";
    if (!rule.word_boundaries) out += std::string(" ") + kBoundaryAttribute + "=\"false\"";
    out += ">\n    <grapheme>" + Escaped(rule.grapheme) + "</grapheme>\n";
    if (rule.kind == LexiconRule::Kind::kAlias) {
        out += "    <alias>" + Escaped(rule.value) + "</alias>\n";
    } else {
        // As it was written, where that is known.
        const bool as_written = !rule.source.empty() && FindPhonemeAlphabet(rule.alphabet);
        const std::string name = as_written ? rule.alphabet : "ipa";
        out += "    <phoneme";
        if (name != alphabet) out += " alphabet=\"" + Escaped(name) + "\"";
        out += ">" + Escaped(as_written ? rule.source : rule.value) + "</phoneme>\n";
    }
    out += "  </lexeme>\n";
}

}  // namespace

std::string WritePls(const PlsDocument& document) {
    const std::string alphabet = FindPhonemeAlphabet(document.alphabet) ? document.alphabet : "ipa";
    std::string out =
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<lexicon version=\"1.0\" xmlns=\"";
    out += kPlsNamespace;
    out += "\"\n    xmlns:vf=\"";
    out += kOwnNamespace;
    out += "\" alphabet=\"" + Escaped(alphabet) + "\" xml:lang=\"" + Escaped(document.language) +
           "\">\n";
    for (const LexiconRule& rule : document.rules) WriteLexeme(rule, alphabet, out);
    out += "</lexicon>\n";
    return out;
}

}  // namespace vf::text

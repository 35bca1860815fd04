// Reading Pronunciation Lexicon documents.
#include "text/pls.hpp"

#include <algorithm>
#include <cstring>
#include <pugixml.hpp>

#include "base/utf8.hpp"
#include "text/phonemes.hpp"
#include "text/pls_guard.hpp"

namespace vf::text {
namespace {

constexpr std::size_t kMostBytes = 1 << 20;

std::string_view LocalName(std::string_view name) {
    const std::size_t colon = name.find(':');
    return colon == std::string_view::npos ? name : name.substr(colon + 1);
}

std::string Trimmed(std::string_view text) {
    constexpr std::string_view kSpaces = " \t\r\n";
    const std::size_t begin = text.find_first_not_of(kSpaces);
    if (begin == std::string_view::npos) return {};
    return std::string(text.substr(begin, text.find_last_not_of(kSpaces) - begin + 1));
}

class Reader {
public:
    explicit Reader(std::string_view xml) : xml_(xml) {}

    Result<PlsDocument> Read() {
        const pugi::xml_parse_result parsed = document_.load_buffer(
            xml_.data(), xml_.size(), pugi::parse_default | pugi::parse_ws_pcdata_single,
            pugi::encoding_utf8);
        if (!parsed) {
            return Malformed(xml_,
                             static_cast<std::size_t>(std::max<std::ptrdiff_t>(parsed.offset, 0)),
                             parsed.description());
        }
        const pugi::xml_node root = document_.document_element();
        if (Result<> head = ReadHead(root); !head) return std::move(head).error();
        for (const pugi::xml_node child : root.children()) {
            if (child.type() == pugi::node_pcdata || child.type() == pugi::node_cdata) {
                if (Trimmed(child.value()).empty()) continue;
                return Wrong(child, "pls_malformed", "Text stands outside of any <lexeme>.");
            }
            if (child.type() != pugi::node_element || IsForeign(child)) continue;
            const std::string_view name = LocalName(child.name());
            if (name == "meta" || name == "metadata") continue;
            if (name != "lexeme") return Unexpected(child, "lexeme, meta or metadata");
            if (Result<> lexeme = ReadLexeme(child); !lexeme) return std::move(lexeme).error();
        }
        return std::move(result_);
    }

private:
    Error Wrong(pugi::xml_node node, const char* code, const std::string& what) const {
        const std::ptrdiff_t offset = node.offset_debug();
        return Error(ErrorKind::kInvalid, code,
                     PlaceIn(xml_, offset < 0 ? 0 : static_cast<std::size_t>(offset)) + what);
    }

    Error Unexpected(pugi::xml_node node, const char* expected) const {
        return Wrong(node, "pls_invalid_value",
                     "The element <" + std::string(node.name()) + "> is not known here; expected " +
                         expected + ".");
    }

    // Elements of other vocabularies may stand anywhere and say nothing to us.
    bool IsForeign(pugi::xml_node node) const {
        const std::string_view name = node.name();
        const std::size_t colon = name.find(':');
        const std::string_view prefix =
            colon == std::string_view::npos ? std::string_view() : name.substr(0, colon);
        return prefix != prefix_;
    }

    Result<> ReadHead(pugi::xml_node root) {
        if (LocalName(root.name()) != "lexicon") {
            return Error(ErrorKind::kInvalid, "pls_not_a_lexicon",
                         PlaceIn(xml_, 0) +
                             "This is no pronunciation lexicon: its outermost element is <" +
                             std::string(root.name()) + ">, expected <lexicon>.");
        }
        const std::string_view name = root.name();
        const std::size_t colon = name.find(':');
        if (colon != std::string_view::npos) prefix_ = name.substr(0, colon);
        const std::string key = prefix_.empty() ? "xmlns" : "xmlns:" + prefix_;
        const std::string_view space = root.attribute(key.c_str()).value();
        if (!space.empty() && space != kPlsNamespace) {
            return Error(ErrorKind::kInvalid, "pls_not_a_lexicon",
                         PlaceIn(xml_, 0) + "The element <lexicon> is in the namespace \"" +
                             std::string(space) + "\", expected \"" + std::string(kPlsNamespace) +
                             "\".");
        }
        const std::string_view version = root.attribute("version").value();
        if (!version.empty() && version != "1.0") {
            return Wrong(root, "pls_invalid_value",
                         "Version \"" + std::string(version) + "\" is not known; expected 1.0.");
        }
        result_.language = root.attribute("xml:lang").value();
        if (const pugi::xml_attribute alphabet = root.attribute("alphabet")) {
            result_.alphabet = alphabet.value();
        }
        if (!FindPhonemeAlphabet(result_.alphabet)) return UnknownAlphabet(root, result_.alphabet);
        return {};
    }

    Error UnknownAlphabet(pugi::xml_node node, const std::string& name) const {
        return Wrong(
            node, "pls_invalid_value",
            "The phoneme alphabet \"" + name + "\" is not known; use ipa, x-sampa or cmu-arpabet.");
    }

    // The text of a grapheme, alias or phoneme, which hold nothing else.
    Result<std::string> TextOf(pugi::xml_node node, std::size_t most) const {
        std::string text;
        for (const pugi::xml_node child : node.children()) {
            if (child.type() == pugi::node_element) return Unexpected(child, "text only");
            text += child.value();
        }
        text = Trimmed(text);
        const std::string name(LocalName(node.name()));
        if (text.empty()) return Wrong(node, "pls_invalid_value", "This <" + name + "> is empty.");
        if (Utf8Count(text) > most) {
            return Wrong(
                node, "pls_invalid_value",
                "This <" + name + "> is longer than " + std::to_string(most) + " characters.");
        }
        return text;
    }

    Result<> ReadPhoneme(pugi::xml_node node, LexiconRule& rule) const {
        Result<std::string> written = TextOf(node, 1000);
        if (!written) return std::move(written).error();
        const pugi::xml_attribute named = node.attribute("alphabet");
        const std::string name = named ? named.value() : result_.alphabet;
        const auto alphabet = FindPhonemeAlphabet(name);
        if (!alphabet) return UnknownAlphabet(node, name);
        Result<std::string> ipa = ToIpa(*alphabet, *written);
        if (!ipa) return Wrong(node, "invalid_phonemes", ipa.error().message());
        rule.kind = LexiconRule::Kind::kPhoneme;
        rule.alphabet = name;
        rule.source = std::move(*written);
        rule.value = std::move(*ipa);
        return {};
    }

    // Of several pronunciations: a preferred one before others, an alias before phonemes, the
    // first before later ones.
    Result<pugi::xml_node> Choose(pugi::xml_node lexeme) const {
        pugi::xml_node best;
        int best_rank = 0;
        for (const pugi::xml_node child : lexeme.children()) {
            if (child.type() != pugi::node_element || IsForeign(child)) continue;
            const std::string_view name = LocalName(child.name());
            if (name == "grapheme" || name == "example") continue;
            if (name != "alias" && name != "phoneme") {
                return Unexpected(child, "grapheme, phoneme, alias or example");
            }
            const std::string_view prefer = child.attribute("prefer").value();
            if (!prefer.empty() && prefer != "true" && prefer != "false") {
                return Wrong(
                    child, "pls_invalid_value",
                    "prefer is \"" + std::string(prefer) + "\"; expected \"true\" or \"false\".");
            }
            const int rank = 1 + (name == "alias" ? 1 : 0) + (prefer == "true" ? 2 : 0);
            if (rank > best_rank) {
                best = child;
                best_rank = rank;
            }
        }
        if (!best) {
            return Wrong(lexeme, "pls_invalid_value",
                         "This <lexeme> has no <phoneme> and no <alias>.");
        }
        return best;
    }

    Result<> ReadOption(pugi::xml_node lexeme, const char* name, bool& value) const {
        const pugi::xml_attribute attribute = lexeme.attribute(name);
        if (!attribute) return {};
        const std::string_view written = attribute.value();
        if (written != "true" && written != "false") {
            return Wrong(lexeme, "pls_invalid_value",
                         std::string(name) + " is \"" + std::string(written) +
                             "\"; expected \"true\" or \"false\".");
        }
        value = written == "true";
        return {};
    }

    Result<> ReadLexeme(pugi::xml_node lexeme) {
        const Result<pugi::xml_node> chosen = Choose(lexeme);
        if (!chosen) return chosen.error();
        LexiconRule rule;
        if (LocalName(chosen->name()) == "alias") {
            Result<std::string> alias = TextOf(*chosen, 1000);
            if (!alias) return std::move(alias).error();
            rule.value = std::move(*alias);
        } else if (Result<> phoneme = ReadPhoneme(*chosen, rule); !phoneme) {
            return phoneme;
        }
        for (const auto& [name, value] : {std::pair{kCaseAttribute, &rule.case_sensitive},
                                          std::pair{kBoundaryAttribute, &rule.word_boundaries}}) {
            if (Result<> option = ReadOption(lexeme, name, *value); !option) return option;
        }
        bool any = false;
        for (const pugi::xml_node child : lexeme.children()) {
            if (LocalName(child.name()) != "grapheme" || IsForeign(child)) continue;
            Result<std::string> grapheme = TextOf(child, 200);
            if (!grapheme) return std::move(grapheme).error();
            if (result_.rules.size() >= Lexicon::kMaxRules) {
                return Error(ErrorKind::kInvalid, "pls_too_large",
                             "A lexicon may hold at most 10,000 graphemes; split it.");
            }
            rule.grapheme = std::move(*grapheme);
            result_.rules.push_back(rule);
            any = true;
        }
        if (!any) return Wrong(lexeme, "pls_invalid_value", "This <lexeme> has no <grapheme>.");
        return {};
    }

    std::string_view xml_;
    pugi::xml_document document_;
    std::string prefix_;  // of the PLS namespace in this document
    PlsDocument result_;
};

}  // namespace

Result<PlsDocument> ReadPls(std::string_view xml) {
    if (xml.size() > kMostBytes) {
        return Error(ErrorKind::kInvalid, "pls_too_large",
                     "A lexicon may have at most 1 MiB; this one has " +
                         std::to_string(xml.size()) + " bytes. Split it.");
    }
    if (Result<> guarded = GuardXml(xml); !guarded) return std::move(guarded).error();
    return Reader(xml).Read();
}

}  // namespace vf::text

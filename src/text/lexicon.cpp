#include "text/lexicon.hpp"

#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include <array>
#include <stdexcept>
#include <unordered_map>

#include "base/utf8.hpp"
#include "text/phonemes.hpp"
#include "text/steps.hpp"
#include "text/word_border.hpp"

namespace vf::text {
namespace {

constexpr std::size_t kMostGrapheme = 200;
constexpr std::size_t kMostValue = 1000;

// One code point to one code point, so that a place in the folded text is a place in the text.
char32_t Fold(char32_t c) {
    if (c < 0x80) return c >= 'A' && c <= 'Z' ? c + 32 : c;
    if (c == 0x2019) return '\'';  // either apostrophe stands for the other
    return static_cast<char32_t>(u_foldCase(static_cast<UChar32>(c), U_FOLD_CASE_DEFAULT));
}

std::string Compose(std::string_view text) {
    UErrorCode error = U_ZERO_ERROR;
    const icu::Normalizer2* nfc = icu::Normalizer2::getNFCInstance(error);
    if (U_FAILURE(error)) throw std::runtime_error("ICU has no NFC data");
    const auto wide = icu::UnicodeString::fromUTF8(
        icu::StringPiece(text.data(), static_cast<int32_t>(text.size())));
    std::string composed;
    nfc->normalize(wide, error).toUTF8String(composed);
    if (U_FAILURE(error)) throw std::runtime_error("ICU refused a text");
    return composed;
}

// As graphemes are compared: without spaces at the ends, with one " " for each run of them between
// words, and with one kind of apostrophe.
std::string Comparable(std::string_view text) {
    std::string out;
    bool space = false;
    while (!text.empty()) {
        const std::size_t length = Utf8SequenceLength(text);
        if (IsSpace(Utf8Decode(text))) {
            space = !out.empty();
        } else {
            if (space) out += ' ';
            space = false;
            const std::string_view c = text.substr(0, length);
            out += c == "’" ? "'" : c;
        }
        text.remove_prefix(length);
    }
    return out;
}

Error Wrong(std::size_t rule, const char* member, const char* code, std::string message) {
    std::string path = "/rules/" + std::to_string(rule) + "/" + member;
    std::string sentence = path + ": " + message;
    return Error(ErrorKind::kInvalid, code, std::move(sentence),
                 {{std::move(path), code, std::move(message)}});
}

Result<> Check(const LexiconRule& rule, std::size_t index) {
    for (const std::string* text : {&rule.grapheme, &rule.value}) {
        const char* member = text == &rule.grapheme ? "grapheme" : "value";
        const std::size_t most = text == &rule.grapheme ? kMostGrapheme : kMostValue;
        if (Utf8FindInvalid(*text)) {
            return Wrong(index, member, "invalid_utf8", "This is no valid UTF-8.");
        }
        if (Utf8Count(*text) > most) {
            return Wrong(index, member, "too_long",
                         "At most " + std::to_string(most) + " characters are allowed.");
        }
        if (Comparable(*text).empty()) {
            return Wrong(index, member, "required",
                         "Write at least one character that is no space.");
        }
    }
    if (rule.kind == LexiconRule::Kind::kPhoneme) {
        const Result<std::string> ipa = ToIpa(PhonemeAlphabet::kIpa, rule.value);
        if (!ipa) return Wrong(index, "value", "invalid_phonemes", ipa.error().message());
    }
    return {};
}

}  // namespace

// A trie over folded code points, in which one space stands for any run of them. Rules that differ
// only in case or in their options end at the same node and are told apart there.
struct Lexicon::Impl {
    struct Place {
        std::uint64_t operator()(std::uint64_t key) const {
            key *= 0x9E3779B97F4A7C15U;
            return key ^ key >> 29U;
        }
    };
    // Most nodes lead to one other only and need no look into the table of edges.
    struct Node {
        char32_t only = 0;  // the code point of the only edge; 0: none or several
        std::uint32_t next = 0;
        std::vector<std::uint32_t> ends;  // rules that end here, in order
    };
    static constexpr std::uint32_t kNone = 0;  // no edge leads back to the root

    std::vector<LexiconRule> rules;
    std::vector<std::string> composed;  // graphemes as they are compared
    std::unordered_map<std::uint64_t, std::uint32_t, Place> edges;  // node << 32 | code point
    std::array<std::uint32_t, 128> roots{};  // the edges of the root, for what most texts are
    std::vector<Node> nodes{1};

    std::uint32_t Step(std::uint32_t node, char32_t c) const {
        if (node == 0 && c < roots.size()) return roots[c];
        if (nodes[node].only != 0) return nodes[node].only == c ? nodes[node].next : kNone;
        if (nodes[node].next == 0) return kNone;
        const auto found = edges.find(std::uint64_t{node} << 32U | c);
        return found == edges.end() ? kNone : found->second;
    }

    void Add(std::uint32_t index) {
        std::uint32_t node = 0;
        for (std::string_view rest = composed[index]; !rest.empty();) {
            const char32_t c = Fold(Utf8Decode(rest));
            rest.remove_prefix(Utf8SequenceLength(rest));
            const auto next = static_cast<std::uint32_t>(nodes.size());
            const auto [edge, is_new] = edges.try_emplace(std::uint64_t{node} << 32U | c, next);
            if (is_new) {
                nodes.emplace_back();
                if (node == 0 && c < roots.size()) roots[c] = next;
                nodes[node].only = nodes[node].next == 0 ? c : 0;
                nodes[node].next = next;
            }
            node = edge->second;
        }
        nodes[node].ends.push_back(index);
    }

    bool Fits(std::uint32_t index, std::string_view text, std::size_t begin,
              std::size_t end) const {
        const LexiconRule& rule = rules[index];
        if (rule.case_sensitive) {
            const std::string_view written = text.substr(begin, end - begin);
            if (written != composed[index] && Comparable(written) != composed[index]) return false;
        }
        return !rule.word_boundaries || (IsWordBorder(text, begin) && IsWordEnd(text, end));
    }
};

Lexicon::Lexicon(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Lexicon::~Lexicon() = default;

const std::vector<LexiconRule>& Lexicon::rules() const {
    return impl_->rules;
}

Result<std::shared_ptr<const Lexicon>> Lexicon::Make(std::vector<LexiconRule> rules) {
    if (rules.size() > kMaxRules) {
        return Error(ErrorKind::kInvalid, "too_many_rules",
                     "/rules: a dictionary holds at most 10,000 rules; these are " +
                         std::to_string(rules.size()) + ". Split it into several dictionaries.",
                     {{"/rules", "too_many_rules", "At most 10,000 rules are allowed."}});
    }
    auto impl = std::make_unique<Impl>();
    impl->rules = std::move(rules);
    for (std::size_t i = 0; i < impl->rules.size(); ++i) {
        if (Result<> checked = Check(impl->rules[i], i); !checked) {
            return std::move(checked).error();
        }
        impl->composed.push_back(Comparable(Compose(impl->rules[i].grapheme)));
        impl->Add(static_cast<std::uint32_t>(i));
    }
    return std::shared_ptr<const Lexicon>(new Lexicon(std::move(impl)));
}

const LexiconRule* Lexicon::LongestAt(std::string_view text, std::size_t at,
                                      std::size_t& end) const {
    const LexiconRule* longest = nullptr;
    std::uint32_t node = 0;
    for (std::size_t here = at; here < text.size();) {
        const auto byte = static_cast<unsigned char>(text[here]);
        const bool ascii = byte > ' ' && byte < 0x80;
        char32_t c = ascii ? byte : Utf8Decode(text.substr(here));
        std::size_t next = here + (ascii ? 1 : Utf8SequenceLength(text.substr(here)));
        if (!ascii && IsSpace(c)) {
            if (here == at) break;
            c = ' ';
            while (next < text.size() && IsSpace(Utf8Decode(text.substr(next)))) {
                next += Utf8SequenceLength(text.substr(next));
            }
            // No grapheme is that spaced out; a text of spaces must not be walked again and again.
            if (next - here > kMostGrapheme) break;
        }
        node = impl_->Step(node, Fold(c));
        if (node == Impl::kNone) break;
        here = next;
        for (const std::uint32_t index : impl_->nodes[node].ends) {
            if (!impl_->Fits(index, text, at, here)) continue;
            longest = &impl_->rules[index];
            end = here;
            break;
        }
    }
    return longest;
}

namespace {

// What an English "'s" behind a word sounds like, so that a name's rule also serves "Nguyen's".
std::string_view PossessiveSound(std::string_view ipa) {
    for (const std::string_view hiss : {"s", "z", "ʃ", "ʒ"}) {
        if (ipa.ends_with(hiss)) return "ɪz";
    }
    for (const std::string_view voiceless : {"p", "t", "k", "f", "θ"}) {
        if (ipa.ends_with(voiceless)) return "s";
    }
    return "z";
}

class Applier {
public:
    explicit Applier(const Piece& piece) : piece_(piece) {}

    void Keep(std::size_t begin, std::size_t end) { text_.Append(piece_.text, begin, end); }

    void Put(const LexiconRule& rule, std::size_t begin, std::size_t end) {
        if (rule.kind == LexiconRule::Kind::kAlias) {
            text_.AppendReplaced(piece_.text, begin, end, rule.value);
            return;
        }
        Flush();
        Piece spoken = piece_;
        spoken.text = piece_.text.Slice(begin, end);
        spoken.phonemes = rule.value;
        const std::string_view written(piece_.text.text());
        if (written.substr(begin, end - begin).ends_with("'s") ||
            written.substr(begin, end - begin).ends_with("’s")) {
            if (!rule.grapheme.ends_with("'s") && !rule.grapheme.ends_with("’s")) {
                spoken.phonemes += PossessiveSound(rule.value);
            }
        }
        pieces_.push_back(std::move(spoken));
    }

    std::vector<Piece> Finish() {
        Flush();
        return std::move(pieces_);
    }

private:
    void Flush() {
        if (text_.empty()) return;
        Piece rest = piece_;
        rest.text = std::move(text_);
        text_ = MappedText();
        pieces_.push_back(std::move(rest));
    }

    const Piece& piece_;
    MappedText text_;
    std::vector<Piece> pieces_;
};

}  // namespace

std::vector<Piece> ApplyLexicons(const Piece& piece,
                                 std::span<const std::shared_ptr<const Lexicon>> lexicons) {
    const bool plain = piece.kind == Piece::Kind::kText && piece.phonemes.empty() &&
                       piece.say_as.interpret_as.empty();
    if (!plain || lexicons.empty()) return {piece};
    const std::string_view text = piece.text.text();
    Applier applier(piece);
    std::size_t kept = 0;
    for (std::size_t at = 0; at < text.size();) {
        const LexiconRule* rule = nullptr;
        std::size_t end = at;
        for (const auto& lexicon : lexicons) {
            std::size_t found_end = at;
            const LexiconRule* found = lexicon->LongestAt(text, at, found_end);
            if (found && found_end > end) {
                rule = found;
                end = found_end;
            }
        }
        if (!rule) {
            at += Utf8SequenceLength(text.substr(at));
            continue;
        }
        applier.Keep(kept, at);
        if (rule->kind == LexiconRule::Kind::kPhoneme) end += PossessiveLength(text, end);
        applier.Put(*rule, at, end);
        at = kept = end;
    }
    applier.Keep(kept, text.size());
    return applier.Finish();
}

}  // namespace vf::text

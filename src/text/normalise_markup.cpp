#include "text/normalise_markup.hpp"

#include <unicode/locid.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include <array>

#include "base/utf8.hpp"
#include "text/normalise_rules.hpp"
#include "text/steps.hpp"

namespace vf::text::norm {
namespace {

constexpr std::size_t kLongestLink = 400;

bool IsFlagLetter(char32_t c) {
    return c >= 0x1F1E6 && c <= 0x1F1FF;
}

bool IsModifier(char32_t c) {
    return u_hasBinaryProperty(static_cast<UChar32>(c), UCHAR_EMOJI_MODIFIER) != 0;
}

// Pictures: not the digits and signs that may become part of one, and not © ® ™.
bool IsPicture(char32_t c) {
    if (c < 0x2190) return false;
    const auto code_point = static_cast<UChar32>(c);
    return IsFlagLetter(c) || IsModifier(c) ||
           u_hasBinaryProperty(code_point, UCHAR_EMOJI_PRESENTATION) ||
           (c > 0x2300 && u_hasBinaryProperty(code_point, UCHAR_EXTENDED_PICTOGRAPHIC));
}

bool IsJoiner(char32_t c) {
    return c == 0x200D || c == 0xFE0F || c == 0xFE0E || (c >= 0xE0020 && c <= 0xE007F);
}

std::string NameOf(char32_t c) {
    std::array<char, 128> name{};
    UErrorCode error = U_ZERO_ERROR;
    u_charName(static_cast<UChar32>(c), U_EXTENDED_CHAR_NAME, name.data(), name.size(), &error);
    if (U_FAILURE(error) || name[0] == '<') return {};
    return Folded(name.data());
}

std::string FlagName(char32_t first, char32_t second, std::string_view language) {
    const char code[] = {static_cast<char>('A' + (first - 0x1F1E6)),
                         static_cast<char>('A' + (second - 0x1F1E6)), '\0'};
    icu::UnicodeString wide;
    icu::Locale("", code).getDisplayCountry(icu::Locale(std::string(language).c_str()), wide);
    std::string name = "flag: ";
    wide.toUTF8String(name);
    return name;
}

class Treatment {
public:
    Treatment(const MappedText& source, std::string_view language, const NormaliseOptions& options)
        : source_(source), text_(source.text()), language_(language), options_(options) {}

    MappedText Run() {
        const bool markdown = options_.markdown == Symbols::kRemove;
        bool line_start = true;
        while (at_ < text_.size()) {
            const char32_t c = Cp(at_);
            if (markdown && line_start && LineStart()) continue;
            line_start = c == '\n';
            if (IsPicture(c)) {
                Picture();
            } else if (!markdown || c >= 0x80 || !Inline(static_cast<char>(c))) {
                at_ += Utf8SequenceLength(text_.substr(at_));
            }
        }
        out_.Append(source_, kept_, text_.size());
        return std::move(out_);
    }

private:
    char32_t Cp(std::size_t at) const {
        if (at >= text_.size()) return 0;
        const auto byte = static_cast<unsigned char>(text_[at]);
        return byte < 0x80 ? byte : Utf8Decode(text_.substr(at));
    }

    char32_t Previous() const {
        std::size_t at = at_;
        if (at == 0) return 0;
        --at;
        while (at > 0 && (static_cast<unsigned char>(text_[at]) & 0xC0) == 0x80) --at;
        return Utf8Decode(text_.substr(at));
    }

    static bool IsOpen(char32_t c) { return c == 0 || IsSpace(c) || !IsWordChar(c); }

    void Replace(std::size_t end, std::string_view spoken) {
        out_.Append(source_, kept_, at_);
        if (!spoken.empty()) out_.AppendReplaced(source_, at_, end, spoken);
        at_ = kept_ = end;
    }

    void Picture() {
        const char32_t before = Previous();
        std::size_t end = at_;
        std::string name;
        bool joined = true;
        while (end < text_.size()) {
            const char32_t c = Cp(end);
            if (IsJoiner(c)) {
                joined = true;
            } else if (!IsPicture(c)) {
                break;
            } else if (options_.emoji == Symbols::kRead && !IsModifier(c)) {
                const std::size_t next = end + Utf8SequenceLength(text_.substr(end));
                const bool flag = IsFlagLetter(c) && IsFlagLetter(Cp(next));
                const std::string one = flag ? FlagName(c, Cp(next), language_) : NameOf(c);
                if (!one.empty()) name += (name.empty() ? "" : joined ? " " : ", ") + one;
                if (flag) end = next;
                joined = false;
            }
            end += Utf8SequenceLength(text_.substr(end));
        }
        // Names are English: in other languages they would be noise.
        if (!language_.starts_with("en") && !language_.empty()) name.clear();
        const bool glued_before = before != 0 && !IsSpace(before);
        const char32_t after = Cp(end);
        if (name.empty()) {
            Replace(end, glued_before && IsWordChar(after) ? " " : "");
            return;
        }
        if (glued_before) name = " " + name;
        if (IsWordChar(after)) name += " ";
        Replace(end, name);
    }

    // "# ", "> ", "```", "---" at the start of a line.
    bool LineStart() {
        std::size_t at = at_;
        while (at < text_.size() && text_[at] == ' ') ++at;
        const std::string_view rest = text_.substr(at, 120);
        const std::string_view line = rest.substr(0, rest.find('\n'));
        std::size_t cut = 0;
        if (line.starts_with("#")) {
            const std::size_t level = line.find_first_not_of('#');
            if (level != std::string_view::npos && level <= 6 && line[level] == ' ') cut = level + 1;
        } else if (line.starts_with("> ")) {
            cut = 2;
        } else if (line.starts_with("```") || line.starts_with("~~~")) {
            cut = line.size();
        } else if (line.size() >= 3 && line.size() < 100 && line.find_first_not_of("-*_= ") == line.npos) {
            cut = line.size();
        }
        if (cut == 0) return false;
        Replace(at + cut, "");
        return at_ >= text_.size() || text_[at_] != '\n' || cut != 2;
    }

    bool Inline(char c) {
        switch (c) {
            case '*':
            case '_':
            case '~': return Emphasis(c);
            case '`': {
                std::size_t end = at_;
                while (end < text_.size() && text_[end] == '`') ++end;
                Replace(end, "");
                return true;
            }
            case '!':
                return at_ + 1 < text_.size() && text_[at_ + 1] == '[' && Link(at_ + 1);
            case '[': return Link(at_);
            case '|': return Bar();
            default: return false;
        }
    }

    // A run of signs that stands at one side of a word and at no word on the other.
    bool Emphasis(char sign) {
        std::size_t end = at_;
        while (end < text_.size() && text_[end] == sign) ++end;
        const std::size_t length = end - at_;
        const char32_t before = Previous();
        const char32_t after = Cp(end);
        if (length > 3 || (sign == '~' && length != 2)) return false;
        const bool opens = IsOpen(before) && after != 0 && !IsSpace(after);
        const bool closes = before != 0 && !IsSpace(before) && IsOpen(after);
        const bool inside = sign == '*' && length > 1 && before != 0 && !IsSpace(before) && after != 0 && !IsSpace(after);
        if (!opens && !closes && !inside) return false;
        if (inside && before >= '0' && before <= '9' && after >= '0' && after <= '9') return false;
        Replace(end, "");
        return true;
    }

    // [text](address): the text is spoken.
    bool Link(std::size_t bracket) {
        const std::string_view near = text_.substr(bracket, kLongestLink);
        const std::size_t close = near.find_first_of("]\n");
        if (close == std::string_view::npos || near[close] != ']' || close < 2) return false;
        if (close + 1 >= near.size() || near[close + 1] != '(') return false;
        const std::size_t end = near.find_first_of(")\n", close);
        if (end == std::string_view::npos || near[end] != ')') return false;
        Replace(bracket + 1, "");
        // Signs inside the text are treated as everywhere.
        const std::size_t stop = bracket + close;
        while (at_ < stop) {
            const char32_t c = Cp(at_);
            if (c != '*' && c != '_' && c != '`') {
                at_ += Utf8SequenceLength(text_.substr(at_));
            } else if (!Inline(static_cast<char>(c))) {
                ++at_;
            }
        }
        Replace(bracket + end + 1, "");
        return true;
    }

    // Of a table: a pause between the cells.
    bool Bar() {
        const char32_t before = Previous();
        std::size_t end = at_ + 1;
        while (end < text_.size() && (text_[end] == ' ' || text_[end] == '-' || text_[end] == ':' ||
                                      text_[end] == '|') &&
               end - at_ < 200) {
            ++end;
        }
        const bool edge = before == 0 || before == '\n' || end >= text_.size() || text_[end] == '\n';
        const bool spaced = before == ' ' || text_.substr(at_ + 1, 1) == " ";
        if (!edge && !spaced) return false;
        Replace(end, edge ? "" : ", ");
        return true;
    }

    const MappedText& source_;
    std::string_view text_;
    std::string_view language_;
    const NormaliseOptions& options_;
    MappedText out_;
    std::size_t at_ = 0;
    std::size_t kept_ = 0;
};

}  // namespace

MappedText TreatMarkup(const MappedText& text, std::string_view language,
                       const NormaliseOptions& options) {
    return Treatment(text, language, options).Run();
}

}  // namespace vf::text::norm

#include "text/pls_guard.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "base/utf8.hpp"

namespace vf::text {
namespace {

constexpr std::size_t kDeepest = 16;

bool IsSpaceByte(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool EndsName(char c) {
    return IsSpaceByte(c) || c == '>' || c == '/' || c == '=' || c == '<' || c == '"' || c == '\'';
}

// One pass over the markup. A parser that forgives (attributes twice, elements closed in the wrong
// order) would make something of a broken file that its author did not mean.
class Guardian {
public:
    explicit Guardian(std::string_view xml) : xml_(xml) {}

    Result<> Check() {
        if (xml_.starts_with("\xEF\xBB\xBF")) at_ = 3;
        while (at_ < xml_.size()) {
            Result<> step = xml_[at_] == '<' ? Markup() : xml_[at_] == '&' ? Entity() : Text();
            if (!step) return step;
        }
        if (!open_.empty())
            return Bad("The element <" + std::string(open_.back()) + "> is not closed.");
        if (!seen_root_) return Bad("There is no element; expected <lexicon>.");
        return {};
    }

private:
    Error Bad(const std::string& what) const { return Malformed(xml_, at_, what); }

    Result<> Text() {
        if (open_.empty() && !IsSpaceByte(xml_[at_])) {
            return Bad("Text stands outside of the outermost element.");
        }
        ++at_;
        return {};
    }

    Result<> Entity() {
        const std::size_t end = xml_.find(';', at_);
        const std::size_t length = end == std::string_view::npos ? 0 : end - at_ - 1;
        const std::string_view name =
            length > 0 && length < 12 ? xml_.substr(at_ + 1, length) : std::string_view();
        constexpr std::array<std::string_view, 5> kKnown{"amp", "lt", "gt", "quot", "apos"};
        bool known = std::find(kKnown.begin(), kKnown.end(), name) != kKnown.end();
        if (name.starts_with("#")) known = IsCharacter(name.substr(1));
        if (!known) {
            return Bad(
                "An & must start one of &amp; &lt; &gt; &quot; &apos; or a character by its "
                "number, as in &#233;.");
        }
        at_ = end + 1;
        return {};
    }

    static bool IsCharacter(std::string_view number) {
        const bool hex = number.starts_with("x");
        if (hex) number.remove_prefix(1);
        if (number.empty() || number.size() > 8) return false;
        std::uint64_t value = 0;
        for (const char c : number) {
            const int digit = c >= '0' && c <= '9'          ? c - '0'
                              : hex && c >= 'a' && c <= 'f' ? c - 'a' + 10
                              : hex && c >= 'A' && c <= 'F' ? c - 'A' + 10
                                                            : -1;
            if (digit < 0) return false;
            value = value * (hex ? 16 : 10) + static_cast<std::uint64_t>(digit);
        }
        const bool control = value < 0x20 && value != 9 && value != 10 && value != 13;
        const bool surrogate = value >= 0xD800 && value < 0xE000;
        return !control && !surrogate && value <= 0x10FFFF && value != 0xFFFE && value != 0xFFFF;
    }

    Result<> Skip(std::string_view start, std::string_view close, const char* what) {
        const std::size_t end = xml_.find(close, at_ + start.size());
        if (end == std::string_view::npos) return Bad(std::string(what) + " is not closed.");
        at_ = end + close.size();
        return {};
    }

    Result<> Markup() {
        const std::string_view rest = xml_.substr(at_);
        if (rest.starts_with("<!--")) return Skip("<!--", "-->", "This comment");
        if (rest.starts_with("<![CDATA[")) {
            if (open_.empty()) return Bad("CDATA stands outside of the outermost element.");
            return Skip("<![CDATA[", "]]>", "This CDATA section");
        }
        if (rest.starts_with("<?")) return Declaration();
        if (rest.starts_with("<!")) {
            return Bad(
                "Document types and entity declarations are not allowed; remove <!DOCTYPE>.");
        }
        return rest.starts_with("</") ? CloseTag() : OpenTag();
    }

    Result<> Declaration() {
        const std::size_t begin = at_;
        if (Result<> skipped = Skip("<?", "?>", "This processing instruction"); !skipped) {
            return skipped;
        }
        std::string head(xml_.substr(begin, at_ - begin));
        if (!head.starts_with("<?xml") || head.size() < 6 || !IsSpaceByte(head[5])) return {};
        std::transform(head.begin(), head.end(), head.begin(),
                       [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
        const std::size_t encoding = head.find("encoding");
        if (encoding == std::string::npos) return {};
        const std::size_t open = head.find_first_of("\"'", encoding);
        const std::string_view name = open == std::string::npos
                                          ? std::string_view()
                                          : std::string_view(head).substr(open + 1);
        if (name.starts_with("utf-8") || name.starts_with("us-ascii")) return {};
        at_ = begin;
        return Bad("The encoding must be UTF-8.");
    }

    std::string_view Name() {
        const std::size_t begin = at_;
        while (at_ < xml_.size() && !EndsName(xml_[at_])) ++at_;
        return xml_.substr(begin, at_ - begin);
    }

    void Spaces() {
        while (at_ < xml_.size() && IsSpaceByte(xml_[at_])) ++at_;
    }

    Result<> CloseTag() {
        const std::size_t begin = at_;
        at_ += 2;
        const std::string_view name = Name();
        Spaces();
        const bool closed = at_ < xml_.size() && xml_[at_] == '>';
        if (!closed || open_.empty() || open_.back() != name) {
            at_ = begin;
            const std::string expected =
                open_.empty() ? "no closing tag" : "</" + std::string(open_.back()) + ">";
            return Bad("</" + std::string(name.substr(0, 40)) + "> stands here; expected " +
                       expected + ".");
        }
        open_.pop_back();
        ++at_;
        return {};
    }

    Result<> OpenTag() {
        const std::size_t begin = at_;
        if (open_.empty() && seen_root_) return Bad("A second outermost element starts here.");
        ++at_;
        const std::string_view name = Name();
        if (name.empty()) return Bad("A < must start an element; write &lt; for the character.");
        std::vector<std::string_view> attributes;
        for (;;) {
            Spaces();
            if (at_ >= xml_.size()) break;
            if (xml_[at_] == '>') {
                ++at_;
                seen_root_ = true;
                open_.push_back(name);
                if (open_.size() <= kDeepest) return {};
                at_ = begin;
                return Bad("Elements nest deeper than 16.");
            }
            if (xml_[at_] == '/') {
                if (xml_.substr(at_, 2) != "/>") return Bad("Expected /> here.");
                at_ += 2;
                seen_root_ = true;
                return {};
            }
            if (Result<> attribute = Attribute(attributes); !attribute) return attribute;
        }
        at_ = begin;
        return Bad("This tag is not closed.");
    }

    Result<> Attribute(std::vector<std::string_view>& seen) {
        const std::size_t begin = at_;
        const std::string_view name = Name();
        if (name.empty()) return Bad("Expected the name of an attribute.");
        if (std::find(seen.begin(), seen.end(), name) != seen.end() || seen.size() >= 32) {
            at_ = begin;
            return Bad("The attribute " + std::string(name.substr(0, 40)) +
                       " stands here a second time, or there are more than 32.");
        }
        seen.push_back(name);
        Spaces();
        if (at_ >= xml_.size() || xml_[at_] != '=') return Bad("Expected = behind an attribute.");
        ++at_;
        Spaces();
        if (at_ >= xml_.size() || (xml_[at_] != '"' && xml_[at_] != '\'')) {
            return Bad("Expected the attribute's value in quotes.");
        }
        const char quote = xml_[at_];
        for (++at_; at_ < xml_.size() && xml_[at_] != quote;) {
            if (xml_[at_] == '<') return Bad("Write &lt; for a < in a value.");
            if (xml_[at_] == '&') {
                if (Result<> entity = Entity(); !entity) return entity;
            } else {
                ++at_;
            }
        }
        if (at_ >= xml_.size()) return Bad("This value has no closing quote.");
        ++at_;
        return {};
    }

    std::string_view xml_;
    std::size_t at_ = 0;
    std::vector<std::string_view> open_;
    bool seen_root_ = false;
};

}  // namespace

std::string PlaceIn(std::string_view xml, std::size_t at) {
    const std::string_view before = xml.substr(0, std::min(at, xml.size()));
    const auto line = 1 + std::count(before.begin(), before.end(), '\n');
    const std::size_t start = before.rfind('\n');
    const std::string_view column =
        start == std::string_view::npos ? before : before.substr(start + 1);
    // Bytes that continue a character do not count; the text may be broken UTF-8.
    const auto characters = std::count_if(column.begin(), column.end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
    });
    return "Line " + std::to_string(line) + ", column " + std::to_string(characters + 1) + ": ";
}

Error Malformed(std::string_view xml, std::size_t at, const std::string& what) {
    return Error(ErrorKind::kInvalid, "pls_malformed", PlaceIn(xml, at) + what);
}

Result<> GuardXml(std::string_view xml) {
    if (const auto invalid = Utf8FindInvalid(xml)) {
        return Malformed(xml, *invalid, "This is no valid UTF-8.");
    }
    for (std::size_t at = 0; at < xml.size(); ++at) {
        const auto byte = static_cast<unsigned char>(xml[at]);
        if (byte < 0x20 && !IsSpaceByte(xml[at])) {
            return Malformed(
                xml, at, "XML has no control character of number " + std::to_string(byte) + ".");
        }
    }
    return Guardian(xml).Check();
}

}  // namespace vf::text

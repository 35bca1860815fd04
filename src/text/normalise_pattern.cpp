#include "text/normalise_pattern.hpp"

#include <algorithm>
#include <stdexcept>

#include "base/utf8.hpp"

namespace vf::text::norm {
namespace {

using Sequence = std::vector<Element>;
using Sequences = std::vector<Sequence>;

constexpr std::size_t kMostVariants = 400;

[[noreturn]] void Fail(std::string_view source, const std::string& what) {
    throw std::runtime_error("pattern \"" + std::string(source) + "\": " + what);
}

int SlotOf(Slots& slots, const std::string& name, std::string_view source) {
    const auto found = std::find(slots.begin(), slots.end(), name);
    if (found != slots.end()) return static_cast<int>(found - slots.begin());
    if (slots.size() >= kMostSlots) Fail(source, "too many captures");
    slots.push_back(name);
    return static_cast<int>(slots.size()) - 1;
}

class MatchCompiler {
public:
    MatchCompiler(std::string_view source, const Rules& rules, Slots& slots)
        : source_(source), rest_(source), rules_(rules), slots_(slots) {}

    Sequences Compile() {
        Sequences all = Alternatives();
        if (!rest_.empty()) Fail(source_, "unexpected " + std::string(rest_));
        return all;
    }

private:
    // Up to ")" or the end.
    Sequences Alternatives() {
        Sequences all = Row();
        while (rest_.starts_with("|")) {
            rest_.remove_prefix(1);
            for (Sequence& one : Row()) all.push_back(std::move(one));
        }
        return all;
    }

    Sequences Row() {
        Sequences row{{}};
        while (!rest_.empty() && rest_.front() != '|' && rest_.front() != ')') {
            Sequences next = Item();
            Sequences product;
            for (const Sequence& head : row) {
                for (const Sequence& tail : next) {
                    product.push_back(head);
                    product.back().insert(product.back().end(), tail.begin(), tail.end());
                }
            }
            if (product.size() > kMostVariants) Fail(source_, "too many variants");
            row = std::move(product);
        }
        return row;
    }

    char32_t Next() {
        if (rest_.empty()) Fail(source_, "ends too early");
        const char32_t c = Utf8Decode(rest_);
        rest_.remove_prefix(Utf8SequenceLength(rest_));
        return c;
    }

    static Sequences One(Element element) { return {{std::move(element)}}; }

    static Element Of(Element::Kind kind) {
        Element element;
        element.kind = kind;
        return element;
    }

    Sequences Item() {
        const char32_t c = Next();
        switch (c) {
            case ' ': return One(Of(Element::Kind::kSpaces));
            case '_': return One(Of(Element::Kind::kMaySpaces));
            case '<': return One(Of(Element::Kind::kCoreBegins));
            case '>': return One(Of(Element::Kind::kCoreEnds));
            case '[': return One(Set());
            case '{': return One(Capture());
            case '(': {
                Sequences inner = Alternatives();
                if (!rest_.starts_with(")")) Fail(source_, "( is not closed");
                rest_.remove_prefix(1);
                if (rest_.starts_with("?")) {
                    rest_.remove_prefix(1);
                    inner.emplace_back();
                }
                return inner;
            }
            default: return One(Literal(c == '\\' ? Next() : c));
        }
    }

    Element Literal(char32_t first) {
        Element element = Of(Element::Kind::kLiteral);
        element.literal = first;
        constexpr std::string_view kSpecial = " _<>[]{}()|?\\";
        while (!rest_.empty()) {
            const bool escaped = rest_.front() == '\\';
            if (!escaped && kSpecial.find(rest_.front()) != std::string_view::npos) break;
            if (escaped) rest_.remove_prefix(1);
            element.literal += Next();
        }
        element.exact = std::any_of(element.literal.begin(), element.literal.end(),
                                    [](char32_t c) { return Fold(c) != c; });
        return element;
    }

    Element Set() {
        Element element = Of(Element::Kind::kSet);
        for (char32_t c = Next(); c != ']'; c = Next()) element.literal += c == '\\' ? Next() : c;
        return element;
    }

    static void Bounds(std::string_view text, std::int64_t& low, std::int64_t& high) {
        const std::size_t dash = text.find('-');
        low = std::stoll(std::string(text.substr(0, dash)));
        high = dash == std::string_view::npos ? low : std::stoll(std::string(text.substr(dash + 1)));
    }

    // {name:kind}, {kind}: the kind is its own name then.
    Element Capture() {
        const std::size_t end = rest_.find('}');
        if (end == std::string_view::npos) Fail(source_, "{ is not closed");
        const std::string_view inside = rest_.substr(0, end);
        rest_.remove_prefix(end + 1);
        const std::size_t colon = inside.find(':');
        const std::string name(inside.substr(0, colon));
        std::string_view kind = colon == std::string_view::npos ? inside : inside.substr(colon + 1);
        Element element;
        element.slot = SlotOf(slots_, name, source_);
        if (kind.starts_with("int")) {
            element.kind = Element::Kind::kInteger;
            kind.remove_prefix(3);
            const std::size_t open = kind.find('(');
            if (open != std::string_view::npos) {
                Bounds(kind.substr(open + 1, kind.size() - open - 2), element.low, element.high);
                kind = kind.substr(0, open);
            }
            if (!kind.empty()) {
                std::int64_t fewest = 1;
                std::int64_t most = 18;
                Bounds(kind, fewest, most);
                element.fewest = static_cast<int>(fewest);
                element.most = static_cast<int>(most);
            }
            return element;
        }
        constexpr std::pair<std::string_view, Element::Kind> kKinds[] = {
            {"num", Element::Kind::kNumber},      {"dec", Element::Kind::kDecimal},
            {"frac", Element::Kind::kFraction},   {"roman", Element::Kind::kRoman},
            {"roman1", Element::Kind::kRomanOne}, {"roman2", Element::Kind::kRomanMany},
            {"roman3", Element::Kind::kRomanSmall},
            {"letters", Element::Kind::kLetters},
            {"lower", Element::Kind::kLower},     {"capital", Element::Kind::kCapital},
            {"upper", Element::Kind::kUpper},     {"url", Element::Kind::kUrl},
            {"email", Element::Kind::kEmail},     {"phone", Element::Kind::kPhone},
        };
        for (const auto& [known, value] : kKinds) {
            if (kind != known) continue;
            element.kind = value;
            return element;
        }
        element.kind = Element::Kind::kTable;
        element.table = rules_.FindTable(kind);
        if (!element.table) Fail(source_, "no table " + std::string(kind));
        return element;
    }

    std::string_view source_;
    std::string_view rest_;
    const Rules& rules_;
    Slots& slots_;
};

class SayCompiler {
public:
    SayCompiler(std::string_view source, const Rules& rules, const Slots& slots)
        : source_(source), rest_(source), rules_(rules), slots_(slots) {}

    std::vector<SayPart> Compile(bool inside = false) {
        std::vector<SayPart> parts;
        while (!rest_.empty()) {
            const char c = rest_.front();
            if (c == ']' && inside) return parts;
            rest_.remove_prefix(1);
            if (c == '[') {
                SayPart section;
                section.kind = SayPart::Kind::kSection;
                section.inner = Compile(true);
                if (!rest_.starts_with("]")) Fail(source_, "[ is not closed");
                rest_.remove_prefix(1);
                parts.push_back(std::move(section));
            } else if (c == '{') {
                parts.push_back(Value());
            } else {
                if (parts.empty() || parts.back().kind != SayPart::Kind::kText) {
                    parts.emplace_back();
                }
                parts.back().text += c;
            }
        }
        return parts;
    }

private:
    int Find(std::string_view name) const {
        const auto found = std::find(slots_.begin(), slots_.end(), name);
        return found == slots_.end() ? -1 : static_cast<int>(found - slots_.begin());
    }

    // {.}, {slot}, {slot.field}, {slot:function}, {slot:function(argument,field)}
    SayPart Value() {
        const std::size_t end = rest_.find('}');
        if (end == std::string_view::npos) Fail(source_, "{ is not closed");
        std::string_view inside = rest_.substr(0, end);
        rest_.remove_prefix(end + 1);
        SayPart part;
        if (inside == ".") {
            part.kind = SayPart::Kind::kStop;
            return part;
        }
        part.kind = SayPart::Kind::kValue;
        const std::size_t name_end = inside.find_first_of(".:");
        part.slot = Find(inside.substr(0, name_end));
        if (part.slot < 0) Fail(source_, "no capture " + std::string(inside));
        if (name_end == std::string_view::npos) return part;
        const bool is_field = inside[name_end] == '.';
        inside.remove_prefix(name_end + 1);
        if (is_field) {
            part.field = std::stoi(std::string(inside));
            return part;
        }
        const std::size_t open = inside.find('(');
        part.text = inside.substr(0, open);
        if (open == std::string_view::npos) return part;
        std::string_view argument = inside.substr(open + 1, inside.size() - open - 2);
        if (const std::size_t comma = argument.find(','); comma != std::string_view::npos) {
            part.field = std::stoi(std::string(argument.substr(comma + 1)));
            argument = argument.substr(0, comma);
        }
        part.other = Find(argument);
        if (part.other < 0) part.table = rules_.FindTable(argument);
        if (part.other < 0 && !part.table) Fail(source_, "no capture " + std::string(argument));
        return part;
    }

    std::string_view source_;
    std::string_view rest_;
    const Rules& rules_;
    const Slots& slots_;
};

}  // namespace

std::vector<std::vector<Element>> CompileMatch(std::string_view source, const Rules& rules,
                                               Slots& slots) {
    return MatchCompiler(source, rules, slots).Compile();
}

std::vector<SayPart> CompileSay(std::string_view source, const Rules& rules, const Slots& slots) {
    return SayCompiler(source, rules, slots).Compile();
}

}  // namespace vf::text::norm

#include "text/ssml_xml.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/utf8.hpp"

namespace vf::text {
namespace {

constexpr std::string_view kSpaces = " \t\r\n";

bool IsXmlCharacter(char32_t c) {
    return c == '\t' || c == '\n' || c == '\r' || (c >= 0x20 && c <= 0xD7FF) ||
           (c >= 0xE000 && c <= 0xFFFD) ||
           (c >= 0x10000 && c <= 0x10FFFF && (c & 0xFFFE) != 0xFFFE);
}

struct CharacterRange {
    char32_t first, last;
};
constexpr CharacterRange kNameStart[] = {
    {':', ':'},       {'A', 'Z'},       {'_', '_'},       {'a', 'z'},
    {0xC0, 0xD6},     {0xD8, 0xF6},     {0xF8, 0x2FF},    {0x370, 0x37D},
    {0x37F, 0x1FFF},  {0x200C, 0x200D}, {0x2070, 0x218F}, {0x2C00, 0x2FEF},
    {0x3001, 0xD7FF}, {0xF900, 0xFDCF}, {0xFDF0, 0xFFFD}, {0x10000, 0xEFFFF}};
constexpr CharacterRange kNameMore[] = {{'-', '-'},   {'.', '.'},     {'0', '9'},
                                        {0xB7, 0xB7}, {0x300, 0x36F}, {0x203F, 0x2040}};

template <std::size_t N>
bool IsIn(const CharacterRange (&ranges)[N], char32_t c) {
    return std::ranges::any_of(
        ranges, [c](const CharacterRange& r) { return c >= r.first && c <= r.last; });
}

// A character as people can read it in a message.
std::string Shown(char32_t c) {
    if (c <= 0x20 || (c >= 0x7F && c < 0xA1) || !IsXmlCharacter(c)) {
        return fmt::format("the character U+{:04X}", static_cast<std::uint32_t>(c));
    }
    std::string text;
    Utf8Append(text, c);
    return fmt::format("\"{}\"", text);
}

std::string Found(std::string_view rest) {
    return rest.empty() ? std::string("the end of the document") : Shown(Utf8Decode(rest));
}

}  // namespace

const XmlAttribute* XmlEvent::Find(std::string_view attribute) const {
    const auto found = std::ranges::find(attributes, attribute, &XmlAttribute::name);
    return found == attributes.end() ? nullptr : &*found;
}

XmlReader::XmlReader(std::string_view source, XmlLimits limits)
    : source_(source), limits_(limits) {}

std::string XmlReader::Place(std::size_t at) const {
    const std::string_view before = source_.substr(0, std::min(at, source_.size()));
    const auto line = std::ranges::count(before, '\n') + 1;
    std::string_view last = before.substr(before.rfind('\n') + 1);
    if (line == 1 && last.starts_with(kByteOrderMark)) {
        last.remove_prefix(kByteOrderMark.size());
    }
    return fmt::format("line {}, column {}", line, Utf8Count(last) + 1);
}

Error XmlReader::ErrorAt(std::size_t at, std::string code, std::string_view message) const {
    return Error(ErrorKind::kInvalid, std::move(code),
                 fmt::format("SSML {}: {}", Place(at), message));
}

bool XmlReader::FailWith(std::size_t at, std::string code, std::string_view message) {
    error_ = ErrorAt(at, std::move(code), message);
    return false;
}

bool XmlReader::Fail(std::size_t at, std::string_view message) {
    return FailWith(at, "ssml_malformed", message);
}

bool XmlReader::SkipSpace() {
    const std::size_t before = at_;
    at_ = std::min(source_.find_first_not_of(kSpaces, at_), source_.size());
    return at_ > before;
}

bool XmlReader::CheckCharacters(std::size_t begin, std::size_t end) {
    for (std::size_t at = begin; at < end;) {
        const auto byte = static_cast<unsigned char>(source_[at]);
        if (byte >= 0x20 && byte < 0x80) {
            ++at;
            continue;
        }
        const std::string_view rest = source_.substr(at);
        const char32_t c = Utf8Decode(rest);
        if (!IsXmlCharacter(c)) {
            return Fail(at, fmt::format("{} is not allowed in XML; leave it out.", Shown(c)));
        }
        at += Utf8SequenceLength(rest);
    }
    return true;
}

bool XmlReader::ReadName(std::string_view& name, std::string_view what) {
    const std::size_t begin = at_;
    while (at_ < source_.size()) {
        const char32_t c = Utf8Decode(Rest());
        if (!IsIn(kNameStart, c) && (at_ == begin || !IsIn(kNameMore, c))) break;
        at_ += Utf8SequenceLength(Rest());
        if (at_ - begin > limits_.max_name_bytes) {
            return FailWith(
                begin, "ssml_too_complex",
                fmt::format("{} is longer than {} bytes.", what, limits_.max_name_bytes));
        }
    }
    if (at_ == begin) return Fail(at_, fmt::format("expected {}, found {}.", what, Found(Rest())));
    name = source_.substr(begin, at_ - begin);
    return true;
}

bool XmlReader::ReadReference(std::string& value) {
    const std::size_t begin = at_;
    // "&#x10FFFF;" is the longest that means anything; leading zeros are allowed some more.
    const std::string_view rest = Rest().substr(0, 24);
    const std::size_t end = rest.find(';');
    if (end == std::string_view::npos || end < 2) {
        return Fail(begin, "expected a reference like &amp; here; write &amp; for \"&\" itself.");
    }
    std::string_view name = rest.substr(1, end - 1);
    struct Entity {
        std::string_view name;
        char character;
    };
    static constexpr Entity kEntities[] = {
        {"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}};
    at_ += end + 1;
    if (name[0] != '#') {
        const auto* found = std::ranges::find(kEntities, name, &Entity::name);
        if (found == std::end(kEntities)) {
            return Fail(begin,
                        "unknown entity; expected &amp;, &lt;, &gt;, &quot;, &apos; or a "
                        "number like &#233;.");
        }
        value += found->character;
        return true;
    }
    name.remove_prefix(1);
    const int base = name.starts_with('x') ? 16 : 10;
    if (base == 16) name.remove_prefix(1);
    std::uint32_t number = 0;
    const auto [last, ec] = std::from_chars(name.data(), name.data() + name.size(), number, base);
    if (name.empty() || ec != std::errc() || last != name.data() + name.size()) {
        return Fail(begin, "expected a character's number like &#233; or &#xE9;.");
    }
    if (!IsXmlCharacter(number)) {
        return Fail(begin, "this reference names a character that is not allowed in XML.");
    }
    Utf8Append(value, number);
    return true;
}

bool XmlReader::ReadValue(std::string& value, std::string_view name) {
    const char quote = at_ < source_.size() ? source_[at_] : '\0';
    if (quote != '"' && quote != '\'') {
        return Fail(at_, fmt::format("expected a quote before the value of {}, found {}.", name,
                                     Found(Rest())));
    }
    const std::size_t begin = at_++;
    while (at_ < source_.size() && source_[at_] != quote) {
        const char c = source_[at_];
        if (c == '<') {
            return Fail(at_, fmt::format("\"<\" in the value of {}: is its closing quote missing? "
                                         "Write &lt; for \"<\" itself.",
                                         name));
        }
        if (value.size() > limits_.max_value_bytes) {
            return FailWith(begin, "ssml_too_complex",
                            fmt::format("the value of {} is longer than {} bytes.", name,
                                        limits_.max_value_bytes));
        }
        if (c == '&') {
            if (!ReadReference(value)) return false;
            continue;
        }
        const std::size_t length = Utf8SequenceLength(Rest());
        if (!CheckCharacters(at_, at_ + length)) return false;
        if (kSpaces.find(c) != std::string_view::npos) {
            value += ' ';
        } else {
            value += source_.substr(at_, length);
        }
        at_ += length;
    }
    if (at_ >= source_.size()) {
        return Fail(begin, fmt::format("expected a closing {} after the value of {}.",
                                       quote == '"' ? "\"" : "'", name));
    }
    ++at_;
    return true;
}

bool XmlReader::ReadAttribute(XmlEvent& event) {
    XmlAttribute attribute;
    attribute.at = at_;
    if (!ReadName(attribute.name, "an attribute's name, \">\" or \"/>\"")) return false;
    if (event.Find(attribute.name) != nullptr) {
        return Fail(attribute.at, fmt::format("the attribute {} stands twice in <{}>.",
                                              attribute.name, event.name));
    }
    if (event.attributes.size() >= limits_.max_attributes) {
        return FailWith(
            attribute.at, "ssml_too_complex",
            fmt::format("<{}> has more than {} attributes.", event.name, limits_.max_attributes));
    }
    SkipSpace();
    if (!Rest().starts_with('=')) {
        return Fail(at_, fmt::format("expected \"=\" after the attribute {}, found {}.",
                                     attribute.name, Found(Rest())));
    }
    ++at_;
    SkipSpace();
    if (!ReadValue(attribute.value, attribute.name)) return false;
    event.attributes.push_back(std::move(attribute));
    return true;
}

bool XmlReader::ReadStart(XmlEvent& event) {
    event.kind = XmlEvent::Kind::kStart;
    event.begin = at_++;
    if (!ReadName(event.name, "an element's name after \"<\" (write &lt; for \"<\" itself)")) {
        return false;
    }
    if (open_.empty() && has_root_) {
        return Fail(event.begin,
                    fmt::format("expected nothing after </speak>, found <{}>.", event.name));
    }
    if (open_.size() >= limits_.max_depth) {
        return FailWith(
            event.begin, "ssml_too_deep",
            fmt::format("more than {} elements inside of each other.", limits_.max_depth));
    }
    if (++elements_ > limits_.max_elements) {
        return FailWith(event.begin, "ssml_too_complex",
                        fmt::format("more than {} elements.", limits_.max_elements));
    }
    for (;;) {
        const bool has_space = SkipSpace();
        if (Rest().starts_with('>')) {
            ++at_;
            break;
        }
        if (Rest().starts_with("/>")) {
            at_ += 2;
            end_is_due_ = true;
            break;
        }
        if (Rest().empty() || Rest()[0] == '<') {
            return Fail(event.begin,
                        fmt::format("expected \">\" at the end of the tag <{}.", event.name));
        }
        if (!has_space) {
            return Fail(at_,
                        fmt::format("expected a space, \">\" or \"/>\" in the tag <{}, found {}.",
                                    event.name, Found(Rest())));
        }
        if (!ReadAttribute(event)) return false;
    }
    open_.push_back({event.name, event.begin});
    has_root_ = true;
    event.end = at_;
    return true;
}

bool XmlReader::ReadEnd(XmlEvent& event) {
    event.kind = XmlEvent::Kind::kEnd;
    event.begin = at_;
    at_ += 2;
    if (!ReadName(event.name, "an element's name after \"</\"")) return false;
    SkipSpace();
    if (!Rest().starts_with('>')) {
        return Fail(at_, fmt::format("expected \">\" at the end of </{}, found {}.", event.name,
                                     Found(Rest())));
    }
    ++at_;
    event.end = at_;
    if (open_.empty()) {
        return Fail(event.begin, fmt::format("</{}> ends nothing that has begun.", event.name));
    }
    if (open_.back().name != event.name) {
        return Fail(event.begin, fmt::format("expected </{}> for the <{}> at {}, found </{}>.",
                                             open_.back().name, open_.back().name,
                                             Place(open_.back().at), event.name));
    }
    open_.pop_back();
    return true;
}

bool XmlReader::ReadText(XmlEvent& event) {
    event.kind = XmlEvent::Kind::kText;
    event.begin = at_;
    if (source_[at_] == '&') {
        event.replacement.emplace();
        if (!ReadReference(*event.replacement)) return false;
    } else {
        at_ = std::min(source_.find_first_of("<&", at_), source_.size());
        const std::string_view text = source_.substr(event.begin, at_ - event.begin);
        const std::size_t mark = text.find("]]>");
        if (mark != std::string_view::npos) {
            return Fail(event.begin + mark, "\"]]>\" is not allowed in text; write ]]&gt;.");
        }
        if (!CheckCharacters(event.begin, at_)) return false;
    }
    event.end = at_;
    return true;
}

// Comments and processing instructions are no events.
bool XmlReader::ReadMarkup(XmlEvent& event, bool& has_event) {
    const std::string_view rest = Rest();
    has_event = false;
    if (rest.starts_with("<!--")) return SkipComment();
    if (rest.starts_with("<?")) return SkipInstruction();
    has_event = true;
    if (rest.starts_with("<![CDATA[")) return ReadCdata(event);
    if (rest.starts_with("<!")) {
        return Fail(at_, "a DTD (<!DOCTYPE, <!ENTITY …) is not accepted; leave it out.");
    }
    return rest.starts_with("</") ? ReadEnd(event) : ReadStart(event);
}

Result<XmlEvent> XmlReader::Next() {
    XmlEvent event;
    if (!has_begun_ && !ReadProlog()) return error_;
    if (end_is_due_) {
        end_is_due_ = false;
        event.kind = XmlEvent::Kind::kEnd;
        event.begin = event.end = at_;
        event.name = open_.back().name;
        open_.pop_back();
        return event;
    }
    for (;;) {
        if (open_.empty()) SkipSpace();
        if (at_ >= source_.size()) {
            if (!FinishDocument()) return error_;
            return event;
        }
        if (source_[at_] == '<') {
            bool has_event = false;
            if (!ReadMarkup(event, has_event)) return error_;
            if (has_event) return event;
            continue;
        }
        if (open_.empty()) {
            FailWith(at_, has_root_ ? "ssml_malformed" : "ssml_not_speak",
                     fmt::format("expected {}, found {}.",
                                 has_root_ ? "nothing after </speak>" : "<speak>", Found(Rest())));
            return error_;
        }
        if (!ReadText(event)) return error_;
        return event;
    }
}

}  // namespace vf::text

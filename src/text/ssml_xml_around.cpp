// What stands around elements and text: the declaration, comments, instructions, CDATA, the end.
#include <fmt/format.h>

#include <algorithm>

#include "text/ssml_xml.hpp"

namespace vf::text {
namespace {

constexpr std::string_view kSpaces = " \t\r\n";

}  // namespace

bool XmlReader::ReadDeclaration(std::string_view declaration) {
    const auto value_of = [&](std::string_view name) -> std::string_view {
        const std::size_t found = declaration.find(name);
        if (found == std::string_view::npos) return {};
        const std::size_t open = declaration.find_first_of("\"'", found);
        if (open == std::string_view::npos) return {};
        const std::size_t close = declaration.find(declaration[open], open + 1);
        return close == std::string_view::npos ? std::string_view()
                                               : declaration.substr(open + 1, close - open - 1);
    };
    const std::string_view version = value_of("version");
    if (version != "1.0" && version != "1.1") {
        return Fail(0, "the XML declaration needs version=\"1.0\".");
    }
    std::string encoding(value_of("encoding"));
    std::ranges::transform(encoding, encoding.begin(), [](char c) {
        return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    });
    if (!encoding.empty() && encoding != "UTF-8" && encoding != "UTF8" && encoding != "US-ASCII") {
        return Fail(0, "the XML declaration names another encoding than UTF-8; send UTF-8.");
    }
    return true;
}

bool XmlReader::ReadProlog() {
    has_begun_ = true;
    if (Rest().starts_with(kByteOrderMark)) at_ += kByteOrderMark.size();
    if (!Rest().starts_with("<?xml") || Rest().size() < 6 ||
        kSpaces.find(Rest()[5]) == std::string_view::npos) {
        return true;
    }
    const std::size_t end = source_.find("?>", at_);
    if (end == std::string_view::npos)
        return Fail(at_, "expected \"?>\" after the XML declaration.");
    if (!CheckCharacters(at_, end)) return false;
    const bool is_sound = ReadDeclaration(source_.substr(at_, end - at_));
    at_ = end + 2;
    return is_sound;
}

bool XmlReader::SkipComment() {
    const std::size_t end = source_.find("--", at_ + 4);
    if (end == std::string_view::npos) {
        return Fail(at_, "expected \"-->\" at the end of this comment.");
    }
    if (!source_.substr(end).starts_with("-->")) {
        return Fail(end, "\"--\" is not allowed inside of a comment.");
    }
    if (!CheckCharacters(at_ + 4, end)) return false;
    at_ = end + 3;
    return true;
}

bool XmlReader::SkipInstruction() {
    const std::size_t begin = at_;
    at_ += 2;
    std::string_view target;
    if (!ReadName(target, "a processing instruction's name")) return false;
    if (target == "xml" || target == "XML") {
        return Fail(begin, "an XML declaration may stand only at the very beginning.");
    }
    const std::size_t end = source_.find("?>", at_);
    if (end == std::string_view::npos) {
        return Fail(begin, "expected \"?>\" at the end of this processing instruction.");
    }
    if (!CheckCharacters(at_, end)) return false;
    at_ = end + 2;
    return true;
}

bool XmlReader::ReadCdata(XmlEvent& event) {
    const std::size_t begin = at_ + 9;  // behind <![CDATA[
    if (open_.empty()) return Fail(at_, "expected <speak>, found a CDATA section.");
    const std::size_t end = source_.find("]]>", begin);
    if (end == std::string_view::npos)
        return Fail(at_, "expected \"]]>\" after this CDATA section.");
    if (!CheckCharacters(begin, end)) return false;
    event.kind = XmlEvent::Kind::kText;
    event.begin = begin;
    event.end = end;
    at_ = end + 3;
    return true;
}

bool XmlReader::FinishDocument() {
    if (!open_.empty()) {
        return Fail(source_.size(),
                    fmt::format("expected </{}> for the <{}> at {}, found the end of the document.",
                                open_.back().name, open_.back().name, Place(open_.back().at)));
    }
    if (!has_root_) {
        return FailWith(at_, "ssml_not_speak", "expected <speak>, found the end of the document.");
    }
    return true;
}

}  // namespace vf::text

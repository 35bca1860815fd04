#pragma once
// A small XML 1.0 reader for SSML: pulls one start, end or text after another out of a document in
// memory, in linear time, and knows where each stands. No DTD, no entities but the five that XML
// has and character references, no namespaces (a name is what is written). Pure.

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace vf::text {

inline constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

struct XmlLimits {
    std::size_t max_depth = 32;
    std::size_t max_elements = 5'000;
    std::size_t max_attributes = 32;  // of one element
    std::size_t max_name_bytes = 128;
    std::size_t max_value_bytes = 4'096;  // of one attribute
};

struct XmlAttribute {
    std::string_view name;
    std::string value;   // references resolved, white space as XML wants it
    std::size_t at = 0;  // byte of the source where the name stands
};

struct XmlEvent {
    enum class Kind { kStart, kEnd, kText, kDone };
    Kind kind = Kind::kDone;
    std::size_t begin = 0;  // bytes of the source: the tag, or the stretch of text
    std::size_t end = 0;
    std::string_view name;                 // kStart, kEnd
    std::vector<XmlAttribute> attributes;  // kStart
    // kText: what a reference stands for; without it the text is the source's own bytes.
    std::optional<std::string> replacement;

    // nullptr when there is none.
    const XmlAttribute* Find(std::string_view attribute) const;
};

class XmlReader {
public:
    // `source` must be valid UTF-8 and outlive the reader.
    explicit XmlReader(std::string_view source, XmlLimits limits = {});

    // Every start is followed by its end, also that of <x/>. Errors: ssml_malformed, ssml_too_deep,
    // ssml_too_complex; after one the reader is useless.
    Result<XmlEvent> Next();

    // "line 3, column 7", both from 1, columns in characters. Linear in `at`.
    std::string Place(std::size_t at) const;
    // kInvalid, the message with the place in front.
    Error ErrorAt(std::size_t at, std::string code, std::string_view message) const;

private:
    struct Open {
        std::string_view name;
        std::size_t at;
    };

    bool Fail(std::size_t at, std::string_view message);
    bool FailWith(std::size_t at, std::string code, std::string_view message);
    // All of these return false after a failure.
    bool ReadProlog();
    bool ReadDeclaration(std::string_view declaration);
    bool ReadMarkup(XmlEvent& event, bool& has_event);
    bool ReadStart(XmlEvent& event);
    bool ReadAttribute(XmlEvent& event);
    bool ReadValue(std::string& value, std::string_view name);
    bool ReadEnd(XmlEvent& event);
    bool ReadText(XmlEvent& event);
    bool ReadReference(std::string& value);
    bool SkipComment();
    bool SkipInstruction();
    bool ReadCdata(XmlEvent& event);
    bool ReadName(std::string_view& name, std::string_view what);
    bool CheckCharacters(std::size_t begin, std::size_t end);
    bool FinishDocument();

    std::string_view Rest() const { return source_.substr(at_); }
    bool SkipSpace();

    std::string_view source_;
    XmlLimits limits_;
    std::size_t at_ = 0;
    std::size_t elements_ = 0;
    std::vector<Open> open_;
    bool has_begun_ = false;
    bool has_root_ = false;
    bool end_is_due_ = false;  // of <x/>
    Error error_;
};

}  // namespace vf::text

#include "text/ssml.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/utf8.hpp"
#include "text/ssml_builder.hpp"
#include "text/ssml_values.hpp"

namespace vf::text {
namespace {

constexpr std::size_t kMostWarnings = 50;
constexpr std::size_t kNearbyStyles = 64;  // searched for an equal one
constexpr std::size_t kShownBytes = 40;

// Spoken in the place of a phoneme element that has no text; its phonemes are what is heard.
constexpr std::string_view kNoText = "x";

}  // namespace

Result<Script> ReadSsml(std::string_view ssml, const SsmlOptions& options) {
    return SsmlBuilder(ssml, options).Build();
}

SsmlBuilder::SsmlBuilder(std::string_view source, const SsmlOptions& options)
    : options_(options),
      xml_(source, {.max_depth = options.max_depth, .max_elements = options.max_elements}),
      source_(MappedText::Of(source)) {}

Result<Script> SsmlBuilder::Build() {
    for (;;) {
        Result<XmlEvent> event = xml_.Next();
        if (!event) return std::move(event).error();
        switch (event->kind) {
            case XmlEvent::Kind::kStart:
                if (!OnStart(*event)) return error_;
                break;
            case XmlEvent::Kind::kEnd:
                if (!OnEnd(*event)) return error_;
                break;
            case XmlEvent::Kind::kText: OnText(*event); break;
            case XmlEvent::Kind::kDone: return std::move(script_);
        }
    }
}

bool SsmlBuilder::OnStart(const XmlEvent& event) {
    if (frames_.empty() && event.name != "speak") {
        return FailAt(event.begin, "ssml_not_speak",
                      fmt::format("expected <speak>, found <{}>.", event.name));
    }
    Frame frame;
    if (!frames_.empty()) {
        const Frame& parent = frames_.back();
        frame.style = parent.style;
        frame.say_as = parent.say_as;
        frame.content = parent.content;
    }
    frame.content_begin = event.end;
    // What is not spoken as it stands has no markup of its own.
    if (frame.content == Content::kSpoken) {
        if (const Element* element = FindElement(event.name)) {
            if (!(this->*element->start)(event, frame)) return false;
        } else {
            Warn(std::string(event.name), event, "was read as plain text", "unknown element ");
        }
    }
    frames_.push_back(std::move(frame));
    return true;
}

bool SsmlBuilder::OnEnd(const XmlEvent& event) {
    const Frame frame = std::move(frames_.back());
    frames_.pop_back();
    switch (frame.close) {
        case Close::kNothing: break;
        case Close::kSentence: AddBoundary(Piece::Kind::kSentence); break;
        case Close::kParagraph: AddBoundary(Piece::Kind::kParagraph); break;
        case Close::kSayAs: text_is_open_ = false; break;
        case Close::kSub:
            OpenText(frame).text.AppendReplaced(source_, frame.content_begin, event.begin,
                                                frame.instead);
            break;
        case Close::kPhoneme: {
            text_is_open_ = false;
            Piece& piece = OpenText(frame);
            piece.phonemes = frame.instead;
            if (Trim(pronounced_.text()).empty()) {
                piece.text.AppendReplaced(source_, frame.content_begin, event.begin, kNoText);
            } else {
                piece.text = std::move(pronounced_);
            }
            text_is_open_ = false;
            break;
        }
    }
    if (frames_.empty() && trailing_.count() > 0) return AddPause(event, trailing_);
    return true;
}

void SsmlBuilder::AddText(const XmlEvent& event, MappedText& text) {
    if (event.replacement) {
        text.AppendReplaced(source_, event.begin, event.end, *event.replacement);
    } else {
        text.Append(source_, event.begin, event.end);
    }
}

void SsmlBuilder::OnText(const XmlEvent& event) {
    const Frame& frame = frames_.back();
    if (frame.content == Content::kPronounced) AddText(event, pronounced_);
    if (frame.content != Content::kSpoken) return;
    const std::string_view written =
        std::string_view(source_.text()).substr(event.begin, event.end - event.begin);
    if (!event.replacement && Trim(written).empty()) {
        // Between elements it only keeps words apart.
        if (script_.pieces.empty()) return;
        Piece& last = script_.pieces.back();
        const bool is_text = last.kind == Piece::Kind::kText;
        if (!is_text && last.kind != Piece::Kind::kMark) return;
        if (is_text && last.phonemes.empty() && last.say_as == frame.say_as) {
            AddText(event, last.text);
            return;
        }
    }
    AddText(event, OpenText(frame).text);
}

Piece& SsmlBuilder::OpenText(const Frame& frame) {
    const std::uint32_t style = StyleIndex(frame.style);
    if (text_is_open_ && !script_.pieces.empty()) {
        Piece& last = script_.pieces.back();
        if (last.kind == Piece::Kind::kText && last.style == style && last.say_as == frame.say_as) {
            return last;
        }
    }
    Piece piece;
    piece.style = style;
    piece.say_as = frame.say_as;
    script_.pieces.push_back(std::move(piece));
    text_is_open_ = true;
    return script_.pieces.back();
}

std::uint32_t SsmlBuilder::StyleIndex(const Style& style) {
    std::vector<Style>& styles = script_.styles;
    const std::size_t first = styles.size() > kNearbyStyles ? styles.size() - kNearbyStyles : 0;
    for (std::size_t i = styles.size(); i-- > first;) {
        if (styles[i] == style) return static_cast<std::uint32_t>(i);
    }
    if (styles.front() == style) return 0;
    styles.push_back(style);
    return static_cast<std::uint32_t>(styles.size() - 1);
}

void SsmlBuilder::AddBoundary(Piece::Kind kind) {
    text_is_open_ = false;
    if (script_.pieces.empty()) return;
    Piece& last = script_.pieces.back();
    if (last.kind == Piece::Kind::kParagraph || last.kind == kind) return;
    if (last.kind == Piece::Kind::kSentence) {
        last.kind = kind;
        return;
    }
    Piece piece;
    piece.kind = kind;
    script_.pieces.push_back(std::move(piece));
}

bool SsmlBuilder::AddPause(const XmlEvent& event, std::chrono::milliseconds pause) {
    if (pause > options_.max_pause) {
        pause = options_.max_pause;
        Warn("pause", event, fmt::format("was cut to {} ms, the longest pause", pause.count()));
    }
    total_pause_ += pause;
    if (total_pause_ > options_.max_total_pause) {
        return FailAt(event.begin, "ssml_pause_too_long",
                      fmt::format("all pauses together are longer than {} ms.",
                                  options_.max_total_pause.count()));
    }
    text_is_open_ = false;
    Piece piece;
    piece.kind = Piece::Kind::kPause;
    piece.pause = pause;
    piece.at = event.begin;
    script_.pieces.push_back(std::move(piece));
    return true;
}

bool SsmlBuilder::Fail(Error error) {
    error_ = std::move(error);
    return false;
}

bool SsmlBuilder::FailAt(std::size_t at, std::string code, std::string_view message) {
    return Fail(xml_.ErrorAt(at, std::move(code), message));
}

bool SsmlBuilder::FailValue(const XmlEvent& event, const XmlAttribute& attribute,
                            std::string_view expected) {
    const std::size_t shown = Utf8Floor(attribute.value, kShownBytes);
    return FailAt(
        attribute.at, "ssml_invalid_value",
        fmt::format("{}=\"{}\" in <{}> is not understood; expected {}.", attribute.name,
                    std::string_view(attribute.value).substr(0, shown), event.name, expected));
}

void SsmlBuilder::Warn(std::string key, const XmlEvent& event, std::string_view message,
                       std::string_view kind) {
    if (script_.warnings.size() >= kMostWarnings || !warned_.insert(std::move(key)).second) return;
    script_.warnings.push_back(
        fmt::format("{}<{}> at {} {}", kind, event.name, xml_.Place(event.begin), message));
}

bool SsmlBuilder::Required(const XmlEvent& event, std::string_view attribute,
                           std::string_view& value) {
    const XmlAttribute* found = event.Find(attribute);
    value = found == nullptr ? std::string_view() : Trim(found->value);
    if (!value.empty()) return true;
    return FailAt(event.begin, "ssml_invalid_value",
                  fmt::format("<{}> needs the attribute {}.", event.name, attribute));
}

bool SsmlBuilder::ReadLanguage(const XmlEvent& event, std::string_view attribute,
                               std::string& language) {
    const XmlAttribute* found = event.Find(attribute);
    if (found == nullptr) return true;
    const std::string_view tag = Trim(found->value);
    if (!tag.empty() && !IsLanguageTag(tag)) {
        return FailValue(event, *found, "a language tag like en or pt-BR");
    }
    language = tag;
    return true;
}

}  // namespace vf::text

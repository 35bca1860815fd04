#pragma once
// Makes a Script of the elements of an SSML document, one after another.

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "text/script.hpp"
#include "text/ssml.hpp"
#include "text/ssml_xml.hpp"

namespace vf::text {

class SsmlBuilder {
public:
    // `source` and `options` must outlive the builder.
    SsmlBuilder(std::string_view source, const SsmlOptions& options);

    // Call once. Errors as ReadSsml's.
    Result<Script> Build();

private:
    // What becomes of the text inside of an element.
    enum class Content { kSpoken, kDropped, kReplaced, kPronounced };
    // What follows at its end.
    enum class Close { kNothing, kSentence, kParagraph, kSayAs, kSub, kPhoneme };

    struct Frame {
        Style style;
        SayAs say_as;
        Content content = Content::kSpoken;
        Close close = Close::kNothing;
        std::size_t content_begin = 0;
        std::string instead;  // kSub: the alias; kPhoneme: IPA
    };
    struct Element {
        std::string_view name;
        bool (SsmlBuilder::*start)(const XmlEvent& event, Frame& frame);
    };
    static const Element* FindElement(std::string_view name);

    bool OnStart(const XmlEvent& event);
    bool OnEnd(const XmlEvent& event);
    void OnText(const XmlEvent& event);

    // One for each element; false after an error.
    bool StartSpeak(const XmlEvent& event, Frame& frame);
    bool StartParagraph(const XmlEvent& event, Frame& frame);
    bool StartSentence(const XmlEvent& event, Frame& frame);
    bool StartBreak(const XmlEvent& event, Frame& frame);
    bool StartProsody(const XmlEvent& event, Frame& frame);
    bool StartEmphasis(const XmlEvent& event, Frame& frame);
    bool StartSayAs(const XmlEvent& event, Frame& frame);
    bool StartSub(const XmlEvent& event, Frame& frame);
    bool StartPhoneme(const XmlEvent& event, Frame& frame);
    bool StartVoice(const XmlEvent& event, Frame& frame);
    bool StartLang(const XmlEvent& event, Frame& frame);
    bool StartToken(const XmlEvent& event, Frame& frame);
    bool StartMark(const XmlEvent& event, Frame& frame);
    bool StartBookmark(const XmlEvent& event, Frame& frame);
    bool StartAudio(const XmlEvent& event, Frame& frame);
    bool StartLexicon(const XmlEvent& event, Frame& frame);
    bool StartLookup(const XmlEvent& event, Frame& frame);
    bool StartDropped(const XmlEvent& event, Frame& frame);
    bool StartSilence(const XmlEvent& event, Frame& frame);
    bool StartExpressAs(const XmlEvent& event, Frame& frame);
    bool StartGoogleStyle(const XmlEvent& event, Frame& frame);
    bool StartAmazonEffect(const XmlEvent& event, Frame& frame);
    bool StartAmazonDomain(const XmlEvent& event, Frame& frame);

    bool AddMark(const XmlEvent& event, std::string_view attribute);
    bool AddPause(const XmlEvent& event, std::chrono::milliseconds pause);
    void AddBoundary(Piece::Kind kind);
    Piece& OpenText(const Frame& frame);
    void AddText(const XmlEvent& event, MappedText& text);
    std::uint32_t StyleIndex(const Style& style);
    // The language of xml:lang into `language`, if there is one.
    bool ReadLanguage(const XmlEvent& event, std::string_view attribute, std::string& language);
    bool Required(const XmlEvent& event, std::string_view attribute, std::string_view& value);

    bool Fail(Error error);
    bool FailAt(std::size_t at, std::string code, std::string_view message);
    bool FailValue(const XmlEvent& event, const XmlAttribute& attribute, std::string_view expected);
    // Once for each `key`: "<kind><element> at line 1, column 8 <message>".
    void Warn(std::string key, const XmlEvent& event, std::string_view message,
              std::string_view kind = "");

    const SsmlOptions& options_;
    XmlReader xml_;
    MappedText source_;
    Script script_;
    std::vector<Frame> frames_;
    bool text_is_open_ = false;  // more text may go into the last piece
    MappedText pronounced_;      // of the phoneme element that is open
    std::vector<std::string> lexicon_ids_;
    std::chrono::milliseconds total_pause_{0};
    std::chrono::milliseconds trailing_{0};
    std::set<std::string> warned_;
    Error error_;
};

}  // namespace vf::text

// What each element of SSML does; docs/ssml.md has the table.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "text/phonemes.hpp"
#include "text/ssml_builder.hpp"
#include "text/ssml_values.hpp"

namespace vf::text {
namespace {

constexpr std::size_t kMaxMarkBytes = 256;
constexpr std::size_t kMaxNameBytes = 200;
constexpr std::size_t kMaxPhonemesBytes = 400;
constexpr std::size_t kMaxLexicons = 20;
constexpr int kMaxVariant = 1'000;
constexpr std::chrono::milliseconds kBareBreak{750};

constexpr std::string_view kInterpretAs[] = {
    "characters", "spell-out",    "verbatim", "cardinal", "number",    "ordinal",
    "digits",     "number_digit", "fraction", "unit",     "date",      "time",
    "telephone",  "currency",     "address",  "name",     "expletive", "bleep"};

}  // namespace

const SsmlBuilder::Element* SsmlBuilder::FindElement(std::string_view name) {
    using B = SsmlBuilder;
    static constexpr Element kElements[] = {
        {"speak", &B::StartSpeak},
        {"p", &B::StartParagraph},
        {"paragraph", &B::StartParagraph},
        {"s", &B::StartSentence},
        {"sentence", &B::StartSentence},
        {"break", &B::StartBreak},
        {"prosody", &B::StartProsody},
        {"emphasis", &B::StartEmphasis},
        {"say-as", &B::StartSayAs},
        {"sub", &B::StartSub},
        {"phoneme", &B::StartPhoneme},
        {"voice", &B::StartVoice},
        {"lang", &B::StartLang},
        {"token", &B::StartToken},
        {"w", &B::StartToken},
        {"mark", &B::StartMark},
        {"bookmark", &B::StartBookmark},
        {"audio", &B::StartAudio},
        {"desc", &B::StartDropped},
        {"meta", &B::StartDropped},
        {"metadata", &B::StartDropped},
        {"lexicon", &B::StartLexicon},
        {"lookup", &B::StartLookup},
        {"mstts:silence", &B::StartSilence},
        {"mstts:express-as", &B::StartExpressAs},
        {"google:style", &B::StartGoogleStyle},
        {"amazon:effect", &B::StartAmazonEffect},
        {"amazon:domain", &B::StartAmazonDomain},
    };
    const auto* found = std::ranges::find(kElements, name, &Element::name);
    return found == std::end(kElements) ? nullptr : found;
}

bool SsmlBuilder::StartSpeak(const XmlEvent& event, Frame& frame) {
    if (!frames_.empty()) {
        Warn("speak", event, "stands inside of another one and was read as plain text");
        return ReadLanguage(event, "xml:lang", frame.style.language);
    }
    if (const XmlAttribute* version = event.Find("version")) {
        const std::string_view value = Trim(version->value);
        if (value != "1.0" && value != "1.1") {
            Warn("version", event, "has an unknown version and was read as version 1.1");
        }
    }
    if (event.Find("startmark") != nullptr || event.Find("endmark") != nullptr) {
        Warn("startmark", event, "has startmark or endmark: all of it was spoken nevertheless");
    }
    return ReadLanguage(event, "xml:lang", script_.language);
}

bool SsmlBuilder::StartParagraph(const XmlEvent& event, Frame& frame) {
    AddBoundary(Piece::Kind::kParagraph);
    frame.close = Close::kParagraph;
    return ReadLanguage(event, "xml:lang", frame.style.language);
}

bool SsmlBuilder::StartSentence(const XmlEvent& event, Frame& frame) {
    AddBoundary(Piece::Kind::kSentence);
    frame.close = Close::kSentence;
    return ReadLanguage(event, "xml:lang", frame.style.language);
}

bool SsmlBuilder::StartBreak(const XmlEvent& event, Frame& /*frame*/) {
    std::chrono::milliseconds pause = kBareBreak;
    if (const XmlAttribute* strength = event.Find("strength")) {
        const auto read = ReadStrength(strength->value);
        if (!read) {
            return FailValue(event, *strength, "none, x-weak, weak, medium, strong or x-strong");
        }
        pause = *read;
    }
    if (const XmlAttribute* time = event.Find("time")) {
        const auto read = ReadTime(time->value);
        if (!read) return FailValue(event, *time, "a time like 500ms or 1.5s");
        pause = *read;
    }
    return AddPause(event, pause);
}

bool SsmlBuilder::StartProsody(const XmlEvent& event, Frame& frame) {
    struct Member {
        std::string_view name;
        bool (*apply)(std::string_view, Style&);
        std::string_view expected;
    };
    static constexpr Member kMembers[] = {
        {"rate", ApplyRate,
         "a factor like 1.2, a percentage like 80% or +20%, or x-slow, slow, medium, fast, x-fast, "
         "default"},
        {"pitch", ApplyPitch,
         "a change like +2st, -10% or +20Hz, or x-low, low, medium, high, x-high, default"},
        {"range", ApplyRange,
         "a percentage like 50% or +50%, or x-low, low, medium, high, x-high, default"},
        {"volume", ApplyVolume,
         "decibels like -6dB, a number from 0 to 100, or silent, x-soft, soft, medium, loud, "
         "x-loud, default"}};
    for (const Member& member : kMembers) {
        const XmlAttribute* attribute = event.Find(member.name);
        if (attribute == nullptr) continue;
        if (!member.apply(attribute->value, frame.style)) {
            return FailValue(event, *attribute, member.expected);
        }
    }
    if (event.Find("contour") != nullptr) {
        Warn("contour", event, "has a contour, which no voice here follows; use pitch and range");
    }
    if (event.Find("duration") != nullptr) {
        Warn("duration", event, "has a duration, which is not kept; use rate");
    }
    return true;
}

bool SsmlBuilder::StartEmphasis(const XmlEvent& event, Frame& frame) {
    const XmlAttribute* level = event.Find("level");
    if (ApplyEmphasis(level == nullptr ? "moderate" : level->value, frame.style)) return true;
    return FailValue(event, *level, "strong, moderate, none or reduced");
}

bool SsmlBuilder::StartSayAs(const XmlEvent& event, Frame& frame) {
    std::string_view what;
    if (!Required(event, "interpret-as", what)) return false;
    frame.close = Close::kSayAs;
    text_is_open_ = false;
    frame.say_as = {};
    if (std::ranges::find(kInterpretAs, what) == std::end(kInterpretAs)) {
        Warn("say-as", event, "has an unknown interpret-as and was read as plain text");
        return true;
    }
    const auto read = [&](std::string_view name) {
        const XmlAttribute* found = event.Find(name);
        const std::string_view value = found == nullptr ? "" : Trim(found->value);
        return std::string(value.size() > kMaxNameBytes ? std::string_view() : value);
    };
    frame.say_as = {std::string(what == "bleep" ? "expletive" : what), read("format"),
                    read("detail")};
    return true;
}

bool SsmlBuilder::StartSub(const XmlEvent& event, Frame& frame) {
    std::string_view alias;
    if (!Required(event, "alias", alias)) return false;
    frame.content = Content::kReplaced;
    frame.close = Close::kSub;
    frame.instead = alias;
    return true;
}

bool SsmlBuilder::StartPhoneme(const XmlEvent& event, Frame& frame) {
    PhonemeAlphabet alphabet = PhonemeAlphabet::kIpa;
    if (const XmlAttribute* named = event.Find("alphabet")) {
        const auto found = FindPhonemeAlphabet(Trim(named->value));
        // The engines' own alphabets are nobody's to write.
        if (!found || *found == PhonemeAlphabet::kFlite || *found == PhonemeAlphabet::kEspeak) {
            return FailValue(event, *named, "ipa, x-sampa or cmu-arpabet");
        }
        alphabet = *found;
    }
    std::string_view phonemes;
    if (!Required(event, "ph", phonemes)) return false;
    const std::size_t at = event.Find("ph")->at;
    if (phonemes.size() > kMaxPhonemesBytes) {
        return FailAt(at, "ssml_invalid_value",
                      fmt::format("ph is longer than {} bytes.", kMaxPhonemesBytes));
    }
    Result<std::string> ipa = ToIpa(alphabet, phonemes);
    if (!ipa) return FailAt(at, "ssml_invalid_value", ipa.error().message());
    frame.content = Content::kPronounced;
    frame.close = Close::kPhoneme;
    frame.instead = std::move(*ipa);
    pronounced_ = {};
    return true;
}

bool SsmlBuilder::StartVoice(const XmlEvent& event, Frame& frame) {
    Style& style = frame.style;
    const XmlAttribute* name = event.Find("name");
    const XmlAttribute* gender = event.Find("gender");
    const XmlAttribute* variant = event.Find("variant");
    if (name != nullptr) {
        style.voice = Trim(name->value).substr(0, kMaxNameBytes + 1);
        if (style.voice.size() > kMaxNameBytes) return FailValue(event, *name, "a voice's name");
        style.gender.clear();
        style.variant = 0;
    }
    // Wishes are for another voice than the one around.
    if (name == nullptr && (gender != nullptr || variant != nullptr)) style.voice.clear();
    if (gender != nullptr) {
        style.gender = Trim(gender->value);
        const bool is_known = style.gender.empty() || style.gender == "male" ||
                              style.gender == "female" || style.gender == "neutral";
        if (!is_known) return FailValue(event, *gender, "male, female or neutral");
    }
    if (variant != nullptr) {
        const std::string_view text = Trim(variant->value);
        int number = 0;
        const auto [last, ec] = std::from_chars(text.data(), text.data() + text.size(), number);
        if (ec != std::errc() || last != text.data() + text.size() || number < 1 ||
            number > kMaxVariant) {
            return FailValue(event, *variant, "a number from 1");
        }
        style.variant = number;
    }
    if (event.Find("age") != nullptr) Warn("age", event, "has an age, which voices here lack");
    if (const XmlAttribute* languages = event.Find("languages")) {
        // "en:gb fr": a list, each perhaps with an accent; the first one counts.
        const std::string_view all = Trim(languages->value);
        const std::string_view tag = all.substr(0, all.find_first_of(" :"));
        if (!tag.empty() && !IsLanguageTag(tag)) {
            return FailValue(event, *languages, "language tags like en or pt-BR");
        }
        style.language = tag;
        if (name == nullptr) style.voice.clear();
    }
    return ReadLanguage(event, "xml:lang", style.language);
}

bool SsmlBuilder::StartLang(const XmlEvent& event, Frame& frame) {
    std::string_view language;
    return Required(event, "xml:lang", language) &&
           ReadLanguage(event, "xml:lang", frame.style.language);
}

bool SsmlBuilder::StartToken(const XmlEvent& event, Frame& frame) {
    return ReadLanguage(event, "xml:lang", frame.style.language);
}

bool SsmlBuilder::AddMark(const XmlEvent& event, std::string_view attribute) {
    std::string_view name;
    if (!Required(event, attribute, name)) return false;
    if (name.size() > kMaxMarkBytes) {
        return FailAt(event.begin, "ssml_invalid_value",
                      fmt::format("a mark's name has at most {} bytes.", kMaxMarkBytes));
    }
    text_is_open_ = false;
    Piece piece;
    piece.kind = Piece::Kind::kMark;
    piece.name = name;
    piece.at = event.begin;
    script_.pieces.push_back(std::move(piece));
    return true;
}

bool SsmlBuilder::StartMark(const XmlEvent& event, Frame& /*frame*/) {
    return AddMark(event, "name");
}

bool SsmlBuilder::StartBookmark(const XmlEvent& event, Frame& /*frame*/) {
    return AddMark(event, "mark");
}

bool SsmlBuilder::StartAudio(const XmlEvent& event, Frame& /*frame*/) {
    Warn("audio", event, "is not fetched; the text inside of it was spoken");
    return true;
}

bool SsmlBuilder::StartDropped(const XmlEvent& /*event*/, Frame& frame) {
    frame.content = Content::kDropped;
    return true;
}

bool SsmlBuilder::StartLexicon(const XmlEvent& event, Frame& frame) {
    frame.content = Content::kDropped;
    std::string_view uri;
    if (!Required(event, "uri", uri)) return false;
    if (const XmlAttribute* id = event.Find("xml:id")) lexicon_ids_.emplace_back(Trim(id->value));
    if (uri.find("://") != std::string_view::npos) {
        Warn("lexicon", event,
             "is not fetched from its address; name one of your dictionaries in uri");
        return true;
    }
    if (uri.size() > kMaxNameBytes) {
        return FailValue(event, *event.Find("uri"), "the name of one of your dictionaries");
    }
    std::vector<std::string>& lexicons = script_.lexicons;
    if (std::ranges::find(lexicons, uri) != lexicons.end()) return true;
    if (lexicons.size() >= kMaxLexicons) {
        return FailAt(event.begin, "ssml_too_complex",
                      fmt::format("more than {} dictionaries.", kMaxLexicons));
    }
    lexicons.emplace_back(uri);
    return true;
}

bool SsmlBuilder::StartLookup(const XmlEvent& event, Frame& /*frame*/) {
    std::string_view ref;
    if (!Required(event, "ref", ref)) return false;
    if (std::ranges::find(lexicon_ids_, ref) != lexicon_ids_.end()) return true;
    return FailValue(event, *event.Find("ref"), "the xml:id of a <lexicon> before");
}

bool SsmlBuilder::StartSilence(const XmlEvent& event, Frame& /*frame*/) {
    std::string_view type, value;
    if (!Required(event, "type", type) || !Required(event, "value", value)) return false;
    const auto pause = ReadTime(value);
    if (!pause) return FailValue(event, *event.Find("value"), "a time like 500ms or 1.5s");
    if (type.starts_with("Leading")) return AddPause(event, *pause);
    if (type.starts_with("Tailing")) {
        trailing_ = *pause;
        return true;
    }
    Warn("silence", event, "has a type that is not kept; use <break>");
    return true;
}

bool SsmlBuilder::StartExpressAs(const XmlEvent& event, Frame& frame) {
    std::string_view style;
    if (!Required(event, "style", style)) return false;
    if (style.size() > kMaxNameBytes) {
        return FailValue(event, *event.Find("style"), "a style's name");
    }
    if (event.Find("styledegree") != nullptr || event.Find("role") != nullptr) {
        Warn("styledegree", event, "has a degree or a role, which voices here lack");
    }
    frame.style.manner = style;
    return true;
}

bool SsmlBuilder::StartGoogleStyle(const XmlEvent& event, Frame& frame) {
    std::string_view name;
    if (!Required(event, "name", name)) return false;
    if (name.size() > kMaxNameBytes) {
        return FailValue(event, *event.Find("name"), "a style's name");
    }
    frame.style.manner = name;
    return true;
}

bool SsmlBuilder::StartAmazonEffect(const XmlEvent& event, Frame& frame) {
    const XmlAttribute* name = event.Find("name");
    if (name != nullptr && Trim(name->value) == "whispered") {
        frame.style.manner = "whispering";
    } else {
        Warn("amazon:effect", event, "asks for an effect that voices here lack");
    }
    return true;
}

bool SsmlBuilder::StartAmazonDomain(const XmlEvent& event, Frame& /*frame*/) {
    Warn("amazon:domain", event, "asks for a domain that voices here lack");
    return true;
}

}  // namespace vf::text

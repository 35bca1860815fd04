#pragma once
// Scripts as one line of text, for tests.

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <vector>

#include "text/ssml.hpp"

namespace vf::text {

inline std::string RenderStyle(const Style& style) {
    std::string out;
    const auto add = [&](std::string_view name, const std::string& value) {
        out += (out.empty() ? "" : " ") + std::string(name) + "=" + value;
    };
    if (!style.voice.empty()) add("voice", style.voice);
    if (!style.gender.empty()) add("gender", style.gender);
    if (!style.language.empty()) add("lang", style.language);
    if (style.variant != 0) add("variant", std::to_string(style.variant));
    if (style.speed != 1) add("speed", fmt::format("{:.4g}", style.speed));
    if (style.pitch != 0) add("pitch", fmt::format("{:.4g}", style.pitch));
    if (style.pitch_range != 1) add("range", fmt::format("{:.4g}", style.pitch_range));
    if (style.volume != 0) add("volume", fmt::format("{:.4g}", style.volume));
    if (!style.manner.empty()) add("manner", style.manner);
    return out;
}

// "text" [style] {phonemes} (say-as) <pause> #mark / sentence // paragraph
inline std::string Render(const Script& script) {
    std::string out;
    for (const Piece& piece : script.pieces) {
        if (!out.empty()) out += ' ';
        switch (piece.kind) {
            case Piece::Kind::kText: {
                out += '"' + piece.text.text() + '"';
                const std::string style = RenderStyle(script.styles.at(piece.style));
                if (!style.empty()) out += "[" + style + "]";
                if (!piece.phonemes.empty()) out += "{" + piece.phonemes + "}";
                const SayAs& as = piece.say_as;
                if (!as.interpret_as.empty()) {
                    out += "(" + as.interpret_as + (as.format.empty() ? "" : " " + as.format) +
                           (as.detail.empty() ? "" : " " + as.detail) + ")";
                }
                break;
            }
            case Piece::Kind::kPause: out += fmt::format("<{}>", piece.pause.count()); break;
            case Piece::Kind::kMark: out += "#" + piece.name; break;
            case Piece::Kind::kSentence: out += "/"; break;
            case Piece::Kind::kParagraph: out += "//"; break;
        }
    }
    return out;
}

inline std::string Read(std::string_view ssml) {
    const Result<Script> script = ReadSsml(ssml);
    return script ? Render(*script) : script.error().code() + ": " + script.error().message();
}

// The content of a <speak>.
inline std::string Inside(std::string_view content) {
    return Read("<speak>" + std::string(content) + "</speak>");
}

inline std::vector<std::string> WarningsOf(std::string_view content) {
    const Result<Script> script = ReadSsml("<speak>" + std::string(content) + "</speak>");
    return script ? script->warnings : std::vector<std::string>{script.error().message()};
}

}  // namespace vf::text

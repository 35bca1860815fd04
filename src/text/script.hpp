#pragma once
// What is to be spoken, after markup and before normalising and splitting: stretches of text, each
// with its style, and the pauses and marks between them. Plain text is a script of one piece; SSML
// (ssml.hpp) makes many. Plain data.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "text/mapped_text.hpp"

namespace vf::text {

// How a stretch is spoken, on top of the request's own settings: factors multiply, semitones and
// decibels add. Nested markup has been composed already.
struct Style {
    std::string voice;       // a voice's id or name as written; empty: by the wishes below, or the
                             // request's voice when there are none
    std::string gender;      // "male", "female", "neutral" or empty
    std::string language;    // BCP 47; empty: the voice's own
    int variant = 0;         // the n-th voice that fits, from 1; 0: no wish
    double speed = 1;        // factor
    double pitch = 0;        // semitones
    double pitch_range = 1;  // factor of the excursions of F0 around its mean
    double volume = 0;       // dB; at or below kSilence: spoken without being heard
    std::string manner;      // "cheerful", "whispering", …; empty: the voice's own

    bool operator==(const Style&) const = default;
};
inline constexpr double kSilence = -96;

// SSML's say-as: what the characters stand for.
struct SayAs {
    std::string interpret_as;  // "cardinal", "date", …; empty: none
    std::string format;        // "dmy", …
    std::string detail;

    bool operator==(const SayAs&) const = default;
};

struct Piece {
    enum class Kind : std::uint8_t {
        kText,
        kPause,      // exactly so long, in place of what would stand there; 0: no pause at all
        kMark,       // its time is reported
        kSentence,   // a sentence ends here, whatever the text looks like
        kParagraph,  // … and a paragraph
    };
    Kind kind = Kind::kText;
    std::uint32_t style = 0;  // index into Script::styles; of kText
    MappedText text;          // kText
    SayAs say_as;             // kText
    std::string phonemes;     // kText: how all of `text` is pronounced, in IPA; empty: as usual
    std::chrono::milliseconds pause{0};  // kPause
    std::string name;                    // kMark
    std::size_t at = 0;                  // kPause, kMark: byte of the original text
};

struct Script {
    std::vector<Style> styles{Style{}};  // the first one is the request's own
    std::vector<Piece> pieces;
    std::string language;               // of the whole, from the markup; empty: none said
    std::vector<std::string> lexicons;  // names of dictionaries that the markup asks for, in order
    std::vector<std::string> warnings;  // what was not understood and spoken through, for people
};

// `original`, valid UTF-8, as one piece; nothing in it is markup.
Script PlainScript(std::string_view original);

}  // namespace vf::text

#pragma once
// Cuts a text into the segments that engines get: sentences, cleaned and guarded.
//
// What a segment's text never contains, because engines stumble over it or read it as markup:
// control characters, zero-width and bidirectional controls, private-use and unassigned characters,
// emoji, and the characters < > &, which become spaces: text that looks like SSML is plain text
// here, its words are spoken and nothing is interpreted. Apart from that and from NFC the words
// stay as written.
//
// Pure functions; may be called from any thread.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/settings.hpp"
#include "text/mapped_text.hpp"

namespace vf::text {

// What stands before a segment.
enum class Pause {
    kNone,       // the first one
    kClause,     // a sentence too long for one segment goes on
    kSentence,   // also before a line of a list
    kParagraph,  // a blank line
};

struct SplitOptions {
    // Longest segment in characters. A digit or a symbol is spoken as a word and counts as four.
    std::int64_t max_chars = 400;
    // A longer run of digits is spoken digit by digit (spaces between them).
    std::int64_t max_digits_per_token = 40;
    // A longer word is cut by spaces. Scripts written without spaces are not concerned.
    std::int64_t max_token_chars = 60;
    std::string language;  // BCP 47 tag for abbreviations; empty: English
    // For engines that know ASCII only: other scripts but Chinese are transliterated (ICU
    // Any-Latin, Latin-ASCII), typographic quotes and dashes become plain ones, the rest becomes
    // space.
    bool ascii = false;
};

// The three bounds, in section "text".
void DeclareSettings(SettingsSchema& schema, SplitOptions& options);

// A stretch of a segment's text that is pronounced as told.
struct PhonemeSpan {
    std::size_t begin = 0;  // bytes of the segment's text
    std::size_t end = 0;
    std::string ipa;

    bool operator==(const PhonemeSpan&) const = default;
};

struct SegmentMark {
    std::string name;
    std::size_t at = 0;        // byte of the segment's text; its size: at the end
    std::size_t original = 0;  // byte of the original text
};

struct Segment {
    std::string text;       // what the engine gets; never empty, always has something speakable
    std::size_t begin = 0;  // bytes of the original text, on character borders
    std::size_t end = 0;
    Pause before = Pause::kNone;
    MappedText mapped;  // `text` with its origins
    // From markup and dictionaries (compose.hpp).
    std::uint32_t style = 0;                         // index into the script's styles
    std::optional<std::chrono::milliseconds> pause;  // exactly so long, in place of `before`
    std::vector<PhonemeSpan> phonemes;               // ascending, not overlapping
    std::vector<SegmentMark> marks;                  // in order
    // The part of `text` that is to be heard, in bytes; the rest is what stands around it, spoken
    // for the sake of its melody and left out of the audio. No value: all of it.
    std::optional<TextRange> heard;

    // Where [text_begin, text_end) of `text` stands in the original, in bytes.
    TextRange Original(std::size_t text_begin, std::size_t text_end) const {
        return mapped.Original(text_begin, text_end);
    }
};

// `text` must be valid UTF-8 of less than 4 GiB. Segments come in order and do not overlap. No
// segments: nothing in it can be spoken (no letter and no number).
std::vector<Segment> Split(std::string_view text, const SplitOptions& options);

// Loads ICU's rules for the calling thread. Without it the first Split of a thread takes some 20 ms
// longer where ASCII is asked for.
void WarmUp();

}  // namespace vf::text

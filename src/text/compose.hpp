#pragma once
// From a script to the segments that engines get: dictionaries, normalising, sentences, cuts where
// the voice changes, exact pauses and marks. Pure; any thread.

#include <chrono>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "text/lexicon.hpp"
#include "text/normalise.hpp"
#include "text/script.hpp"
#include "text/split.hpp"

namespace vf::text {

// What is known about a style of the script once its voice is chosen.
struct StyleTraits {
    std::string language;     // BCP 47, what is spoken
    bool ascii = false;       // its engine knows ASCII only
    std::uint32_t group = 0;  // styles of one group can be spoken in one breath
};

struct ComposeOptions {
    SplitOptions split;  // its language and ascii are those of the styles
    NormaliseOptions normalise;
    std::span<const std::shared_ptr<const Lexicon>> lexicons;
    std::vector<StyleTraits> styles;  // one for each of the script
    std::string_view original;        // what the script was made from
    bool lines_matter = true;         // false (markup): line ends are white space
};

// One code point and what combines with it.
struct TextCharacter {
    std::size_t begin = 0;  // bytes of the original text
    std::size_t end = 0;
    std::string text;  // as it is meant: "&" where markup has "&amp;"
};

struct Composition {
    std::vector<Segment> segments;          // as Split's; empty: nothing in it can be spoken
    std::chrono::milliseconds lead{0};      // silence before the first segment
    std::chrono::milliseconds tail{0};      // … and after the last
    std::vector<SegmentMark> tail_marks;    // after `tail`
    std::vector<TextCharacter> characters;  // of the whole text, without markup
};

Composition Compose(const Script& script, const ComposeOptions& options);

}  // namespace vf::text

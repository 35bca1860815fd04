#pragma once
// The sounds of phonemes.hpp, one row each, and the marks on them.

#include <span>
#include <string_view>

namespace vf::text {

struct Sound {
    std::string_view ipa;
    std::string_view xsampa;
    std::string_view espeak;  // "|" between two mnemonics
    // Phones of flite's US set, without stress; also CMU's, in capitals and with AH for "ax". Where
    // English lacks the sound, the nearest; empty: nothing stands for it.
    std::string_view flite;
    int viseme;  // Azure's id
};

// Of equal espeak or flite names the first row is the one that they stand for.
std::span<const Sound> Sounds();

// What follows a sound and changes it. `espeak` and flite know only length, nasality and syllables
// without a vowel.
struct Mark {
    std::string_view ipa;
    std::string_view xsampa;
};
std::span<const Mark> Marks();

// Other ways of writing IPA, and what they mean.
struct Spelling {
    std::string_view written;
    std::string_view ipa;
};
std::span<const Spelling> Spellings();

// A vowel, also two that glide into each other.
bool IsVowel(const Sound& sound);

}  // namespace vf::text

#pragma once
// How English words are said: the model's own dictionary, and for what it lacks the letter-to-sound
// rules of flite's lexicon.

#include <string>
#include <string_view>
#include <vector>

#include <pocketsphinx.h>

#include "flite/flite_c.hpp"

namespace vf::worker {

using Phones = std::vector<std::string>;  // of the CMU set, without stress: "HH", "AH", …

class Lexicon {
public:
    // `decoder` has the dictionary and outlives this.
    explicit Lexicon(ps_decoder_t* decoder);

    // Every way in which the word is said, the usual one first; none for what is no word. `word`
    // has ASCII letters and apostrophes.
    std::vector<Phones> Find(std::string_view word) const;

private:
    ps_decoder_t* decoder_;
    cst_lexicon* rules_;
};

}  // namespace vf::worker

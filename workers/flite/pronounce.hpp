#pragma once
// Words that are spoken by given phones instead of flite's lexicon, for one utterance. Nothing is
// written to a voice or its lexicon.
//
// flite cuts a copy of the text into tokens in which each such stretch is one token, which then
// gets its own name back and the feature "phones", which flite reads in place of the lexicon.

#include <string>
#include <vector>

#include "base/result.hpp"
#include "engines/protocol.hpp"

struct cst_utterance_struct;

namespace vf::worker {

// Where a pronounced token lies in the request's text, as features of the token.
inline constexpr const char* kTokenBegin = "vf_begin";
inline constexpr const char* kTokenEnd = "vf_end";

class PronouncedText {
public:
    // Error: kInvalid invalid_pronunciation when there is something that is no phone of flite's US
    // set, stress (0 or 1) on a consonant, or more phones than four minutes hold.
    static Result<PronouncedText> Make(const engines::Request& request);

    // What the utterance gets as its text.
    const std::string& text() const { return text_; }
    // Makes the utterance find the stretches; `this` must outlive its synthesis. One at a time in
    // a process.
    void Use(cst_utterance_struct* utterance) const;

private:
    struct Stretch {
        std::uint32_t begin, end;
        std::string name, phones;
    };
    static cst_utterance_struct* Tokenize(cst_utterance_struct* utterance);

    std::string text_;
    std::vector<Stretch> stretches_;
};

}  // namespace vf::worker

#pragma once
// Who speaks when nobody was asked for, or when who was asked for cannot. The classes, in order:
// neural voices of ours, the team's vendors (Voice::fallback, the lowest first), built-in ones.
// Without a vendor that may speak for others nothing of this happens.

#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "engines/team_voices.hpp"

namespace vf::speech {

// The voice of a request that names none. Null: there is no order among classes; the default one.
const engines::Voice* PreferredVoice(const engines::VoiceView& voices, std::string_view language,
                                     const std::string& default_voice);

// The voices that may speak instead of one that could not begin.
class Fallback {
public:
    Fallback() = default;  // none
    // `language` is what is to be spoken; empty: the voice's own.
    Fallback(const engines::VoiceView& voices, const engines::Voice& chosen, std::string language,
             const std::string& default_voice);

    // The next one's id. None: the error stands, since nobody is left or another voice would meet
    // it as well.
    std::optional<std::string> Next(const Error& error);
    bool is_empty() const { return waiting_.empty(); }

private:
    std::deque<std::string> waiting_;
};

}  // namespace vf::speech

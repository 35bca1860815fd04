#pragma once
// Changes the pitch of a statistical voice where it is made: in the smoothed parameter track,
// between flite's mlpg() and its mlsa_resynthesis(). So it works for every such voice (rms has no
// feature for it), streams like flite itself, and costs nothing.

namespace vf::worker {

struct TrackEdit {
    double pitch = 1;       // factor on F0
    double range = 1;       // factor on F0's distance from the voice's mean, in octaves
    int most_frames = 0;    // longer utterances are not spoken
    bool too_long = false;  // set when that happened
};

// What the next utterance's track gets; nullptr: nothing. The caller owns it.
void UseTrackEdit(TrackEdit* edit);

}  // namespace vf::worker

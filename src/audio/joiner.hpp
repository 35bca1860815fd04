#pragma once
// Joins the segments of one response into one stream without clicks and with natural pauses.
//
// Engines put silence of their own choice around each utterance. The joiner takes it away and puts
// the pause that belongs there: the time between the last audible window of one segment and the
// first of the next is what is asked for. Near-silence is what stays, in a window of 5 ms, 40 dB
// below the loudest window so far, within -60 to -46 dBFS RMS.
//
// Causal; the cut into Write calls does not change a sample. The lead of the first segment passes
// untouched and is held back for 10 ms at most, since the listener waits for it. Not thread-safe.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace vf::audio {

// What stands before a segment.
enum class Pause { kNone, kClause, kSentence, kParagraph };

struct JoinerOptions {
    std::chrono::milliseconds clause{120};
    std::chrono::milliseconds sentence{350};
    std::chrono::milliseconds paragraph{700};
    std::chrono::milliseconds last_tail{150};  // near-silence kept after the last segment
    std::chrono::milliseconds max_hold{2000};  // longest near-silence held back inside a segment
    // The first segment goes on from audio that others have: its lead is trimmed as at a join.
    bool continues = false;
};

class Joiner {
public:
    explicit Joiner(int rate, JoinerOptions options = {});

    // Begins a segment. `pause` (0 to 60 s) is ignored for the first one. A pause shorter than what
    // is kept around the join for its softness (up to 60 ms) inserts nothing.
    void StartSegment(Pause pause);
    void StartSegment(std::chrono::milliseconds pause);

    // Silence before everything else; before the first segment only. Returns it.
    std::vector<float> LeadIn(std::chrono::milliseconds time);
    // After Finish: what the near-silence at the end lacks of `pause`.
    std::vector<float> FillTo(std::chrono::milliseconds pause);
    // Silence after everything else, after Finish. Returns it.
    std::vector<float> Silence(std::chrono::milliseconds time);

    // Samples of the segment; returns what became ready, which may belong to the join before it.
    std::vector<float> Write(std::span<const float> samples);

    // Ends the segment and returns what became ready. Its last audible 5 ms and its trailing
    // near-silence stay held back until it is known what follows. A segment without anything
    // audible leaves nothing behind, except that the longer of the pauses around it stays.
    std::vector<float> EndSegment();

    // What is held back goes out, with so much silence behind it; both count towards the pause
    // before the next segment. For a break of unknown length between segments.
    std::vector<float> Rest(std::chrono::milliseconds silence);

    // Ends the stream, after EndSegment: the rest, with a soft end.
    std::vector<float> Finish();

    // Where the present (or last) segment stands: its sample s is at s + *segment_offset() of the
    // output. No value until its first sample that was not trimmed is out. Times of trimmed samples
    // fall before segment_begin(); clamp them to it.
    std::optional<std::int64_t> segment_offset() const { return offset_; }
    // Number of samples trimmed from its beginning; valid together with segment_offset().
    std::uint64_t segment_trimmed() const { return trimmed_; }
    // Output position of its first kept sample.
    std::int64_t segment_begin() const {
        return offset_.value_or(0) + static_cast<std::int64_t>(trimmed_);
    }
    // Output samples returned so far.
    std::uint64_t position() const { return position_; }

private:
    void TakePartial(std::vector<float>& out);
    void TakeLead(bool audible, std::vector<float>& out);
    void TakeBody(bool audible, std::vector<float>& out);
    void EmitTail(std::size_t most_silence, std::vector<float>& out);
    void Join(std::vector<float>& out);
    bool Audible(std::span<const float> window);
    void Emit(std::span<const float> samples, std::vector<float>& out);
    std::size_t Samples(std::chrono::milliseconds time) const;

    int rate_;
    JoinerOptions options_;
    std::size_t window_length_;
    double loudest_ = 0;            // power of the loudest window so far
    bool first_ = true;             // nothing has been delivered yet, or only the first lead
    bool in_lead_ = true;           // nothing audible yet in this segment
    bool nothing_said_ = false;     // the segment before this one had nothing audible
    std::size_t pause_ = 0;         // samples wanted before this segment
    std::vector<float> partial_;    // the window being filled
    std::vector<float> preroll_;    // the end of the trimmed lead
    std::vector<float> held_;       // the last audible window and the near-silence after it
    std::size_t held_silence_ = 0;  // how many samples at the end of `held_` are near-silent
    std::size_t silence_out_ = 0;   // near-silence already delivered after the last audible window
    std::uint64_t taken_ = 0;       // samples of this segment in complete windows
    std::uint64_t trimmed_ = 0;
    std::optional<std::int64_t> offset_;
    std::uint64_t position_ = 0;
    std::uint64_t lead_in_ = 0;
};

}  // namespace vf::audio

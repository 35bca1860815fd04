#include "speech/text_alignment.hpp"

#include <algorithm>

#include "base/utf8.hpp"
#include "speech/timeline_builder.hpp"
#include "text/compose.hpp"

namespace vf::speech {
namespace {

constexpr const char* kLanguage = "en";

text::Composition Compose(std::string_view text) {
    text::ComposeOptions options;
    options.original = text;
    options.styles = {{kLanguage, true, 0}};
    return text::Compose(text::PlainScript(text), options);
}

// The segments one behind the other, a space between them.
std::string Joined(const text::Composition& composed) {
    std::string joined;
    for (const text::Segment& segment : composed.segments) {
        joined += segment.text;
        joined += ' ';
    }
    return joined;
}

// Gives the events of the joined text to the segments they belong to.
class Placing {
public:
    Placing(const text::Composition& composed, const engines::Alignment& found, TextAlignment& out)
        : composed_(composed), found_(found), out_(out), builder_(timeline_) {}

    void Run() {
        builder_.AddText(composed_, 0);
        out_.seconds = SecondsAt(found_.events.back().end_sample);
        std::size_t begin = 0;
        for (const text::Segment& segment : composed_.segments) {
            Place(segment, begin);
            begin += segment.text.size() + 1;
        }
        builder_.Close(out_.seconds);
        out_.characters = std::move(timeline_.characters);
        double length = 0;
        for (const AlignedWord& word : out_.words) {
            const double seconds = word.item.end_seconds - word.item.start_seconds;
            out_.loss += word.loss * seconds;
            length += seconds;
        }
        if (length > 0) out_.loss /= length;
    }

private:
    double SecondsAt(std::uint64_t sample) const {
        return static_cast<double>(sample) / found_.sample_rate;
    }

    void Place(const text::Segment& segment, std::size_t begin) {
        builder_.StartSegment(segment, "cmu");
        const std::size_t end = begin + segment.text.size();
        const double start = next_ < found_.events.size()
                                 ? SecondsAt(found_.events[next_].start_sample)
                                 : out_.seconds;
        double stop = start;
        for (; next_ < found_.events.size(); ++next_) {
            engines::TimingEvent event = found_.events[next_];
            const bool is_pause = event.text_end == 0;
            if (!is_pause && event.text_begin >= end) break;
            stop = SecondsAt(event.end_sample);
            if (!is_pause) {
                event.text_begin -= static_cast<std::uint32_t>(begin);
                event.text_end -= static_cast<std::uint32_t>(begin);
            }
            Add(event);
        }
        builder_.EndSegment(start, stop);
    }

    void Add(const engines::TimingEvent& event) {
        const std::size_t before = timeline_.words.size();
        builder_.Add(event, SecondsAt(event.start_sample), SecondsAt(event.end_sample));
        if (timeline_.words.size() == before) return;
        const TimelineItem& word = timeline_.words.back();
        // "$12.50" is one word of the original and several of the audio.
        AlignedWord* last = out_.words.empty() ? nullptr : &out_.words.back();
        if (last && last->item.text_begin == word.text_begin) {
            const double length = last->item.end_seconds - last->item.start_seconds;
            const double more = word.end_seconds - word.start_seconds;
            last->loss = (last->loss * length + event.loss * more) / std::max(length + more, 1e-9);
            last->item.end_seconds = word.end_seconds;
            return;
        }
        out_.words.push_back({word, event.loss});
    }

    const text::Composition& composed_;
    const engines::Alignment& found_;
    TextAlignment& out_;
    Timeline timeline_;
    TimelineBuilder builder_;
    std::size_t next_ = 0;
};

}  // namespace

Task<Result<TextAlignment>> AlignText(engines::Engines* engines, std::string text,
                                      std::shared_ptr<const std::string> audio) {
    if (Utf8FindInvalid(text)) {
        co_return Error(ErrorKind::kInvalid, "invalid_utf8", "The text is not valid UTF-8.");
    }
    if (Utf8Count(text) > kMaxAlignedCharacters) {
        co_return Error(ErrorKind::kInvalid, "text_too_long",
                        "At most " + std::to_string(kMaxAlignedCharacters) +
                            " characters are aligned at once.");
    }
    const text::Composition composed = Compose(text);
    engines::AlignRequest request;
    request.language = kLanguage;
    request.text = Joined(composed);
    request.audio = std::move(audio);
    Result<engines::Alignment> found = co_await engines->Align(std::move(request));
    if (!found) co_return found.error();
    TextAlignment aligned;
    Placing(composed, *found, aligned).Run();
    co_return aligned;
}

}  // namespace vf::speech

#include "text/split.hpp"

#include <algorithm>

#include "text/steps.hpp"

namespace vf::text {

void DeclareSettings(SettingsSchema& schema, SplitOptions& options) {
    schema.Integer("text.max_segment_chars", options.max_chars, 40, 2000,
                   {"400", "Longest piece of text an engine gets at once, in characters."});
    schema.Integer("text.max_digits_per_token", options.max_digits_per_token, 5, 200,
                   {"40", "Numbers with more digits are spoken digit by digit."});
    schema.Integer("text.max_token_chars", options.max_token_chars, 20, 400,
                   {"60", "Longer words are cut into pieces."});
}

std::vector<Segment> Split(std::string_view text, const SplitOptions& options) {
    const MappedText clean = Clean(MappedText::Of(text));
    std::vector<Segment> segments;
    Pause missed = Pause::kNone;  // the pause before a sentence that left nothing to speak
    for (const Sentence& sentence : FindSentences(clean.text(), options.language)) {
        MappedText part = clean.Slice(sentence.begin, sentence.end);
        if (options.ascii) part = FoldToAscii(part);
        part = Guard(part, options);
        Pause before = std::max(sentence.before, missed);
        for (MappedText& piece : CutLong(part, std::max<std::int64_t>(options.max_chars, 1))) {
            if (!HasSpeakable(piece.text())) continue;
            const TextRange range = piece.Original(0, piece.text().size());
            // A cut inside a word that was transliterated as a whole gives both parts its range.
            const std::size_t free = segments.empty() ? 0 : segments.back().end;
            Segment segment;
            segment.text = piece.text();
            segment.begin = std::max(range.begin, free);
            segment.end = std::max(range.end, free);
            segment.before = segments.empty() ? Pause::kNone : before;
            segment.mapped = std::move(piece);
            segments.push_back(std::move(segment));
            before = Pause::kClause;
        }
        missed = before == Pause::kClause ? Pause::kNone : before;
    }
    return segments;
}

void WarmUp() {
    WarmUpTransliteration();
    Split("Ready. Steady.", {});
}

}  // namespace vf::text

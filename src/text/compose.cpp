#include "text/compose.hpp"

#include <unicode/uchar.h>

#include <algorithm>

#include "base/utf8.hpp"
#include "text/steps.hpp"

namespace vf::text {
namespace {

using std::chrono::milliseconds;

// What stands between two stretches of text.
struct Gap {
    Pause natural = Pause::kNone;
    std::optional<milliseconds> exact;

    void Add(const Gap& other) {
        natural = std::max(natural, other.natural);
        if (other.exact) exact = exact.value_or(milliseconds(0)) + *other.exact;
    }
};

struct Span {
    std::size_t begin;  // bytes of Joined::text
    std::size_t end;
    std::uint32_t style;
    std::string ipa;  // empty: as usual
};

struct Mark {
    SegmentMark mark;
    std::size_t at;  // byte of Joined::text
};

// A stretch without a forced end in it.
struct Stretch {
    Gap before;
    std::size_t begin;
    std::size_t end;
    std::vector<Mark> marks;
};

// All of the script's text, normalised, in one.
struct Joined {
    MappedText text;
    std::vector<Span> spans;
    std::vector<Stretch> stretches;
};

MappedText LinesAsSpaces(const MappedText& text) {
    MappedText out;
    std::size_t at = 0;
    for (;;) {
        const std::size_t line = text.text().find('\n', at);
        out.Append(text, at, std::min(line, text.text().size()));
        if (line == std::string::npos) return out;
        out.AppendReplaced(text, line, line + 1, " ");
        at = line + 1;
    }
}

class Joining {
public:
    Joining(const Script& script, const ComposeOptions& options)
        : script_(script), options_(options) {
        joined_.stretches.push_back({});
    }

    Joined Join() {
        for (std::size_t i = 0; i < script_.pieces.size(); ++i) {
            const Piece& piece = script_.pieces[i];
            switch (piece.kind) {
                case Piece::Kind::kText: i = TakeRun(i); break;
                case Piece::Kind::kPause: Break({Pause::kNone, piece.pause}); break;
                case Piece::Kind::kSentence: Break({Pause::kSentence, std::nullopt}); break;
                case Piece::Kind::kParagraph: Break({Pause::kParagraph, std::nullopt}); break;
                case Piece::Kind::kMark: AddMark(piece, joined_.text.text().size()); break;
            }
        }
        return std::move(joined_);
    }

private:
    void Break(Gap gap) {
        const std::size_t at = joined_.text.text().size();
        joined_.stretches.push_back({gap, at, at, {}});
    }

    void AddMark(const Piece& mark, std::size_t at) {
        joined_.stretches.back().marks.push_back({{mark.name, 0, mark.at}, at});
    }

    // Text that nothing but marks interrupts is read as one: "Q <mark/>& A". The last piece of it.
    std::size_t TakeRun(std::size_t first) {
        Piece whole = script_.pieces[first];
        std::size_t last = first;
        for (std::size_t i = first + 1; i < script_.pieces.size(); ++i) {
            const Piece& piece = script_.pieces[i];
            if (piece.kind == Piece::Kind::kMark) continue;
            const bool goes_on = piece.kind == Piece::Kind::kText && piece.style == whole.style &&
                                 piece.say_as == whole.say_as && piece.phonemes.empty() &&
                                 whole.phonemes.empty();
            if (!goes_on) break;
            whole.text.Append(piece.text, 0, piece.text.text().size());
            last = i;
        }
        TakeText(whole);
        for (std::size_t i = first + 1; i < last; ++i) {
            const Piece& mark = script_.pieces[i];
            if (mark.kind != Piece::Kind::kMark) continue;
            AddMark(mark, joined_.text.Find(mark.at, mark.at).begin);
        }
        return last;
    }

    void TakeText(const Piece& piece) {
        Piece clean = piece;
        clean.text = CleanForRules(piece.text);
        for (const Piece& part : ApplyLexicons(clean, options_.lexicons)) Append(part);
    }

    void Append(const Piece& piece) {
        const StyleTraits& traits = options_.styles[piece.style];
        MappedText text = piece.text;
        if (piece.phonemes.empty()) {
            text = Normalise(text, traits.language, options_.normalise, piece.say_as);
        }
        text = Clean(text);
        if (!options_.lines_matter) text = LinesAsSpaces(text);
        const std::size_t begin = joined_.text.text().size();
        joined_.text.Append(text, 0, text.text().size());
        const std::size_t end = joined_.text.text().size();
        if (begin == end) return;
        joined_.spans.push_back({begin, end, piece.style, piece.phonemes});
        joined_.stretches.back().end = end;
    }

    const Script& script_;
    const ComposeOptions& options_;
    Joined joined_;
};

// Makes the segments of one stretch after the other.
class Cutting {
public:
    Cutting(const Joined& joined, const ComposeOptions& options)
        : joined_(joined), options_(options), flat_(MappedText::Of(joined.text.text())) {}

    Composition Cut() {
        for (const Stretch& stretch : joined_.stretches) {
            gap_.Add(stretch.before);
            CutStretch(stretch);
        }
        composition_.tail = gap_.exact.value_or(milliseconds(0));
        for (Mark& mark : waiting_) composition_.tail_marks.push_back(std::move(mark.mark));
        return std::move(composition_);
    }

private:
    void CutStretch(const Stretch& stretch) {
        const std::string text =
            joined_.text.text().substr(stretch.begin, stretch.end - stretch.begin);
        const std::size_t first = composition_.segments.size();
        for (Mark mark : waiting_) waiting_at_begin_.push_back(std::move(mark));
        waiting_.clear();
        if (HasSpeakable(text)) {
            const std::string_view language = LanguageAt(stretch.begin);
            for (const Sentence& sentence : FindSentences(text, language)) {
                CutSentence(stretch.begin + sentence.begin, stretch.begin + sentence.end,
                            sentence.before);
            }
        }
        PlaceMarks(stretch, first);
    }

    // Where the style changes so that another voice has to speak. A part with nothing to speak
    // (the stop after a word in another voice) stays with what stands before it.
    void CutSentence(std::size_t begin, std::size_t end, Pause before) {
        gap_.natural = std::max(gap_.natural, before);
        std::vector<TextRange> parts;
        auto span = std::upper_bound(joined_.spans.begin(), joined_.spans.end(), begin,
                                     [](std::size_t at, const Span& s) { return at < s.end; });
        std::uint32_t group = 0;
        for (; span != joined_.spans.end() && span->begin < end; ++span) {
            const std::size_t from = std::max(begin, span->begin);
            const std::size_t to = std::min(end, span->end);
            const std::uint32_t next = options_.styles[span->style].group;
            const bool speaks =
                HasSpeakable(std::string_view(joined_.text.text()).substr(from, to - from));
            if (!parts.empty() && (next == group || !speaks)) {
                parts.back().end = to;
                continue;
            }
            parts.push_back({from, to});
            group = next;
        }
        for (const TextRange& part : parts) CutPart(part);
    }

    void CutPart(TextRange range) {
        const Span& span = SpanAt(range.begin);
        const StyleTraits& traits = options_.styles[span.style];
        SplitOptions split = options_.split;
        split.language = traits.language;
        split.ascii = traits.ascii;
        MappedText part = flat_.Slice(range.begin, range.end);
        if (traits.ascii) part = FoldToAscii(part);
        part = Guard(part, split);
        const auto longest = std::max<std::int64_t>(split.max_chars, 1);
        for (const MappedText& piece : CutLong(part, longest)) {
            if (!HasSpeakable(piece.text())) continue;
            AddSegment(piece, span.style);
            gap_ = {Pause::kClause, std::nullopt};
        }
        if (gap_.natural == Pause::kClause && !gap_.exact) gap_ = {};
    }

    void AddSegment(const MappedText& piece, std::uint32_t style) {
        std::vector<Segment>& segments = composition_.segments;
        Segment segment;
        segment.mapped = piece.Over(joined_.text);
        segment.text = piece.text();
        segment.style = style;
        const TextRange range = segment.mapped.Original(0, segment.text.size());
        // A cut inside a word that was transliterated as a whole gives both parts its range.
        const std::size_t free = segments.empty() ? 0 : segments.back().end;
        segment.begin = std::max(range.begin, free);
        segment.end = std::max(range.end, free);
        if (segments.empty()) {
            composition_.lead = gap_.exact.value_or(milliseconds(0));
        } else {
            segment.before = gap_.natural;
            segment.pause = gap_.exact;
        }
        AddPhonemes(piece, segment);
        places_.push_back(piece.Original(0, piece.text().size()));
        pieces_.push_back(piece);
        segments.push_back(std::move(segment));
    }

    void AddPhonemes(const MappedText& piece, Segment& segment) {
        const TextRange place = piece.Original(0, piece.text().size());
        auto span = std::upper_bound(joined_.spans.begin(), joined_.spans.end(), place.begin,
                                     [](std::size_t at, const Span& s) { return at < s.end; });
        for (; span != joined_.spans.end() && span->begin < place.end; ++span) {
            if (span->ipa.empty()) continue;
            TextRange found = piece.Find(span->begin, span->end);
            while (found.begin < found.end && segment.text[found.begin] == ' ') ++found.begin;
            while (found.begin < found.end && segment.text[found.end - 1] == ' ') --found.end;
            if (found.begin == found.end) continue;
            segment.phonemes.push_back({found.begin, found.end, span->ipa});
        }
    }

    // A mark belongs to what is spoken after it in its stretch, else to the end of what was spoken
    // before it there, else to what comes next.
    void PlaceMarks(const Stretch& stretch, std::size_t first) {
        std::vector<Segment>& segments = composition_.segments;
        std::vector<Mark> marks = std::move(waiting_at_begin_);
        waiting_at_begin_.clear();
        marks.insert(marks.end(), stretch.marks.begin(), stretch.marks.end());
        if (first == segments.size()) {
            waiting_ = std::move(marks);
            return;
        }
        std::size_t index = first;
        for (Mark& mark : marks) {
            while (index < segments.size() && places_[index].end <= mark.at) ++index;
            if (index == segments.size()) {
                index = segments.size() - 1;
                mark.mark.at = segments[index].text.size();
            } else {
                mark.mark.at = pieces_[index].Find(mark.at, mark.at + 1).begin;
            }
            segments[index].marks.push_back(std::move(mark.mark));
        }
    }

    const Span& SpanAt(std::size_t at) const {
        auto span = std::upper_bound(joined_.spans.begin(), joined_.spans.end(), at,
                                     [](std::size_t byte, const Span& s) { return byte < s.end; });
        return span == joined_.spans.end() ? joined_.spans.back() : *span;
    }

    std::string_view LanguageAt(std::size_t at) const {
        return options_.styles[SpanAt(at).style].language;
    }

    const Joined& joined_;
    const ComposeOptions& options_;
    MappedText flat_;  // the joined text, its own original
    Composition composition_;
    std::vector<TextRange> places_;   // of each segment, in the joined text
    std::vector<MappedText> pieces_;  // of each segment, over the joined text
    Gap gap_;                         // since the last segment
    std::vector<Mark> waiting_, waiting_at_begin_;
};

bool Combines(char32_t c) {
    return (U_GET_GC_MASK(static_cast<UChar32>(c)) & U_GC_M_MASK) != 0 || c == 0x200D;
}

void AddCharacters(std::string_view text, std::size_t begin, bool may_combine,
                   std::vector<TextCharacter>& out) {
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t length = Utf8SequenceLength(text.substr(at));
        const std::string_view letter = text.substr(at, length);
        const std::size_t end = begin + at + length;
        if ((at > 0 || may_combine) && Combines(Utf8Decode(letter))) {
            out.back().text += letter;
            out.back().end = end;
        } else {
            out.push_back({begin + at, end, std::string(letter)});
        }
        at += length;
    }
}

// Of the original where markup replaced it by something else, but for an entity, which means its
// one character.
std::vector<TextCharacter> CharactersOf(const Script& script, std::string_view original) {
    std::vector<TextCharacter> out;
    for (const Piece& piece : script.pieces) {
        if (piece.kind != Piece::Kind::kText) continue;
        const std::string_view text = piece.text.text();
        bool may_combine = false;
        for (const MapRun& run : piece.text.runs()) {
            const std::string_view part = text.substr(run.begin, run.end - run.begin);
            const std::size_t begin = std::min<std::size_t>(run.original_begin, original.size());
            const std::size_t size = run.original_end - run.original_begin;
            if (run.verbatim) {
                AddCharacters(part, begin, may_combine, out);
            } else if (Utf8SequenceLength(part) == part.size()) {
                out.push_back({run.original_begin, run.original_end, std::string(part)});
            } else {
                AddCharacters(original.substr(begin, size), begin, may_combine, out);
            }
            may_combine = true;
        }
    }
    return out;
}

}  // namespace

Composition Compose(const Script& script, const ComposeOptions& options) {
    const Joined joined = Joining(script, options).Join();
    Composition composition;
    if (!joined.spans.empty()) composition = Cutting(joined, options).Cut();
    composition.characters = CharactersOf(script, options.original);
    return composition;
}

}  // namespace vf::text

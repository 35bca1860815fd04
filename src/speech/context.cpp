#include "speech/context.hpp"

#include <algorithm>

#include "base/utf8.hpp"
#include "text/sentence_end.hpp"

namespace vf::speech {
namespace {

// Of the sentence around the part so much is spoken with it, in bytes.
constexpr std::size_t kMostContext = 240;
// The silence between sentences, of which the later part brings its lead.
constexpr std::chrono::milliseconds kSentencePause{330};

bool IsBlank(std::string_view text) {
    return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

// The unfinished sentence at the end of `before`; empty: it ends with a whole one.
std::string_view OpenEnd(std::string_view before, std::string_view language) {
    // The end alone decides, whatever comes in front of it.
    if (before.size() > 4 * kMostContext) {
        const std::size_t from = before.size() - 4 * kMostContext;
        before = before.substr(Utf8Floor(before, from));
    }
    const std::string text = std::string(before) + (before.ends_with(' ') ? "" : " ");
    const std::vector<std::size_t> ends = text::SentenceEnds(text, language);
    std::string_view open =
        ends.empty() ? before : before.substr(std::min(ends.front(), before.size()));
    if (open.size() > kMostContext) {
        open = open.substr(Utf8Floor(open, open.size() - kMostContext));
        open = open.substr(std::min(open.find(' '), open.size()));
    }
    return IsBlank(open) ? std::string_view() : open;
}

// The rest of the sentence that goes on in `after`.
std::string_view Rest(std::string_view after, std::string_view language) {
    const std::string text(after.substr(0, Utf8Floor(after, 4 * kMostContext)));
    const std::vector<std::size_t> ends = text::SentenceEnds(text, language);
    std::string_view rest = after.substr(0, ends.empty() ? text.size() : ends.back());
    if (rest.size() > kMostContext) {
        rest = rest.substr(0, Utf8Floor(rest, kMostContext));
        rest = rest.substr(0, rest.rfind(' '));
    }
    return IsBlank(rest) ? std::string_view() : rest;
}

text::Composition ComposePlain(std::string_view text, text::ComposeOptions options) {
    options.original = text;
    return text::Compose(text::PlainScript(text), options);
}

}  // namespace

void KeepPart(text::Composition& composition, std::size_t begin, std::size_t end) {
    std::erase_if(composition.segments, [&](const text::Segment& segment) {
        return segment.end <= begin || segment.begin >= end;
    });
    for (text::Segment& segment : composition.segments) {
        if (segment.begin < begin || segment.end > end) {
            text::TextRange heard = segment.mapped.Find(begin, end);
            heard.begin = segment.begin < begin ? heard.begin : 0;
            heard.end = segment.end > end ? heard.end : segment.text.size();
            segment.heard = heard;
        }
        segment.mapped = segment.mapped.Window(begin, end);
        for (text::SegmentMark& mark : segment.marks) {
            mark.original = std::clamp(mark.original, begin, end) - begin;
        }
        segment.begin = std::clamp(segment.begin, begin, end) - begin;
        segment.end = std::clamp(segment.end, begin, end) - begin;
    }
    for (text::SegmentMark& mark : composition.tail_marks) {
        mark.original = std::clamp(mark.original, begin, end) - begin;
    }
    std::erase_if(composition.characters,
                  [&](const text::TextCharacter& c) { return c.begin < begin || c.end > end; });
    for (text::TextCharacter& c : composition.characters) {
        c.begin -= begin;
        c.end -= begin;
    }
}

void ComposeInContext(const SpeechRequest& request, const text::ComposeOptions& options,
                      SpeechPlan& plan) {
    const bool has_before = !IsBlank(request.previous_text);
    const bool has_after = !IsBlank(request.next_text);
    if (plan.voice().speaker) {
        // Who speaks elsewhere is told what stands around, and is paid for the text alone.
        plan.text = ComposePlain(request.text, options);
        plan.previous_text = request.previous_text;
        plan.next_text = request.next_text;
        plan.continues = has_before;
        return;
    }
    if (!has_before && !has_after) {
        plan.text = ComposePlain(request.text, options);
        return;
    }
    const std::string& language = options.styles.front().language;
    std::string before(OpenEnd(request.previous_text, language));
    if (!before.empty() && !before.ends_with(' ') && !request.text.starts_with(' ')) before += ' ';
    const bool is_open = !OpenEnd(before + request.text, language).empty();
    std::string after;
    if (has_after && is_open) {
        after = Rest(request.next_text, language);
        if (!after.starts_with(' ') && !request.text.ends_with(' ')) after = " " + after;
    }
    plan.text = ComposePlain(before + request.text + after, options);
    KeepPart(plan.text, before.size(), before.size() + request.text.size());
    plan.continues = has_before;
    if (has_after) {
        plan.goes_on_after = is_open ? std::chrono::milliseconds(0) : kSentencePause;
    }
}

}  // namespace vf::speech

#include "speech/live_text.hpp"

#include <algorithm>

#include "base/utf8.hpp"
#include "text/sentence_end.hpp"

namespace vf::speech {
namespace {

bool IsBlank(char c) {
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

}  // namespace

LiveText::Part LiveText::Cut(std::size_t end) {
    const Part part{taken_, end};
    taken_ = end;
    if (!part.empty()) ++parts_;
    return part;
}

// No tag is open at `end`: what comes before can be read by itself.
bool LiveText::IsOutsideMarkup(std::size_t end) const {
    if (!has_markup_) return true;
    int depth = 0;
    for (std::size_t at = taken_; at < end;) {
        const std::size_t tag = all_.find('<', at);
        if (tag >= end) break;
        const std::size_t close = all_.find('>', tag);
        if (close >= end) return false;
        const bool is_end = all_[tag + 1] == '/';
        const bool is_empty = all_[close - 1] == '/';
        if (is_end) --depth;
        if (!is_end && !is_empty) ++depth;
        at = close + 1;
    }
    return depth <= 0;
}

std::size_t LiveText::WholeSentences() const {
    std::string text = all_.substr(taken_);
    if (has_markup_) {
        // Tags are no text; white space keeps the places.
        bool is_tag = false;
        for (char& c : text) {
            if (c == '<') is_tag = true;
            const bool ends = c == '>';
            if (is_tag) c = ' ';
            if (ends) is_tag = false;
        }
    }
    for (const std::size_t end : text::SentenceEnds(text, language_)) {
        if (IsOutsideMarkup(taken_ + end)) return taken_ + end;
    }
    return taken_;
}

std::size_t LiveText::LastWord() const {
    for (std::size_t at = all_.size(); at > taken_; --at) {
        if (IsBlank(all_[at - 1]) && IsOutsideMarkup(at)) return at;
    }
    return taken_;
}

LiveText::Part LiveText::TakeFrom(std::size_t minimum) {
    const std::size_t count = Utf8Count(std::string_view(all_).substr(taken_));
    if (count < minimum) return {taken_, taken_};
    const std::size_t sentences = WholeSentences();
    // Better half of what is there by whole sentences than all of it with a broken one.
    if ((sentences - taken_) * 2 >= waiting()) return Cut(sentences);
    return Cut(LastWord());
}

LiveText::Part LiveText::Take() {
    if (waiting() > policy_.max_waiting) return Cut(std::max(WholeSentences(), LastWord()));
    if (policy_.schedule.empty()) return Cut(WholeSentences());
    const std::size_t at = std::min(parts_, policy_.schedule.size() - 1);
    return TakeFrom(static_cast<std::size_t>(policy_.schedule[at]));
}

LiveText::Part LiveText::TakeTriggered() {
    return TakeFrom(static_cast<std::size_t>(policy_.trigger_minimum));
}

LiveText::Part LiveText::TakeAll() {
    return Cut(all_.size());
}

}  // namespace vf::speech

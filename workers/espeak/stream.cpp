// SPDX-License-Identifier: GPL-3.0-or-later
#include "espeak/stream.hpp"

#include <algorithm>
#include <cstring>

#include "base/utf8.hpp"

namespace vf::worker {
namespace {

using engines::TimingEvent;

constexpr std::uint64_t kMostSeconds = 240;

}  // namespace

std::uint64_t EspeakStream::SampleAt(int milliseconds) const {
    const auto at = static_cast<std::uint64_t>(std::max(milliseconds, 0)) *
                    static_cast<std::uint64_t>(rate_) / 1'000;
    // Milliseconds are rounded down, here perhaps into what has been sent.
    return std::max(at, sent_);
}

// espeak-ng tells starts only: an event ends where the next of its kind begins, a word also where
// silence begins.
void EspeakStream::CloseWord(std::uint64_t at) {
    if (!word_) return;
    word_->end_sample = std::max(word_->start_sample, quiet_since_.value_or(at));
    ready_.push_back(std::move(*word_));
    word_.reset();
}

void EspeakStream::ClosePhoneme(std::uint64_t at) {
    if (!phoneme_) return;
    phoneme_->end_sample = std::max(phoneme_->start_sample, at);
    ready_.push_back(std::move(*phoneme_));
    phoneme_.reset();
}

void EspeakStream::OpenWord(const espeak_EVENT& event, std::uint64_t at) {
    ClosePhoneme(at);
    CloseWord(at);
    quiet_since_.reset();
    // Phonemes that end the text are followed by a word of nothing.
    if (event.text_position < 1 || event.length < 1) return;
    const EspeakInput::Range range = input_.Origin(
        static_cast<std::size_t>(event.text_position - 1), static_cast<std::size_t>(event.length));
    TimingEvent word;
    word.text_begin = range.begin;
    word.text_end = range.end;
    word.start_sample = at;
    word.label = request_.text.substr(range.begin, range.end - range.begin);
    word_ = std::move(word);
}

void EspeakStream::OpenPhoneme(const espeak_EVENT& event, std::uint64_t at) {
    ClosePhoneme(at);
    const std::string_view name(event.id.string, strnlen(event.id.string, sizeof(event.id.string)));
    if (name.empty() || Utf8FindInvalid(name)) {
        if (!quiet_since_) quiet_since_ = at;
        return;
    }
    quiet_since_.reset();
    TimingEvent phoneme;
    phoneme.kind = TimingEvent::kPhoneme;
    if (word_) {
        phoneme.text_begin = word_->text_begin;
        phoneme.text_end = word_->text_end;
    }
    phoneme.start_sample = at;
    phoneme.label = name;
    phoneme_ = std::move(phoneme);
}

void EspeakStream::Read(const espeak_EVENT& event) {
    const std::uint64_t at = SampleAt(event.audio_position);
    if (event.type == espeakEVENT_WORD) {
        OpenWord(event, at);
    } else if (event.type == espeakEVENT_PHONEME) {
        OpenPhoneme(event, at);
    } else if (event.type == espeakEVENT_END || event.type == espeakEVENT_MSG_TERMINATED) {
        ClosePhoneme(at);
        CloseWord(at);
        quiet_since_.reset();
    }
}

bool EspeakStream::Send(std::uint64_t until) {
    if (!ready_.empty()) {
        const bool go_on = sink_.Events(ready_);
        ready_.clear();
        if (!go_on) return false;
    }
    if (until <= sent_ || held_.empty()) return true;
    const auto count = std::min<std::size_t>(held_.size(), static_cast<std::size_t>(until - sent_));
    const bool go_on = sink_.Audio({held_.data(), count});
    held_.erase(held_.begin(), held_.begin() + static_cast<std::ptrdiff_t>(count));
    sent_ += count;
    return go_on;
}

bool EspeakStream::Take(const short* samples, int count, const espeak_EVENT* events) {
    if (samples != nullptr && count > 0) held_.insert(held_.end(), samples, samples + count);
    std::uint64_t until = sent_ + held_.size();
    too_long_ = until > kMostSeconds * static_cast<std::uint64_t>(rate_);
    if (too_long_) return false;
    if (request_.events) {
        for (; events->type != espeakEVENT_LIST_TERMINATED; ++events) Read(*events);
        if (word_) until = std::min(until, word_->start_sample);
        if (phoneme_) until = std::min(until, phoneme_->start_sample);
    }
    return !sink_.cancelled() && Send(until);
}

void EspeakStream::Finish() {
    const std::uint64_t end = sent_ + held_.size();
    ClosePhoneme(end);
    CloseWord(end);
    Send(end);
}

}  // namespace vf::worker

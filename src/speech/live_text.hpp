#pragma once
// The text of a live speech that waits to be spoken, and how much of it may be spoken now. Pure.

#include <cstddef>
#include <string>
#include <string_view>

#include "speech/live.hpp"

namespace vf::speech {

class LiveText {
public:
    LiveText(LivePolicy policy, std::string language, bool has_markup)
        : policy_(std::move(policy)), language_(std::move(language)), has_markup_(has_markup) {}

    void Append(std::string_view text) { all_ += text; }

    // A stretch of all(), in bytes; empty: nothing yet.
    struct Part {
        std::size_t begin = 0;
        std::size_t end = 0;
        bool empty() const { return begin == end; }
    };
    // What the policy lets be spoken now. Taken parts follow one another.
    Part Take();
    Part TakeTriggered();  // likewise with the policy's trigger_minimum
    Part TakeAll();

    const std::string& all() const { return all_; }
    std::size_t waiting() const { return all_.size() - taken_; }

private:
    Part Cut(std::size_t end);
    std::size_t WholeSentences() const;  // end of the last whole one, from `taken_`
    std::size_t LastWord() const;        // end of the last whole word
    bool IsOutsideMarkup(std::size_t end) const;
    Part TakeFrom(std::size_t minimum);

    LivePolicy policy_;
    std::string language_;
    bool has_markup_;
    std::string all_;
    std::size_t taken_ = 0;
    std::size_t parts_ = 0;  // taken so far, for the schedule
};

}  // namespace vf::speech

#pragma once
// Remembers which input killed workers, so that one sentence cannot take the pool down again and
// again. Keeps a digest of voice and text, never the text. Bounded: the oldest entry makes room;
// entries expire. Loop thread only; the time is given by the caller.

#include <array>
#include <chrono>
#include <cstdint>
#include <list>
#include <map>
#include <string_view>

namespace vf::engines {

class Quarantine {
public:
    using Clock = std::chrono::steady_clock;
    using Key = std::array<std::uint8_t, 32>;  // SHA-256
    static constexpr int kStrikes = 2;

    Quarantine(std::size_t size, Clock::duration expiry) : size_(size), expiry_(expiry) {}

    static Key KeyOf(std::string_view voice, std::string_view text);

    // Notes that this input cost a worker; returns how many it has cost within the expiry.
    int Strike(const Key& key, Clock::time_point now);
    // The input was spoken after all: what killed the worker was something else.
    void Clear(const Key& key);
    bool Holds(const Key& key, Clock::time_point now);
    std::size_t size() const { return entries_.size(); }

private:
    struct Entry {
        Key key;
        int strikes;
        Clock::time_point at;
    };
    using Place = std::list<Entry>::iterator;

    std::size_t size_;
    Clock::duration expiry_;
    std::list<Entry> entries_;  // the oldest first
    std::map<Key, Place> places_;
};

}  // namespace vf::engines

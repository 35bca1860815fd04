#include "engines/quarantine.hpp"

#include <openssl/sha.h>

#include <string>

namespace vf::engines {

Quarantine::Key Quarantine::KeyOf(std::string_view voice, std::string_view text) {
    std::string input(voice);
    input += '\0';
    input += text;
    Key key;
    SHA256(reinterpret_cast<const unsigned char*>(input.data()), input.size(), key.data());
    return key;
}

int Quarantine::Strike(const Key& key, Clock::time_point now) {
    int strikes = 1;
    const auto found = places_.find(key);
    if (found != places_.end()) {
        if (now - found->second->at < expiry_) strikes = found->second->strikes + 1;
        Clear(key);
    }
    if (size_ == 0) return strikes;
    while (entries_.size() >= size_) {
        places_.erase(entries_.front().key);
        entries_.pop_front();
    }
    places_[key] = entries_.insert(entries_.end(), Entry{key, strikes, now});
    return strikes;
}

void Quarantine::Clear(const Key& key) {
    const auto found = places_.find(key);
    if (found == places_.end()) return;
    entries_.erase(found->second);
    places_.erase(found);
}

bool Quarantine::Holds(const Key& key, Clock::time_point now) {
    const auto found = places_.find(key);
    if (found == places_.end()) return false;
    if (now - found->second->at >= expiry_) {
        Clear(key);
        return false;
    }
    return found->second->strikes >= kStrikes;
}

}  // namespace vf::engines

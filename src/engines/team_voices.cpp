#include "engines/team_voices.hpp"

#include <algorithm>

#include "engines/unknown_voices.hpp"

namespace vf::engines {

const TeamVoicesPtr& UnknownVoices() {
    static const TeamVoicesPtr kUnknown = std::make_shared<const TeamVoices>(std::vector<Voice>());
    return kUnknown;
}

TeamVoices::TeamVoices(std::vector<Voice> voices) : voices_(std::move(voices)) {
    for (const Voice& voice : voices_) by_id_.emplace(voice.id, &voice);
}

const Voice* TeamVoices::Find(std::string_view id) const {
    const auto found = by_id_.find(id);
    return found == by_id_.end() ? nullptr : found->second;
}

const Voice* VoiceView::Find(std::string_view id) const {
    if (const Voice* voice = catalogue_->Find(id)) return voice;
    return own_ ? own_->Find(id) : nullptr;
}

std::vector<const Voice*> VoiceView::All() const {
    std::vector<const Voice*> all = catalogue_->All();
    if (own_) {
        for (const Voice& voice : own_->All()) all.push_back(&voice);
    }
    return all;
}

std::vector<const Voice*> VoiceView::Fallbacks() const {
    std::vector<const Voice*> found;
    if (!own_) return found;
    for (const Voice& voice : own_->All()) {
        if (voice.fallback) found.push_back(&voice);
    }
    std::stable_sort(found.begin(), found.end(),
                     [](const auto* a, const auto* b) { return *a->fallback < *b->fallback; });
    return found;
}

}  // namespace vf::engines

#include <algorithm>

#include "engines/voice.hpp"

namespace vf::engines {

const Voice* Catalogue::Find(std::string_view id) const {
    const auto found = voices_.find(id);
    return found == voices_.end() ? nullptr : found->second;
}

const Voice* Catalogue::FindRetired(std::string_view id) const {
    const auto found = retired_.find(id);
    return found == retired_.end() ? nullptr : found->second;
}

bool Catalogue::Add(Voice voice) {
    if (voices_.contains(voice.id)) return false;
    // The same one again, when a model comes back: nothing grows.
    auto same = std::ranges::find_if(kept_, [&](const auto& kept) { return *kept == voice; });
    if (same == kept_.end()) {
        kept_.push_back(std::make_unique<const Voice>(std::move(voice)));
        same = std::prev(kept_.end());
    }
    const Voice* added = same->get();
    voices_.emplace(added->id, added);
    order_.push_back(added);
    return true;
}

void Catalogue::Retire(std::string_view id) {
    const auto found = voices_.find(id);
    if (found == voices_.end()) return;
    retired_.insert_or_assign(found->first, found->second);
    std::erase(order_, found->second);
    voices_.erase(found);
}

}  // namespace vf::engines

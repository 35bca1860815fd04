#include "engines/voice.hpp"

namespace vf::engines {

const Voice* Catalogue::Find(std::string_view id) const {
    const auto found = voices_.find(id);
    return found == voices_.end() ? nullptr : &found->second;
}

bool Catalogue::Add(Voice voice) {
    std::string id = voice.id;
    const auto [at, is_new] = voices_.emplace(std::move(id), std::move(voice));
    if (is_new) order_.push_back(&at->second);
    return is_new;
}

}  // namespace vf::engines

#pragma once
// Voices that belong to one team, beside those of the catalogue that everybody has. On the loop.

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.hpp"
#include "base/task.hpp"
#include "engines/voice.hpp"

namespace vf::engines {

// Never changes once made; shared by what was planned with it.
class TeamVoices {
public:
    explicit TeamVoices(std::vector<Voice> voices);  // of each id the first counts

    const Voice* Find(std::string_view id) const;
    const std::vector<Voice>& All() const { return voices_; }

private:
    std::vector<Voice> voices_;
    std::map<std::string_view, const Voice*> by_id_;
};
using TeamVoicesPtr = std::shared_ptr<const TeamVoices>;  // null: the team has none

// All voices that one caller may use. A small value; the catalogue must outlive it.
class VoiceView {
public:
    // Implicit: where there are no teams, the catalogue is all there is.
    VoiceView(const Catalogue& catalogue, TeamVoicesPtr own = nullptr)
        : catalogue_(&catalogue), own_(std::move(own)) {}

    // Valid as long as the view or a copy of it.
    const Voice* Find(std::string_view id) const;
    // The catalogue's, then the team's.
    std::vector<const Voice*> All() const;
    // The team's that may speak for others (Voice::fallback), in their order.
    std::vector<const Voice*> Fallbacks() const;
    const Catalogue& catalogue() const { return *catalogue_; }

private:
    const Catalogue* catalogue_;
    TeamVoicesPtr own_;
};

// Who knows the teams' voices.
class VoiceSource {
public:
    virtual ~VoiceSource() = default;

    // No value: it has to be asked for with Load.
    virtual std::optional<TeamVoicesPtr> TryLoad(TeamId team) = 0;
    // What is known lately; with the database away what was last known, or none. Never throws.
    virtual Task<TeamVoicesPtr> Load(TeamId team) = 0;
};

}  // namespace vf::engines

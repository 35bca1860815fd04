#pragma once
// What a team has set for a voice of the catalogue: how it speaks when a request does not say.
//
// Asked on every request of the routes that have such settings, so that what was read is believed
// for a second. On the loop.

#include <chrono>
#include <map>
#include <memory>
#include <string>

#include "base/caller.hpp"
#include "base/ids.hpp"
#include "base/result.hpp"
#include "base/task.hpp"

namespace vf::pg {
class Database;
}

namespace vf::voices {

// In the words of the ElevenLabs API; docs/voices.md says what each of them moves.
struct StoredSettings {
    double stability = 0.5;          // 0 to 1
    double similarity_boost = 0.75;  // 0 to 1
    double style = 0;                // 0 to 1
    bool use_speaker_boost = true;
    double speed = 1;  // 0.7 to 1.2

    bool operator==(const StoredSettings&) const = default;
};

class VoiceSettings {
public:
    static constexpr std::size_t kMaxVoices = 1'000;  // of one team

    VoiceSettings();
    ~VoiceSettings();

    void Start(std::shared_ptr<pg::Database> database);
    void Stop();

    // The defaults when nothing was set. With the database away: what was last known or the
    // defaults; never throws.
    Task<StoredSettings> Find(TeamId team, std::string voice);
    // All that were set, by voice. Throws UnavailableException, as Set.
    Task<std::map<std::string, StoredSettings>> All(TeamId team);
    // Event "voice.settings_changed". kConflict too_many_voices.
    Task<Result<void>> Set(Caller caller, std::string voice, StoredSettings settings);

private:
    struct Core;
    std::unique_ptr<Core> core_;
};

}  // namespace vf::voices

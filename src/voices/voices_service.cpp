#include <fmt/format.h>

#include "base/log.hpp"
#include "base/unavailable.hpp"
#include "events/events.hpp"
#include "voices/voices.hpp"
#include "voices/voices_store.hpp"

namespace vf::voices {
namespace {

constexpr std::chrono::milliseconds kBelieved{900};
constexpr std::size_t kMaxTeams = 10'000;  // remembered at once; more: it starts anew

}  // namespace

struct VoiceSettings::Core {
    struct Entry {
        std::map<std::string, StoredSettings> voices;
        std::chrono::steady_clock::time_point until;
    };

    pg::TeamDb Team(TeamId team) const {
        if (!database) {
            throw UnavailableException(DatabaseNotUp());
        }
        return database->Team(team);
    }

    std::shared_ptr<pg::Database> database;
    std::map<TeamId, Entry> teams;
};

VoiceSettings::VoiceSettings() : core_(std::make_unique<Core>()) {}
VoiceSettings::~VoiceSettings() = default;

void VoiceSettings::Start(std::shared_ptr<pg::Database> database) {
    core_->database = std::move(database);
}

void VoiceSettings::Stop() {
    core_->database.reset();
}

Task<StoredSettings> VoiceSettings::Find(TeamId team, std::string voice) {
    const auto known = core_->teams.find(team);
    if (known == core_->teams.end() || std::chrono::steady_clock::now() >= known->second.until) {
        std::optional<std::map<std::string, StoredSettings>> all;
        try {
            all = co_await All(team);
        } catch (const UnavailableException& e) {
            log::Warning("voice_settings_unavailable", {{"code", e.error.code()}});
        } catch (const std::exception& e) {
            log::Error("voice_settings_unavailable", {{"error", e.what()}});
        }
        if (core_->teams.size() >= kMaxTeams) core_->teams.clear();
        Core::Entry& entry = core_->teams[team];
        if (all) entry.voices = *std::move(all);
        entry.until = std::chrono::steady_clock::now() + kBelieved;
    }
    const Core::Entry& entry = core_->teams[team];
    const auto found = entry.voices.find(voice);
    co_return found == entry.voices.end() ? StoredSettings{} : found->second;
}

Task<std::map<std::string, StoredSettings>> VoiceSettings::All(TeamId team) {
    pg::TeamDb db = core_->Team(team);
    const auto most = static_cast<std::int64_t>(kMaxVoices);
    co_return co_await store::All(db, most);
}

Task<Result<void>> VoiceSettings::Set(Caller caller, std::string voice, StoredSettings settings) {
    pg::TeamDb db = core_->Team(caller.team);
    auto transaction = co_await db.Begin();
    const auto most = static_cast<std::int64_t>(kMaxVoices);
    const bool set = co_await store::Set(*transaction, voice, settings, most);
    if (!set) {
        co_return Error(ErrorKind::kConflict, "too_many_voices",
                        fmt::format("The team has settings for {} voices already, as many as it "
                                    "may.",
                                    kMaxVoices));
    }
    events::NewEvent event;
    event.type = "voice.settings_changed";
    event.resource = voice;
    event.live = caller.live;
    event.data = {{"stability", settings.stability},
                  {"similarity_boost", settings.similarity_boost},
                  {"style", settings.style},
                  {"use_speaker_boost", settings.use_speaker_boost},
                  {"speed", settings.speed}};
    event.actor = events::ActorOf(caller);
    co_await events::Append(*transaction, std::move(event));
    co_await transaction->Commit();
    core_->teams.erase(caller.team);
    co_return Result<void>();
}

}  // namespace vf::voices

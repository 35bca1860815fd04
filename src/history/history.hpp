#pragma once
// What was spoken lately: text, audio and times of a speech, kept for the team that asked for it.
//
//   auto recording = history.Record(caller);     // null: nothing is kept
//   recording->Append(bytes);                    // as they leave
//   history.Keep(item, std::move(recording));    // when the reply is over; returns at once
//
// Written after the reply, so that no byte waits for it; failing to write is logged and counted.
// Texts and times are encrypted with the server's key, audio is a stored object (src/blob) that
// counts against the plan; without room for it the item is kept without audio. Everything goes
// after HistoryOptions::keep. On the loop.

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_pipe.hpp"
#include "base/caller.hpp"
#include "base/ids.hpp"
#include "base/json.hpp"
#include "base/result.hpp"
#include "base/settings.hpp"
#include "base/task.hpp"
#include "blob/blob.hpp"

namespace vf::pg {
class Database;
}
namespace vf::secrets {
class Keyring;
}

namespace vf::history {

struct HistoryTag {
    static constexpr std::string_view kPrefix = "hist";
};
using HistoryId = Id<HistoryTag>;
using Clock = std::chrono::system_clock;

struct HistoryOptions {
    std::chrono::milliseconds keep{std::chrono::hours(30 * 24)};  // 0: nothing is kept
    std::uint64_t max_audio = 16ULL << 20U;    // bytes of one speech; longer: without audio
    std::uint64_t max_pending = 64ULL << 20U;  // bytes of all that is not written yet
    std::int64_t pending = 256;                // speeches whose text waits to be written
    std::chrono::milliseconds sweep_interval{60'000};
    // Not settings.
    std::chrono::milliseconds stitch_for{std::chrono::hours(2)};  // how long a request id is known
};
void DeclareSettings(SettingsSchema& schema, HistoryOptions& options);  // section "history"

struct Item {
    HistoryId id = HistoryId::New();
    std::string request_id;
    std::string voice;
    std::string voice_name;
    std::string model;
    std::string text;
    json::value settings;    // as the dialect shows them
    json::value alignments;  // null: not known
    json::value dialogue;    // null: one voice spoke
    std::int64_t characters = 0;
    std::string output_format;
    std::string content_type;
    std::string extension;  // of a file with the audio, "mp3"
    std::optional<BlobId> audio;
    bool live = false;
    Clock::time_point created_at;  // milliseconds; set when it is kept
};

struct Filter {
    std::optional<HistoryId> after;  // the last one of the page before
    std::optional<std::string> voice;
    std::optional<std::string> model;
    std::optional<Clock::time_point> from;  // at or after
    std::optional<Clock::time_point> to;    // before
    std::string search;                     // in the text, case ignored; empty: any
    bool oldest_first = false;
    std::int64_t limit = 100;  // 1 to 1000
};
struct Page {
    std::vector<Item> items;
    bool has_more = false;
    // A search looks at so many items at most: the last one that it saw, when it did not see all.
    std::optional<HistoryId> scanned_until;
};
inline constexpr std::int64_t kMaxScan = 2'000;

struct Core;

// The audio of one speech while it leaves. Gives up what it holds when that would be too much.
class Recording {
public:
    explicit Recording(std::shared_ptr<Core> core);
    ~Recording();
    Recording(const Recording&) = delete;
    Recording& operator=(const Recording&) = delete;

    void Append(std::string_view bytes);
    // A WAV of a stream learns its sizes at the end.
    void ReplaceStart(std::string_view header);
    bool is_complete() const { return !gave_up_; }

private:
    friend class History;
    std::shared_ptr<Core> core_;
    std::string bytes_;
    std::uint64_t reserved_ = 0;
    bool gave_up_ = false;
};

class History {
public:
    // `blobs` must outlive it.
    History(asio::io_context& loop, blob::Blobs& blobs, HistoryOptions options);
    ~History();
    History(const History&) = delete;
    History& operator=(const History&) = delete;

    void Start(std::shared_ptr<pg::Database> database,
               std::shared_ptr<const secrets::Keyring> keyring);
    // No further sweep; what is being written ends by itself.
    void Stop();
    // Waits until nothing waits to be written, or for `timeout`.
    Task<void> Drain(std::chrono::milliseconds timeout);

    // Null when nothing is kept (HistoryOptions::keep).
    std::unique_ptr<Recording> Record() const;
    // The audio is left out when the recording gave up.
    void Keep(Caller caller, Item item, std::unique_ptr<Recording> recording);

    // kNotFound "history_item_not_found", also another team's. Throws UnavailableException, as all
    // calls below.
    Task<Result<Item>> Find(TeamId team, HistoryId id);
    Task<Page> List(TeamId team, Filter filter);
    Task<Result<void>> Delete(TeamId team, HistoryId id);
    // kNotFound "history_audio_not_found": there was no room for it.
    Task<Result<blob::BlobContent>> Audio(TeamId team, const Item& item);
    // The texts of the requests of the last two hours that have these ids, in their order; what is
    // not known is left out. Also of what is not written yet.
    Task<std::vector<std::string>> TextsOfRequests(TeamId team, std::vector<std::string> ids);

    // One round of the sweeper: true when there was as much as one round may take.
    Task<bool> SweepOnce();
    const HistoryOptions& options() const;
    void UseClockForTest(std::function<Clock::time_point()> clock);

private:
    std::shared_ptr<Core> core_;
};

}  // namespace vf::history

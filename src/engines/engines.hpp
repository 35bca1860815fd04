#pragma once
// The speech engines: worker processes, the pools they stand in, and one segment being spoken.
//
// Every engine runs in processes of its own (programs `voiceflow-worker-<engine>`), one request at
// a time each, behind the frames of engines/protocol.hpp. Engines starts them, watches them, kills
// them when they hang, lie or take too much, and starts others. Text is plain (no markup), already
// normalised and split: at most kMaxTextBytes, best below 400 characters.
// Everything here lives on one loop thread. No text is ever logged.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/settings.hpp"
#include "base/task.hpp"
#include "engines/speaker.hpp"
#include "engines/voice.hpp"

namespace vf::engines {

// The sound of a text, to be found in time.
struct AlignRequest {
    std::string language;  // BCP 47; see Engines::Aligns
    std::string text;      // normalised UTF-8, 1 to kMaxAlignedTextBytes bytes
    // 1 to kMaxInputBytes bytes: signed 16-bit little-endian mono samples at `sample_rate`, or,
    // when that is 0, a file (WAV, FLAC, Ogg, MP3, AIFF and others that libsndfile reads).
    std::shared_ptr<const std::string> audio;
    int sample_rate = 0;
};

// Words and phonemes in their order ("cmu" alphabet), pauses as phonemes "SIL" without text; the
// last one ends where the audio ends. Times count from the first sample.
struct Alignment {
    std::vector<TimingEvent> events;
    int sample_rate = 0;  // what the events count in
};

struct EngineOptions {
    std::string enable = "flite,espeak";  // comma-separated, in the order of the catalogue
    std::string worker_dir;               // empty: ../libexec/voiceflow beside the server's program
    std::int64_t workers_per_engine = 0;  // 0: one per core
    std::chrono::milliseconds start_timeout{5'000};
    std::chrono::milliseconds first_chunk_timeout{5'000};
    std::chrono::milliseconds segment_timeout{30'000};
    std::chrono::milliseconds cancel_grace{250};
    std::int64_t queue_limit = 256;  // waiting segments per engine
    std::chrono::milliseconds queue_timeout{10'000};
    std::int64_t recycle_after = 1'000;                // segments per worker process
    std::uint64_t memory_limit = 512ULL << 20;         // address space of a worker
    std::uint64_t segment_buffer = 8ULL << 20;         // bytes of audio held for a slow caller
    std::chrono::milliseconds segment_audio{300'000};  // longest audio of one segment
    std::int64_t quarantine_size = 256;
    std::chrono::milliseconds quarantine_time{600'000};
    std::string worker_user = "nobody";                  // when the server is root
    bool alignment = true;                               // the aligner may be started
    std::chrono::milliseconds alignment_audio{600'000};  // longest audio of one alignment
    std::int64_t model_workers = 1;                      // worker processes of each installed model
    std::uint64_t model_memory_limit = 4ULL << 30;
    std::chrono::milliseconds model_start_timeout{60'000};
};
// Section "engines". `options` must outlive `schema`.
void DeclareSettings(SettingsSchema& schema, EngineOptions& options);

// An installed model: workers of their own, started in its folder.
struct ModelSpec {
    std::string id;
    std::string folder;  // absolute, readable for everybody; the folders above it need not be
};

// Figures of one engine for /api/server.
struct EngineStats {
    std::string name;  // "flite"; of a model "sherpa:" and its id
    std::string engine;
    std::string version;
    std::string licence;
    bool available = false;  // its program exists and has said hello
    std::size_t workers = 0, idle = 0, queued = 0;
    std::uint64_t segments = 0;  // spoken to the end
    std::uint64_t failed = 0;
    std::uint64_t restarts = 0;  // other than recycling
    std::uint64_t recycled = 0;
    double audio_seconds = 0;
    double cpu_seconds = 0;  // as told by the workers
};

class Pool;
class Quarantine;

class Engines {
public:
    // `options` is copied. Nothing runs before Start().
    Engines(asio::io_context& loop, EngineOptions options);
    ~Engines();
    Engines(const Engines&) = delete;
    Engines& operator=(const Engines&) = delete;

    // Starts all workers; returns when every engine has said hello, proved absent, or
    // `start_timeout` is over. An engine without a program or without its data is absent: logged
    // once, no error.
    Task<void> Start();
    // Ends every worker and waits for their exit; what is being spoken fails with `stopping`.
    Task<void> Stop();

    // An installed model comes: its workers start, and its voices join the catalogue when one has
    // said hello. One whose workers end three times before that is given up, which the log tells.
    void AddModel(const ModelSpec& model);
    // A model goes: its voices leave the catalogue at once; what is being spoken with them ends as
    // if nothing had happened, within `segment_timeout`. Unknown ids are nothing.
    void RemoveModel(const std::string& id);
    // Until every model that was added has its voices, was given up, or `model_start_timeout` has
    // passed.
    Task<void> WaitModels();

    // At least one engine takes work. Workers that are being recycled change nothing: work waits.
    bool ready() const;
    const Catalogue& catalogue() const { return catalogue_; }

    // Speaks with a voice of the catalogue. Waits for a free worker in a bounded first-in-first-out
    // queue, hands it the segment and returns; the audio comes from Utterance::Next(). Dropping the
    // task while it waits cancels.
    // Errors: kNotFound voice_not_found; kInvalid empty_text, text_too_long, invalid_utf8,
    // text_not_speakable (it killed two workers before), invalid_pronunciation;
    // kUnavailable no_worker with RetryAfter (queue full, waited too long, or the engine is down),
    // stopping.
    // The utterance's errors (all after the one retry, which happens only while no chunk has been
    // handed out):
    //   kDeadline    engine_timeout          no first chunk, or not finished, in time
    //   kUnavailable engine_failed           the worker died or broke the protocol
    //   kUnavailable no_worker               no worker became free for the retry
    //   kInvalid     text_not_speakable      this text has now killed two workers
    //   kInvalid     (the worker's code)     the engine refuses this text
    //   kDeadline    caller_too_slow         the buffer stayed full until the segment's deadline
    // Destroyed before its end, its worker is killed when it has not stopped within `cancel_grace`.
    // It may be destroyed after Stop(), not after the loop's end.
    Task<Result<std::unique_ptr<Utterance>>> Speak(SegmentRequest request);

    // Whether texts of this language can be aligned now.
    bool Aligns(std::string_view language) const;
    // Waits for the aligner as Speak() for a worker. Errors: kInvalid empty_text, text_too_long,
    // invalid_text, audio_too_long, invalid_audio (it cannot be read), alignment_failed (the text
    // does not fit into the audio); kUnavailable and kDeadline as of Speak and Utterance.
    Task<Result<Alignment>> Align(AlignRequest request);

    std::vector<EngineStats> stats() const;
    // Process ids of the live workers of a pool, by EngineStats::name.
    std::vector<int> WorkerPidsForTest(const std::string& name) const;

private:
    Pool* PoolOf(const Voice& voice) const;
    static Task<void> Drain(std::weak_ptr<bool> alive, Engines* self, std::shared_ptr<Pool> pool);

    asio::io_context& loop_;
    EngineOptions options_;
    Catalogue catalogue_;
    std::unique_ptr<Quarantine> quarantine_;
    std::vector<std::shared_ptr<Pool>> pools_;
    std::unique_ptr<Pool> aligner_;     // null: switched off, or there is no program for it
    bool has_aligner_started_ = false;  // with the first text
    bool stopping_ = false;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // for what outlives this object
};

}  // namespace vf::engines

#include "engines/engines.hpp"

namespace vf::engines {

void DeclareSettings(SettingsSchema& schema, EngineOptions& options) {
    using namespace std::chrono_literals;
    schema.Text("engines.enable", options.enable,
                {"\"flite,espeak\"",
                 "Speech engines to start, separated by commas, in the order of the voice list."});
    schema.Text("engines.worker_dir", options.worker_dir,
                {"\"/usr/libexec/voiceflow\"",
                 "Folder of the worker programs; empty means ../libexec/voiceflow beside the "
                 "server's own folder."});
    schema.Integer("engines.workers_per_engine", options.workers_per_engine, 0, 256,
                   {"2", "Worker processes of each engine; 0 means one per processor core."});
    schema.Duration("engines.start_timeout", options.start_timeout, 100ms, 10min,
                    {"\"5s\"", "How long a worker may take from its start to its hello."});
    schema.Duration("engines.first_chunk_timeout", options.first_chunk_timeout, 50ms, 10min,
                    {"\"5s\"", "How long a worker may take until the first audio of a segment."});
    schema.Duration("engines.segment_timeout", options.segment_timeout, 100ms, 1h,
                    {"\"30s\"", "How long a worker may take for a whole segment."});
    schema.Duration("engines.cancel_grace", options.cancel_grace, 10ms, 1min,
                    {"\"250ms\"",
                     "How long a worker may go on after a cancel before it is "
                     "replaced."});
    schema.Integer("engines.queue_limit", options.queue_limit, 1, 100'000,
                   {"256", "Segments that may wait for a worker, per engine."});
    schema.Duration("engines.queue_timeout", options.queue_timeout, 10ms, 10min,
                    {"\"10s\"", "How long a segment may wait for a worker."});
    schema.Integer("engines.recycle_after", options.recycle_after, 1, 1'000'000'000,
                   {"1000", "Segments after which a worker process is replaced by a new one."});
    schema.Bytes("engines.memory_limit", options.memory_limit, 64ULL << 20, 1ULL << 40,
                 {"\"512MiB\"", "Address space of one worker process."});
    schema.Bytes("engines.segment_buffer", options.segment_buffer, 64ULL << 10, 1ULL << 30,
                 {"\"8MiB\"",
                  "Audio of one segment held in memory for a slow client, so that its "
                  "worker is free again."});
    schema.Duration("engines.segment_audio", options.segment_audio, 1s, 1h,
                    {"\"5m\"", "Longest audio that one segment may become."});
    schema.Integer("engines.quarantine_size", options.quarantine_size, 0, 100'000,
                   {"256", "How many texts that killed workers are remembered; 0 turns it off."});
    schema.Duration("engines.quarantine_time", options.quarantine_time, 1s, 24h,
                    {"\"10m\"", "How long a text that killed two workers is refused."});
    schema.Flag("engines.alignment", options.alignment,
                {"true",
                 "Find the words of English texts in audio; the program for it is started with "
                 "the first one."});
    schema.Duration("engines.alignment_audio", options.alignment_audio, 1s, 1h,
                    {"\"10m\"", "Longest audio that a text is aligned with."});
    schema.Text("engines.worker_user", options.worker_user,
                {"\"nobody\"", "User that workers become when the server runs as root."});
    schema.Integer("engines.model_workers", options.model_workers, 1, 64,
                   {"1",
                    "Worker processes of each installed model; each loads the model for itself and "
                    "gets its share of the cores."});
    schema.Bytes("engines.model_memory_limit", options.model_memory_limit, 256ULL << 20, 1ULL << 40,
                 {"\"4GiB\"", "Address space of one worker process of a model."});
    schema.Duration("engines.model_start_timeout", options.model_start_timeout, 100ms, 10min,
                    {"\"60s\"", "How long a model may take from its start until it is loaded."});
}

}  // namespace vf::engines

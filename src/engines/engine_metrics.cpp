#include "engines/engine_metrics.hpp"

namespace vf::engines {
namespace {

using prometheus::Histogram;

const Histogram::BucketBoundaries kSeconds{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                           0.25,  0.5,    1,     2.5,  5,     10};

prometheus::Gauge& MakeGauge(const char* name, const char* help, const std::string& engine) {
    return prometheus::BuildGauge()
        .Name(name)
        .Help(help)
        .Register(metrics::Registry())
        .Add({{"engine", engine}});
}

prometheus::Counter& MakeCounter(const char* name, const char* help, const std::string& engine) {
    return prometheus::BuildCounter()
        .Name(name)
        .Help(help)
        .Register(metrics::Registry())
        .Add({{"engine", engine}});
}

prometheus::Counter& MakeOutcome(const std::string& engine, const char* outcome) {
    return prometheus::BuildCounter()
        .Name("voiceflow_engine_segments_total")
        .Help("Segments given to the engine, by outcome.")
        .Register(metrics::Registry())
        .Add({{"engine", engine}, {"outcome", outcome}});
}

Histogram& MakeHistogram(const char* name, const char* help, const std::string& engine) {
    return prometheus::BuildHistogram()
        .Name(name)
        .Help(help)
        .Register(metrics::Registry())
        .Add({{"engine", engine}}, kSeconds);
}

}  // namespace

EngineMetrics::EngineMetrics(const std::string& name)
    : engine(name), workers(MakeGauge("voiceflow_engine_workers", "Live worker processes.", name)),
      queued(MakeGauge("voiceflow_engine_queued", "Segments waiting for a worker.", name)),
      spoken(MakeOutcome(name, "spoken")), failed(MakeOutcome(name, "failed")),
      cancelled(MakeOutcome(name, "cancelled")),
      audio_seconds(
          MakeCounter("voiceflow_engine_audio_seconds_total", "Seconds of audio spoken.", name)),
      cpu_seconds(MakeCounter("voiceflow_engine_cpu_seconds_total",
                              "Processor seconds of the workers.", name)),
      queue_seconds(MakeHistogram("voiceflow_engine_queue_seconds",
                                  "How long segments waited for a worker.", name)),
      first_chunk_seconds(MakeHistogram("voiceflow_engine_first_chunk_seconds",
                                        "From the request to the first audio of a worker.", name)) {
}

void EngineMetrics::CountRestart(const std::string& cause) {
    prometheus::BuildCounter()
        .Name("voiceflow_engine_restarts_total")
        .Help("Worker processes replaced, by cause.")
        .Register(metrics::Registry())
        .Add({{"engine", engine}, {"cause", cause}})
        .Increment();
}

}  // namespace vf::engines

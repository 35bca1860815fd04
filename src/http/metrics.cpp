#include "http/metrics.hpp"

namespace vf::http {
namespace {

const prometheus::Histogram::BucketBoundaries kSeconds = {
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30};

prometheus::Family<prometheus::Counter>& Requests() {
    static auto& family = prometheus::BuildCounter()
                              .Name("voiceflow_requests_total")
                              .Help("Requests answered, by method, route pattern and status.")
                              .Register(metrics::Registry());
    return family;
}

prometheus::Family<prometheus::Histogram>& Latencies() {
    static auto& family = prometheus::BuildHistogram()
                              .Name("voiceflow_request_latency_seconds")
                              .Help("Time from a request's header to the end of its response.")
                              .Register(metrics::Registry());
    return family;
}

}  // namespace

RouteMetrics::RouteMetrics(std::string_view route)
    : route_(route), latency_(Latencies().Add({{"route", route_}}, kSeconds)) {}

void RouteMetrics::Count(Method method, int status, double seconds) {
    auto& known = requests_[static_cast<std::size_t>(method)];
    prometheus::Counter* counter = nullptr;
    for (const auto& [code, found] : known) {
        if (code == status) counter = found;
    }
    if (!counter) {
        counter = &Requests().Add({{"method", std::string(MethodName(method))},
                                   {"route", route_},
                                   {"status", std::to_string(status)}});
        known.emplace_back(status, counter);
    }
    counter->Increment();
    constexpr int kSwitched = 101;  // lasts as long as the client likes
    if (status != kSwitched) latency_.Observe(seconds);
}

ServerMetrics::ServerMetrics()
    : connections(prometheus::BuildGauge()
                      .Name("voiceflow_http_connections")
                      .Help("Open client connections.")
                      .Register(metrics::Registry())
                      .Add({})),
      sockets(prometheus::BuildGauge()
                  .Name("voiceflow_http_sockets")
                  .Help("Open WebSockets.")
                  .Register(metrics::Registry())
                  .Add({})),
      bytes_sent(prometheus::BuildCounter()
                     .Name("voiceflow_http_bytes_sent_total")
                     .Help("Bytes given to client sockets, before TLS.")
                     .Register(metrics::Registry())
                     .Add({})) {}

}  // namespace vf::http

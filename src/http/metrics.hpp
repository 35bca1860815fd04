#pragma once
// The server's counters: voiceflow_requests_total{method,route,status},
// voiceflow_request_latency_seconds{route}, voiceflow_http_connections,
// voiceflow_http_sockets, voiceflow_http_bytes_sent_total. The route is a pattern or "none", never
// what a client sent.

#include <array>
#include <chrono>
#include <utility>
#include <vector>

#include "base/metrics.hpp"
#include "http/request.hpp"

namespace vf::http {

// The counters of one route, looked up once.
class RouteMetrics {
public:
    explicit RouteMetrics(std::string_view route);
    void Count(Method method, int status, double seconds);

private:
    std::string route_;
    std::array<std::vector<std::pair<int, prometheus::Counter*>>, kMethodCount> requests_;
    prometheus::Histogram& latency_;
};

struct ServerMetrics {
    ServerMetrics();
    prometheus::Gauge& connections;
    prometheus::Gauge& sockets;
    prometheus::Counter& bytes_sent;
};

}  // namespace vf::http

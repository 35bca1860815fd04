#pragma once
// One JSON line per request. Never the query, a body or a header other than the user agent.

#include <chrono>
#include <cstdint>
#include <ctime>
#include <string>

#include "http/request.hpp"

namespace vf::http {

// The present time as text, made once per second. One loop, not thread-safe.
class WallClock {
public:
    void Update();
    std::string_view date() const { return date_; }  // "Sat, 21 Nov 2026 14:30:00 GMT"
    // Appends "2026-11-21T14:30:00.123Z".
    void AppendTime(std::string& out);

private:
    std::time_t second_ = -1;
    int millis_ = 0;
    std::string date_;
    std::string time_;
};

struct AccessEntry {
    int status = 0;           // 499: the client left before there was an answer
    std::uint64_t bytes = 0;  // of the response, head included
    std::chrono::steady_clock::duration duration{};
    bool is_whole = true;  // false: the client left or the body failed
};

class AccessLog {
public:
    void Write(const Request& request, const AccessEntry& entry, WallClock& clock);

private:
    std::string line_;
};

}  // namespace vf::http

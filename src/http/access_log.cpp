#include "http/access_log.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <chrono>
#include <iterator>

#include "base/log.hpp"
#include "base/utf8.hpp"

namespace vf::http {
namespace {

constexpr std::size_t kMaxAgent = 200;

std::string_view KindName(Caller::Kind kind) {
    switch (kind) {
        case Caller::Kind::kAnonymous: return "anonymous";
        case Caller::Kind::kDemo: return "demo";
        case Caller::Kind::kKey: return "key";
        case Caller::Kind::kSession: return "session";
    }
    return "unknown";
}

}  // namespace

void WallClock::Update() {
    timespec now{};
    clock_gettime(CLOCK_REALTIME, &now);
    constexpr int kNanosPerMilli = 1'000'000;
    millis_ = static_cast<int>(now.tv_nsec / kNanosPerMilli);
    if (now.tv_sec == second_) return;
    second_ = now.tv_sec;
    const std::tm utc = fmt::gmtime(second_);
    date_ = fmt::format("{:%a, %d %b %Y %H:%M:%S} GMT", utc);
    time_ = fmt::format("{:%Y-%m-%dT%H:%M:%S}", utc);
}

void WallClock::AppendTime(std::string& out) {
    out += time_;
    out += '.';
    out += static_cast<char>('0' + millis_ / 100);
    out += static_cast<char>('0' + millis_ / 10 % 10);
    out += static_cast<char>('0' + millis_ % 10);
    out += 'Z';
}

void AccessLog::Write(const Request& request, const AccessEntry& entry, WallClock& clock) {
    const auto number = [this](std::uint64_t value) {
        const fmt::format_int text(value);
        line_.append(text.data(), text.size());
    };
    const auto micros = static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::microseconds>(entry.duration).count());
    line_ = "{\"time\":\"";
    clock.AppendTime(line_);
    line_ += "\",\"request_id\":\"";
    line_ += request.id;  // of harmless characters only
    line_ += "\",\"method\":\"";
    line_ += MethodName(request.method);
    line_ += "\",\"route\":\"";
    log::AppendEscaped(line_, request.route);
    line_ += "\",\"status\":";
    number(static_cast<std::uint64_t>(entry.status));
    line_ += ",\"bytes\":";
    number(entry.bytes);
    line_ += ",\"duration_ms\":";
    number(micros / 1000);
    line_ += '.';
    for (const std::uint64_t scale : {100U, 10U, 1U}) {
        line_ += static_cast<char>('0' + micros / scale % 10);
    }
    line_ += ",\"peer\":\"";
    line_ += request.peer.address;
    line_ += "\",\"caller\":\"";
    line_ += KindName(request.caller.kind);
    line_ += entry.is_whole ? "\",\"complete\":true" : "\",\"complete\":false";
    line_ += ",\"user_agent\":\"";
    log::AppendEscaped(line_, request.headers.Get("User-Agent").substr(0, kMaxAgent));
    line_ += "\"}";
    log::Access(line_);
}

}  // namespace vf::http

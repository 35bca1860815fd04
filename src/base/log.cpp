#include "base/log.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <memory>
#include <mutex>
#include <thread>

#include "base/utf8.hpp"

namespace vf::log {
namespace {

constexpr std::size_t kMaxLine = 8 * 1024;
constexpr std::size_t kAccessBuffer = 64 * 1024;
constexpr std::chrono::milliseconds kAccessDelay{200};

struct State {
    std::shared_ptr<spdlog::logger> logger;
    Format format = Format::kJson;
};

State& GetState() {
    static State state = [] {
        State s;
        s.logger = std::make_shared<spdlog::logger>(
            "voiceflow", std::make_shared<spdlog::sinks::stderr_sink_mt>());
        s.logger->set_pattern("%v");
        s.logger->set_level(spdlog::level::info);
        return s;
    }();
    return state;
}

// Buffers access lines; `mutex` protects `buffer` and `stopping`. The writer thread exists only
// once a line was written.
class AccessBuffer {
public:
    ~AccessBuffer() {
        {
            std::lock_guard lock(mutex_);
            stopping_ = true;
        }
        wake_.notify_one();
        if (writer_.joinable()) writer_.join();
        Write();
    }

    void Append(std::string_view line) {
        std::lock_guard lock(mutex_);
        if (!writer_.joinable()) writer_ = std::thread([this] { Run(); });
        buffer_.append(line.substr(0, kMaxLine));
        buffer_.push_back('\n');
        if (buffer_.size() >= kAccessBuffer) wake_.notify_one();
    }

    void Write() {
        std::lock_guard writing(write_mutex_);
        std::string out;
        {
            std::lock_guard lock(mutex_);
            out.swap(buffer_);
        }
        if (out.empty()) return;
        out.pop_back();
        GetState().logger->log(spdlog::level::critical, fmt::string_view(out));
        GetState().logger->flush();
    }

private:
    void Run() {
        for (;;) {
            bool stop = false;
            {
                std::unique_lock lock(mutex_);
                wake_.wait_for(lock, kAccessDelay,
                               [&] { return stopping_ || buffer_.size() >= kAccessBuffer; });
                stop = stopping_;
            }
            Write();
            if (stop) return;
        }
    }

    std::mutex mutex_;
    std::mutex write_mutex_;  // keeps blocks of lines in order
    std::condition_variable wake_;
    std::string buffer_;
    bool stopping_ = false;
    std::thread writer_;
};

AccessBuffer& GetAccessBuffer() {
    static AccessBuffer buffer;
    return buffer;
}

void AppendValue(std::string& out, const Field::Value& value) {
    if (const auto* i = std::get_if<std::int64_t>(&value)) {
        fmt::format_to(std::back_inserter(out), "{}", *i);
    } else if (const auto* d = std::get_if<double>(&value)) {
        fmt::format_to(std::back_inserter(out), "{:.6g}", *d);
    } else if (const auto* b = std::get_if<bool>(&value)) {
        out += *b ? "true" : "false";
    } else {
        out += '"';
        AppendEscaped(out, std::get<std::string_view>(value));
        out += '"';
    }
}

void Write(spdlog::level::level_enum level, std::string_view name, std::string_view event,
           Fields fields) {
    State& state = GetState();
    if (!state.logger->should_log(level)) return;
    const auto now =
        std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
    const auto millis = now.time_since_epoch().count() % 1000;
    std::string line;
    if (state.format == Format::kJson) {
        line = fmt::format(R"({{"time":"{:%Y-%m-%dT%H:%M:%S}.{:03}Z","level":"{}","event":")",
                           fmt::gmtime(std::chrono::system_clock::to_time_t(now)), millis, name);
        AppendEscaped(line, event);
        line += '"';
        for (const Field& field : fields) {
            line += ",\"";
            AppendEscaped(line, field.name);
            line += "\":";
            AppendValue(line, field.value);
        }
        if (line.size() > kMaxLine) {
            line.resize(Utf8Floor(line, kMaxLine));
            line += "\",\"cut\":true";
        }
        line += '}';
    } else {
        line = fmt::format("{:%H:%M:%S} {:7} {}",
                           fmt::gmtime(std::chrono::system_clock::to_time_t(now)), name, event);
        for (const Field& field : fields) {
            line += fmt::format(" {}=", field.name);
            AppendValue(line, field.value);
        }
        if (line.size() > kMaxLine) line.resize(Utf8Floor(line, kMaxLine));
    }
    state.logger->log(level, fmt::string_view(line));
}

}  // namespace

void Configure(Level level, Format format, const std::string& path) {
    State& state = GetState();
    spdlog::sink_ptr sink;
    if (path.empty()) {
        sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
    } else {
        sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(path);
    }
    state.logger = std::make_shared<spdlog::logger>("voiceflow", sink);
    state.logger->set_pattern("%v");
    state.logger->flush_on(spdlog::level::info);
    state.format = format;
    switch (level) {
        case Level::kDebug: state.logger->set_level(spdlog::level::debug); break;
        case Level::kInfo: state.logger->set_level(spdlog::level::info); break;
        case Level::kWarning: state.logger->set_level(spdlog::level::warn); break;
        case Level::kError: state.logger->set_level(spdlog::level::err); break;
    }
}

void Debug(std::string_view event, Fields fields) {
    Write(spdlog::level::debug, "debug", event, fields);
}
void Info(std::string_view event, Fields fields) {
    Write(spdlog::level::info, "info", event, fields);
}
void Warning(std::string_view event, Fields fields) {
    Write(spdlog::level::warn, "warning", event, fields);
}
void Error(std::string_view event, Fields fields) {
    Write(spdlog::level::err, "error", event, fields);
}

void Access(std::string_view line) {
    GetAccessBuffer().Append(line);
}

void Flush() {
    GetAccessBuffer().Write();
    GetState().logger->flush();
}

void AppendEscaped(std::string& out, std::string_view text) {
    static constexpr char kHex[] = "0123456789abcdef";
    std::size_t i = 0;
    while (i < text.size()) {
        const unsigned char c = static_cast<unsigned char>(text[i]);
        if (c == '"' || c == '\\') {
            out += '\\';
            out += static_cast<char>(c);
            ++i;
        } else if (c < 0x20 || c == 0x7f) {
            out += "\\u00";
            out += kHex[c >> 4];
            out += kHex[c & 15];
            ++i;
        } else if (c < 0x80) {
            out += static_cast<char>(c);
            ++i;
        } else {
            const std::size_t length = Utf8SequenceLength(text.substr(i));
            if (length == 0) {
                out += "\\ufffd";
                ++i;
            } else {
                out.append(text.substr(i, length));
                i += length;
            }
        }
    }
}

}  // namespace vf::log

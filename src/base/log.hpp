#pragma once
// Structured logging: one JSON object per line on stderr (or a file), with a time, a level, an
// event name and named fields. Text to be spoken and secrets are customer data and never go here.
// Callable from every thread; lines longer than 8 KiB are cut.

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>

namespace vf::log {

enum class Level { kDebug, kInfo, kWarning, kError };
enum class Format { kJson, kText };  // kText: one readable line for a person at a terminal

struct Field {
    using Value = std::variant<std::int64_t, double, bool, std::string_view>;
    std::string_view name;
    Value value;

    template <class Int>
        requires std::is_integral_v<Int> && (!std::is_same_v<Int, bool>)
    Field(std::string_view n, Int v) : name(n), value(static_cast<std::int64_t>(v)) {}
    Field(std::string_view n, bool v) : name(n), value(v) {}
    Field(std::string_view n, double v) : name(n), value(v) {}
    Field(std::string_view n, const char* v) : name(n), value(std::string_view(v)) {}
    Field(std::string_view n, std::string_view v) : name(n), value(v) {}
    Field(std::string_view n, const std::string& v) : name(n), value(std::string_view(v)) {}
};
using Fields = std::initializer_list<Field>;

// Call once, before threads. An empty path means stderr. Throws std::runtime_error when the file
// cannot be opened.
void Configure(Level level, Format format, const std::string& path);

void Debug(std::string_view event, Fields fields = {});
void Info(std::string_view event, Fields fields = {});
void Warning(std::string_view event, Fields fields = {});
void Error(std::string_view event, Fields fields = {});

// The access log's own channel: appends one ready-made JSON line (without line end) to a buffer
// that is written when it holds 64 KiB, after 200 ms, and at exit.
void Access(std::string_view line);
// Writes what is buffered.
void Flush();

// Appends `text` to `out` as the inside of a JSON string: quotes, backslashes, control characters
// and invalid UTF-8 escaped, so that a log line is always one valid JSON object.
void AppendEscaped(std::string& out, std::string_view text);

}  // namespace vf::log

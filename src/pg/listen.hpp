#pragma once
// What LISTEN delivers.

#include <chrono>
#include <functional>
#include <optional>
#include <string>

namespace vf::pg {

using Timeout = std::optional<std::chrono::milliseconds>;  // none: PoolOptions::query_timeout

struct ListenEvent {
    enum class Kind {
        kListening,  // LISTEN is in force from here on, after every (re)connection: read the state
                     // anew, since what was notified before may be lost
        kMessage,
    };
    Kind kind;
    std::string payload;  // of kMessage
};
using ListenCallback = std::function<void(const ListenEvent&)>;

}  // namespace vf::pg

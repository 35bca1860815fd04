#pragma once
// What waits to be written to one socket: small texts gathered into one piece, large bodies kept
// apart without a copy.

#include <cstddef>
#include <deque>
#include <memory>
#include <string>
#include <string_view>

#include "http/transport.hpp"

namespace vf::http {

class Outbox {
public:
    enum class State { kEmpty, kBlocked, kFailed };

    // The text to append heads and small bodies to.
    std::string& Text();
    void Append(std::string body);
    void Append(std::shared_ptr<const std::string> body);

    // Writes until nothing is left or the socket takes no more. `written` grows by what it took.
    State Flush(Transport& transport, std::size_t& written);

    // Bytes that wait.
    std::size_t size() const;
    bool empty() const { return size() == 0; }
    void Clear();

private:
    struct Piece {
        std::string own;
        std::shared_ptr<const std::string> shared;
        bool is_open = false;  // texts may still be appended
        std::string_view view() const { return shared ? *shared : own; }
    };
    void Drop(std::size_t bytes);

    std::deque<Piece> pieces_;
    std::size_t begin_ = 0;  // bytes of the first piece that are written already
};

}  // namespace vf::http

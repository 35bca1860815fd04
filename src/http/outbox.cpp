#include "http/outbox.hpp"

#include <array>

namespace vf::http {
namespace {

constexpr std::size_t kCopyBelow = 4096;  // copying this much is cheaper than another piece
constexpr std::size_t kPiecesPerWrite = 16;

}  // namespace

std::string& Outbox::Text() {
    if (pieces_.empty() || !pieces_.back().is_open) {
        pieces_.push_back({{}, nullptr, true});
    }
    return pieces_.back().own;
}

void Outbox::Append(std::string body) {
    if (body.size() < kCopyBelow) {
        Text() += body;
    } else {
        pieces_.push_back({std::move(body), nullptr, false});
    }
}

void Outbox::Append(std::shared_ptr<const std::string> body) {
    if (body->size() < kCopyBelow) {
        Text() += *body;
    } else {
        pieces_.push_back({{}, std::move(body), false});
    }
}

std::size_t Outbox::size() const {
    std::size_t total = 0;
    for (const Piece& piece : pieces_) total += piece.view().size();
    return total - begin_;
}

void Outbox::Clear() {
    pieces_.clear();
    begin_ = 0;
}

void Outbox::Drop(std::size_t bytes) {
    begin_ += bytes;
    while (!pieces_.empty() && begin_ >= pieces_.front().view().size()) {
        begin_ -= pieces_.front().view().size();
        pieces_.pop_front();
    }
}

Outbox::State Outbox::Flush(Transport& transport, std::size_t& written) {
    while (!pieces_.empty()) {
        std::array<iovec, kPiecesPerWrite> vector{};
        int count = 0;
        for (const Piece& piece : pieces_) {
            if (count == static_cast<int>(kPiecesPerWrite)) break;
            std::string_view view = piece.view();
            if (count == 0) view.remove_prefix(begin_);
            vector[static_cast<std::size_t>(count++)] = {const_cast<char*>(view.data()),
                                                         view.size()};
        }
        const IoResult result = transport.Write(vector.data(), count);
        if (result.kind == IoResult::Kind::kWantWrite) return State::kBlocked;
        if (result.kind != IoResult::Kind::kDone) return State::kFailed;
        written += result.bytes;
        Drop(result.bytes);
    }
    return State::kEmpty;
}

}  // namespace vf::http

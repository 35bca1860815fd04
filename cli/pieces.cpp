#include "pieces.hpp"

#include "base/utf8.hpp"

namespace vf::cli {
namespace {

// Byte length of the first `characters` code points.
std::size_t BytesOf(std::string_view text, std::size_t characters) {
    std::size_t bytes = 0;
    while (characters-- > 0 && bytes < text.size()) {
        bytes += Utf8SequenceLength(text.substr(bytes));
    }
    return bytes;
}

// Where to cut a window that is full: after the last break of the best kind in its second half.
std::size_t BestCut(std::string_view window) {
    const auto last_after = [&](std::string_view mark) -> std::size_t {
        const std::size_t at = window.rfind(mark);
        return at == std::string_view::npos || at < window.size() / 2 ? 0 : at + mark.size();
    };
    if (const std::size_t cut = last_after("\n\n")) return cut;
    std::size_t sentence = 0;
    for (const std::string_view mark : {". ", "! ", "? ", ".\n", "!\n", "?\n", "。", "！", "？"}) {
        sentence = std::max(sentence, last_after(mark));
    }
    if (sentence) return sentence;
    if (const std::size_t cut = std::max(last_after(" "), last_after("\n"))) return cut;
    return window.size();
}

}  // namespace

std::vector<std::string> Pieces(std::string_view text, std::size_t max_characters) {
    std::vector<std::string> pieces;
    while (!text.empty()) {
        const std::size_t window = BytesOf(text, max_characters);
        const std::size_t cut = window == text.size() ? window : BestCut(text.substr(0, window));
        const std::string_view piece = text.substr(0, cut);
        if (piece.find_first_not_of(" \t\r\n") != std::string_view::npos) {
            pieces.emplace_back(piece);
        }
        text.remove_prefix(cut);
    }
    return pieces;
}

}  // namespace vf::cli

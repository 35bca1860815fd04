#include "text/script.hpp"

namespace vf::text {

Script PlainScript(std::string_view original) {
    Script script;
    if (original.empty()) return script;
    Piece piece;
    piece.text = MappedText::Of(original);
    script.pieces.push_back(std::move(piece));
    return script;
}

}  // namespace vf::text

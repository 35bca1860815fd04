#pragma once
// Text that remembers where it came from. Every step between the text as sent and the text an
// engine gets works on a MappedText, so that a word spoken can be shown in the original. Positions
// are bytes of UTF-8. Plain data; not thread-safe.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vf::text {

struct TextRange {
    std::size_t begin = 0;
    std::size_t end = 0;
    bool operator==(const TextRange&) const = default;
};

// A stretch of text and the stretch of the original it stands for. Verbatim: byte for byte the
// same; otherwise the whole stretch stands for the whole original stretch.
struct MapRun {
    std::uint32_t begin;
    std::uint32_t end;
    std::uint32_t original_begin;
    std::uint32_t original_end;
    bool verbatim;
};

class MappedText {
public:
    MappedText() = default;

    // All of `original`, verbatim.
    static MappedText Of(std::string_view original);

    const std::string& text() const { return text_; }
    const std::vector<MapRun>& runs() const { return runs_; }
    bool empty() const { return text_.empty(); }

    // The stretch of the original that [begin, end) of the text stands for; both grow to whole
    // replacements. An empty range gives an empty range at its place. Bounds are clamped.
    TextRange Original(std::size_t begin, std::size_t end) const;

    // The other way round: the stretch of the text that stands for [begin, end) of the original,
    // whole replacements included. Empty at its place when nothing is left of it.
    TextRange Find(std::size_t begin, std::size_t end) const;

    // This text, whose original is the text of `outer`, as one whose original is outer's.
    MappedText Over(const MappedText& outer) const;

    // The same text for an original of which only [begin, end) is there: positions count from
    // `begin`, what stands for the rest comes to lie at its borders.
    MappedText Window(std::size_t begin, std::size_t end) const;

    // Appends bytes [begin, end) of `source`, with their origin.
    void Append(const MappedText& source, std::size_t begin, std::size_t end);
    // Appends `replacement` in the place of [begin, end) of `source`.
    void AppendReplaced(const MappedText& source, std::size_t begin, std::size_t end,
                        std::string_view replacement);

    MappedText Slice(std::size_t begin, std::size_t end) const;

private:
    void AddRun(MapRun run);

    std::string text_;
    std::vector<MapRun> runs_;  // ascending, no gaps in the text, monotone in the original
};

}  // namespace vf::text

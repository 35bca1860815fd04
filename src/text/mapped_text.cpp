#include "text/mapped_text.hpp"

#include <algorithm>

namespace vf::text {

MappedText MappedText::Of(std::string_view original) {
    MappedText result;
    result.text_ = original;
    const auto size = static_cast<std::uint32_t>(original.size());
    if (size > 0) result.runs_.push_back({0, size, 0, size, true});
    return result;
}

TextRange MappedText::Original(std::size_t begin, std::size_t end) const {
    if (runs_.empty()) return {};
    begin = std::min(begin, text_.size());
    end = std::clamp(end, begin, text_.size());
    // The run that holds byte `at`; the last one for the end of the text.
    const auto find = [this](std::size_t at) {
        auto run = std::upper_bound(runs_.begin(), runs_.end(), at,
                                    [](std::size_t byte, const MapRun& r) { return byte < r.end; });
        return run == runs_.end() ? runs_.end() - 1 : run;
    };
    const auto first = find(begin);
    const std::size_t original_begin =
        first->verbatim ? first->original_begin + (begin - first->begin) : first->original_begin;
    if (begin == end) return {original_begin, original_begin};
    const auto last = find(end - 1);
    const std::size_t original_end =
        last->verbatim ? last->original_begin + (end - last->begin) : last->original_end;
    return {original_begin, original_end};
}

TextRange MappedText::Find(std::size_t begin, std::size_t end) const {
    const auto first = std::upper_bound(
        runs_.begin(), runs_.end(), begin,
        [](std::size_t byte, const MapRun& run) { return byte < run.original_end; });
    if (first == runs_.end()) return {text_.size(), text_.size()};
    const auto inside = [](const MapRun& run, std::size_t byte) {
        return run.begin + (std::clamp<std::size_t>(byte, run.original_begin, run.original_end) -
                            run.original_begin);
    };
    TextRange found;
    found.begin = first->verbatim ? inside(*first, begin) : first->begin;
    found.end = found.begin;
    for (auto run = first; run != runs_.end() && run->original_begin < end; ++run) {
        found.end = run->verbatim ? inside(*run, end) : run->end;
    }
    return found;
}

MappedText MappedText::Over(const MappedText& outer) const {
    MappedText out;
    for (const MapRun& run : runs_) {
        if (run.verbatim) {
            out.Append(outer, run.original_begin, run.original_end);
        } else {
            out.AppendReplaced(outer, run.original_begin, run.original_end,
                               std::string_view(text_).substr(run.begin, run.end - run.begin));
        }
    }
    return out;
}

MappedText MappedText::Window(std::size_t begin, std::size_t end) const {
    MappedText out;
    out.text_ = text_;
    const auto place = [&](std::size_t at) {
        return static_cast<std::uint32_t>(std::clamp(at, begin, end) - begin);
    };
    const auto add = [&](MapRun run, std::size_t from, std::size_t to) {
        if (from >= to) return;
        const bool is_inside = from >= begin && to <= end;
        MapRun part = run;
        if (run.verbatim) {
            part.begin = run.begin + static_cast<std::uint32_t>(from - run.original_begin);
            part.end = run.begin + static_cast<std::uint32_t>(to - run.original_begin);
        }
        part.original_begin = place(from);
        part.original_end = place(to);
        part.verbatim = run.verbatim && is_inside;
        out.runs_.push_back(part);
    };
    for (const MapRun& run : runs_) {
        if (!run.verbatim) {
            MapRun whole = run;
            whole.original_begin = place(run.original_begin);
            whole.original_end = place(run.original_end);
            out.runs_.push_back(whole);
            continue;
        }
        const std::size_t from =
            std::clamp<std::size_t>(begin, run.original_begin, run.original_end);
        const std::size_t to = std::clamp<std::size_t>(end, from, run.original_end);
        add(run, run.original_begin, from);
        add(run, from, to);
        add(run, to, run.original_end);
    }
    return out;
}

void MappedText::AddRun(MapRun run) {
    if (run.begin == run.end) return;
    if (!runs_.empty()) {
        MapRun& last = runs_.back();
        const bool adjacent = last.original_end == run.original_begin;
        // Pieces of one replacement come back together.
        const bool same = !last.verbatim && !run.verbatim &&
                          last.original_begin == run.original_begin &&
                          last.original_end == run.original_end;
        if ((last.verbatim && run.verbatim && adjacent) || same) {
            last.end = run.end;
            last.original_end = run.original_end;
            return;
        }
    }
    runs_.push_back(run);
}

void MappedText::Append(const MappedText& source, std::size_t begin, std::size_t end) {
    end = std::min(end, source.text_.size());
    if (begin >= end) return;
    auto run = std::upper_bound(source.runs_.begin(), source.runs_.end(), begin,
                                [](std::size_t byte, const MapRun& r) { return byte < r.end; });
    for (; run != source.runs_.end() && run->begin < end; ++run) {
        const std::size_t from = std::max<std::size_t>(begin, run->begin);
        const std::size_t to = std::min<std::size_t>(end, run->end);
        MapRun copy = *run;
        if (copy.verbatim) {
            copy.original_begin += static_cast<std::uint32_t>(from - run->begin);
            copy.original_end = copy.original_begin + static_cast<std::uint32_t>(to - from);
        }
        copy.begin = static_cast<std::uint32_t>(text_.size());
        text_.append(source.text_, from, to - from);
        copy.end = static_cast<std::uint32_t>(text_.size());
        AddRun(copy);
    }
}

void MappedText::AppendReplaced(const MappedText& source, std::size_t begin, std::size_t end,
                                std::string_view replacement) {
    const TextRange original = source.Original(begin, end);
    const auto start = static_cast<std::uint32_t>(text_.size());
    text_ += replacement;
    AddRun({start, static_cast<std::uint32_t>(text_.size()),
            static_cast<std::uint32_t>(original.begin), static_cast<std::uint32_t>(original.end),
            false});
}

MappedText MappedText::Slice(std::size_t begin, std::size_t end) const {
    MappedText result;
    result.Append(*this, begin, end);
    return result;
}

}  // namespace vf::text

// SPDX-License-Identifier: GPL-3.0-or-later
#include "espeak/input.hpp"

#include <algorithm>
#include <string_view>

#include "base/utf8.hpp"

namespace vf::worker {
namespace {

class Writer {
public:
    Writer(std::string_view source, EspeakInput& out) : source_(source), out_(out) {}

    // The text's own words up to `end`.
    void Copy(std::uint32_t end) {
        while (at_ < end) {
            const std::string_view rest = source_.substr(at_);
            const std::size_t length = Utf8SequenceLength(rest);
            const auto next = static_cast<std::uint32_t>(at_ + length);
            out_.origins.push_back({at_, next});
            if (length == 1) {
                out_.text += Harmless(rest[0]);
            } else {
                out_.text += rest.substr(0, length);
            }
            at_ = next;
            clause_ += length;
            if (IsClauseEnd()) clause_ = 0;
        }
    }

    // Phonemes that stand for [at, end) of the text.
    void Replace(std::string_view phonemes, std::uint32_t end) {
        while (!phonemes.empty()) {
            const std::string group(phonemes.substr(0, phonemes.find(' ')));
            phonemes.remove_prefix(std::min(group.size() + 1, phonemes.size()));
            if (clause_ + group.size() > kClauseBytes) {
                Put(", ", end);
                clause_ = 0;
            }
            Put("[[" + group + "]]", end);
            if (!phonemes.empty()) Put(" ", end);
        }
        at_ = end;
    }

private:
    // espeak-ng cuts a clause that is too long for its buffer wherever that is; what is behind the
    // cut would no longer be read as phonemes.
    static constexpr std::size_t kClauseBytes = 560;

    void Put(std::string_view ascii, std::uint32_t end) {
        out_.text += ascii;
        out_.origins.insert(out_.origins.end(), ascii.size(), {at_, end});
        clause_ += ascii.size();
    }

    bool IsClauseEnd() const {
        const std::string& text = out_.text;
        return text.size() >= 2 && text.back() == ' ' &&
               std::string_view(".,;:!?").find(text[text.size() - 2]) != std::string_view::npos;
    }

    char Harmless(char c) const {
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) return ' ';
        if (!out_.has_phonemes) return c;
        return c == '[' ? '(' : c == ']' ? ')' : c;
    }

    std::string_view source_;
    EspeakInput& out_;
    std::uint32_t at_ = 0;
    std::size_t clause_ = 0;  // bytes since the last pause
};

}  // namespace

EspeakInput::Range EspeakInput::Origin(std::size_t first, std::size_t length) const {
    first = std::min(first, origins.size() - 1);
    if (length == 0) return {origins[first].begin, origins[first].begin};
    const std::size_t last = std::min(first + length, origins.size()) - 1;
    return {origins[first].begin, std::max(origins[first].end, origins[last].end)};
}

EspeakInput MakeEspeakInput(const engines::Request& request,
                            const std::vector<std::string>& phonemes) {
    EspeakInput input;
    input.has_phonemes = !phonemes.empty();
    Writer writer(request.text, input);
    const auto size = static_cast<std::uint32_t>(request.text.size());
    for (std::size_t i = 0; i < phonemes.size(); ++i) {
        const engines::Pronunciation& place = request.pronunciations[i];
        writer.Copy(place.begin);
        writer.Replace(phonemes[i], place.end);
    }
    writer.Copy(size);
    input.origins.push_back({size, size});
    return input;
}

}  // namespace vf::worker

#include "text/phoneme_parse.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/utf8.hpp"

namespace vf::text {
namespace {

using Kind = IpaUnit::Kind;

// What says something about melody or joins words, which no engine takes.
constexpr std::string_view kSilent[] = {"‿", "↗", "↘", "ꜛ", "ꜜ", "-", "\u200D"};

struct Sign {
    std::string_view written;
    Kind kind;
};
constexpr Sign kSigns[] = {{"ˈ", Kind::kPrimary},     {"ˌ", Kind::kSecondary},
                           {".", Kind::kSyllableEnd}, {" ", Kind::kWordEnd},
                           {"|", Kind::kWordEnd},     {"‖", Kind::kWordEnd},
                           {"\t", Kind::kWordEnd},    {"\n", Kind::kWordEnd}};

template <class List, class Key>
auto Longest(const List& list, std::string_view text, Key key) -> decltype(&*std::begin(list)) {
    decltype(&*std::begin(list)) best = nullptr;
    for (const auto& item : list) {
        const std::string_view name = item.*key;
        if (text.starts_with(name) && (best == nullptr || name.size() > (best->*key).size())) {
            best = &item;
        }
    }
    return best;
}

// The usual spelling, and for each of its bytes the byte it came from.
struct Spelled {
    std::string text;
    std::vector<std::size_t> from;
};

Spelled Respell(std::string_view ipa) {
    Spelled out;
    for (std::size_t at = 0; at < ipa.size();) {
        const std::string_view rest = ipa.substr(at);
        const Spelling* spelling = Longest(Spellings(), rest, &Spelling::written);
        const std::size_t length = spelling != nullptr
                                       ? spelling->written.size()
                                       : std::max<std::size_t>(1, Utf8SequenceLength(rest));
        out.text += spelling != nullptr ? spelling->ipa : rest.substr(0, length);
        out.from.resize(out.text.size(), at);
        at += length;
    }
    return out;
}

// /hɛˈloʊ/ and [hɛˈloʊ] are how dictionaries print it.
std::string_view WithoutBrackets(std::string_view ipa) {
    if (ipa.size() < 2) return ipa;
    const bool is_pair =
        (ipa.front() == '/' && ipa.back() == '/') || (ipa.front() == '[' && ipa.back() == ']');
    return is_pair ? ipa.substr(1, ipa.size() - 2) : ipa;
}

// Appends what `rest` begins with; the bytes that it took, 0: no IPA.
std::size_t TakeOne(std::string_view rest, std::vector<IpaUnit>& units) {
    if (const Sound* sound = Longest(Sounds(), rest, &Sound::ipa)) {
        units.push_back({Kind::kSound, sound, {}, std::string(sound->ipa)});
        return sound->ipa.size();
    }
    const Mark* mark = Longest(Marks(), rest, &Mark::ipa);
    if (mark != nullptr && !units.empty() && units.back().kind == Kind::kSound) {
        units.back().marks.push_back(mark);
        units.back().text += mark->ipa;
        return mark->ipa.size();
    }
    for (const Sign& sign : kSigns) {
        if (!rest.starts_with(sign.written)) continue;
        units.push_back({sign.kind, nullptr, {}, std::string(sign.written)});
        return sign.written.size();
    }
    for (const std::string_view silent : kSilent) {
        if (rest.starts_with(silent)) return silent.size();
    }
    return 0;
}

}  // namespace

bool IpaUnit::Has(std::string_view mark) const {
    return std::ranges::any_of(marks, [&](const Mark* m) { return m->ipa == mark; });
}

Error NoPhoneme(std::string_view text, std::size_t at, std::string_view alphabet) {
    const std::string_view rest = text.substr(std::min(at, text.size()));
    const std::size_t length = std::max<std::size_t>(1, Utf8SequenceLength(rest));
    if (rest.empty()) {
        return Error(ErrorKind::kInvalid, "invalid_phonemes",
                     fmt::format("There are no phonemes in {}.", alphabet));
    }
    return Error(ErrorKind::kInvalid, "invalid_phonemes",
                 fmt::format("The symbol \"{}\" at character {} of the phonemes is no {}.",
                             rest.substr(0, length), Utf8Count(text.substr(0, at)) + 1, alphabet));
}

Result<std::vector<IpaUnit>> ParseIpa(std::string_view ipa) {
    if (Utf8FindInvalid(ipa)) {
        return Error(ErrorKind::kInvalid, "invalid_phonemes", "The phonemes are not valid UTF-8.");
    }
    const std::string_view bare = WithoutBrackets(ipa);
    const auto before = static_cast<std::size_t>(bare.data() - ipa.data());
    const Spelled spelled = Respell(bare);
    std::vector<IpaUnit> units;
    for (std::size_t at = 0; at < spelled.text.size();) {
        const std::size_t taken = TakeOne(std::string_view(spelled.text).substr(at), units);
        if (taken == 0) return NoPhoneme(ipa, before + spelled.from[at], "IPA");
        at += taken;
    }
    if (std::ranges::none_of(units, [](const IpaUnit& u) { return u.sound != nullptr; })) {
        return NoPhoneme(ipa, ipa.size(), "IPA");
    }
    return units;
}

std::vector<IpaUnit> ParseIpaLeniently(std::string_view ipa) {
    const Spelled spelled = Respell(WithoutBrackets(ipa));
    std::vector<IpaUnit> units;
    const std::string_view text = spelled.text;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t taken = TakeOne(text.substr(at), units);
        at += taken > 0 ? taken : std::max<std::size_t>(1, Utf8SequenceLength(text.substr(at)));
    }
    return units;
}

}  // namespace vf::text

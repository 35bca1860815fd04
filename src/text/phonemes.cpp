#include "text/phonemes.hpp"

#include <algorithm>
#include <cctype>

#include "base/utf8.hpp"
#include "text/phoneme_parse.hpp"

namespace vf::text {
namespace {

using Kind = IpaUnit::Kind;

template <class Key>
const Sound* FindSound(std::string_view name, Key key) {
    if (name.empty()) return nullptr;
    const auto sounds = Sounds();
    const auto found = std::ranges::find_if(sounds, [&](const Sound& s) { return s.*key == name; });
    return found == sounds.end() ? nullptr : &*found;
}

// --- X-SAMPA

struct AsciiSign {
    std::string_view written, ipa;
};
constexpr AsciiSign kXSampaSigns[] = {{"\"", "ˈ"}, {"%", "ˌ"},       {".", "."},       {" ", " "},
                                      {"-", ""},   {"-\\", ""},      {"|", " "},       {"||", " "},
                                      {"'", "ʲ"},  {"_~", "\u0303"}, {"_=", "\u0329"}, {"l_G", "ɫ"},
                                      {"_A", ""},  {"_q", ""},       {"_e", "ˠ"}};

Result<std::string> FromXSampa(std::string_view text) {
    std::string ipa;
    for (std::size_t at = 0; at < text.size();) {
        const std::string_view rest = text.substr(at);
        std::size_t length = 0;
        std::string_view found;
        const auto offer = [&](std::string_view name, std::string_view value) {
            if (name.size() > length && rest.starts_with(name)) {
                length = name.size();
                found = value;
            }
        };
        for (const Sound& sound : Sounds()) offer(sound.xsampa, sound.ipa);
        for (const Mark& mark : Marks()) offer(mark.xsampa, mark.ipa);
        for (const AsciiSign& sign : kXSampaSigns) offer(sign.written, sign.ipa);
        if (length == 0) return NoPhoneme(text, at, "X-SAMPA");
        ipa += found;
        at += length;
    }
    return ipa;
}

std::string WriteXSampa(const std::vector<IpaUnit>& units) {
    std::string out;
    for (const IpaUnit& unit : units) {
        switch (unit.kind) {
            case Kind::kSound: out += unit.sound->xsampa; break;
            case Kind::kPrimary: out += '"'; break;
            case Kind::kSecondary: out += '%'; break;
            case Kind::kSyllableEnd: out += '.'; break;
            case Kind::kWordEnd: out += ' '; break;
        }
        for (const Mark* mark : unit.marks) out += mark->xsampa;
    }
    return out;
}

// --- espeak

constexpr AsciiSign kEspeakSigns[] = {{"'", "ˈ"},  {"''", "ˈ"}, {",", "ˌ"},      {"%", ""},
                                      {"=", ""},   {"|", ""},   {"||", " "},     {" ", " "},
                                      {":", "ː"},  {";", "ʲ"},  {"~", "\u0303"}, {"-", ""},
                                      {"_:", " "}, {"_", " "},  {"_!", ""},      {"_|", ""}};

Result<std::string> FromEspeak(std::string_view text) {
    std::string ipa;
    for (std::size_t at = 0; at < text.size();) {
        const std::string_view rest = text.substr(at);
        std::size_t length = 0;
        std::string_view found;
        for (const Sound& sound : Sounds()) {
            if (sound.espeak.size() > length && rest.starts_with(sound.espeak)) {
                length = sound.espeak.size();
                found = sound.ipa;
            }
        }
        for (const AsciiSign& sign : kEspeakSigns) {
            if (sign.written.size() > length && rest.starts_with(sign.written)) {
                length = sign.written.size();
                found = sign.ipa;
            }
        }
        if (length == 0) return NoPhoneme(text, at, "espeak mnemonic");
        ipa += found;
        at += length;
    }
    return ipa;
}

std::string EspeakName(const IpaUnit& unit) {
    std::string name(unit.sound->espeak);
    if (unit.is_long() && !name.ends_with(':')) name += ':';
    if (unit.is_nasal()) name += "|n";
    if (unit.is_syllabic()) name.insert(0, "@|");
    return name;
}

// The stress stands before the vowel there, wherever its syllable begins.
std::string WriteEspeak(const std::vector<IpaUnit>& units) {
    std::string out, stress;
    for (const IpaUnit& unit : units) {
        if (unit.kind == Kind::kPrimary) stress = "'";
        if (unit.kind == Kind::kSecondary) stress = ",";
        if (unit.kind == Kind::kWordEnd && !out.empty() && out.back() != ' ') out += ' ';
        if (unit.kind != Kind::kSound) continue;
        if (!out.empty() && out.back() != ' ') out += '|';
        if (unit.is_vowel() || unit.is_syllabic() || unit.sound->espeak.ends_with('-')) {
            out += std::exchange(stress, {});
        }
        out += EspeakName(unit);
    }
    if (out.ends_with(' ')) out.pop_back();
    return out;
}

// --- CMU and flite

struct EnglishPhone {
    const Sound* sound;
    char stress;  // '0', '1', '2', or 0: not told
};

std::string Lower(std::string_view text) {
    std::string out(text);
    std::ranges::transform(out, out.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return out;
}

const Sound* EnglishSound(std::string_view name, char stress, PhonemeAlphabet alphabet) {
    if (alphabet == PhonemeAlphabet::kCmu && name == "ah" && stress == '0') name = "ax";
    if (name == "er" || name == "axr") {
        const bool is_weak = stress == '0' || name == "axr";
        return FindSound(std::string_view(is_weak ? "ɚ" : "ɝ"), &Sound::ipa);
    }
    // The narrower phones that dictionaries of the same family have.
    struct Other {
        std::string_view name, ipa;
    };
    static constexpr Other kOthers[] = {
        {"el", "l̩"},  {"em", "m̩"},  {"en", "n̩"}, {"dx", "ɾ"},  {"nx", "n"}, {"hv", "h"},
        {"q", "ʔ"},   {"ix", "ɪ"},  {"ux", "ʉ"}, {"wh", "ʍ"},  {"h", "h"},  {"t", "t"},
        {"ch", "tʃ"}, {"jh", "dʒ"}, {"r", "ɹ"},  {"oy", "ɔɪ"}, {"ih", "ɪ"}, {"ae", "æ"},
        {"aa", "ɑ"},  {"ah", "ʌ"},  {"ax", "ə"}, {"hh", "h"},  {"uw", "u"}, {"y", "j"}};
    const auto* other = std::ranges::find(kOthers, name, &Other::name);
    if (other != std::end(kOthers)) return FindSound(other->ipa, &Sound::ipa);
    return FindSound(name, &Sound::flite);
}

Result<std::vector<EnglishPhone>> ReadEnglish(PhonemeAlphabet alphabet, std::string_view text) {
    std::vector<EnglishPhone> phones;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find_first_of(" \t\n", at), text.size());
        std::string name = Lower(text.substr(at, end - at));
        char stress = 0;
        if (name.size() > 1 && name.back() >= '0' && name.back() <= '2') {
            stress = name.back();
            name.pop_back();
        }
        if (!name.empty() && name != "pau" && name != "sil") {
            const Sound* sound = EnglishSound(name, stress, alphabet);
            const bool is_cmu = alphabet == PhonemeAlphabet::kCmu;
            if (sound == nullptr || (stress != 0 && !IsVowel(*sound))) {
                return Error(ErrorKind::kInvalid, "invalid_phonemes",
                             "\"" + std::string(text.substr(at, end - at)) + "\" at character " +
                                 std::to_string(Utf8Count(text.substr(0, at)) + 1) +
                                 " of the phonemes is no " +
                                 (is_cmu ? "CMU ARPAbet phoneme." : "phone of flite's."));
            }
            phones.push_back({sound, stress});
        }
        at = end + 1;
    }
    return phones;
}

bool IsOneOf(std::string_view ipa, std::initializer_list<std::string_view> list) {
    return std::ranges::find(list, ipa) != list.end();
}

// Whether English syllables begin with the two.
bool IsOnset(std::string_view first, std::string_view second) {
    if (second == "j")
        return IsOneOf(first, {"p", "b", "t", "d", "k", "ɡ", "m", "n", "f", "v", "h"});
    if (second == "w") return IsOneOf(first, {"t", "d", "k", "ɡ", "s", "θ"});
    if (second == "ɹ") {
        return IsOneOf(first, {"p", "b", "t", "d", "k", "ɡ", "f", "θ", "ʃ"});
    }
    if (second == "l") return IsOneOf(first, {"p", "b", "k", "ɡ", "f", "s"});
    return first == "s" && IsOneOf(second, {"p", "t", "k", "m", "n", "f"});
}

// Where the syllable of the vowel at `vowel` begins.
std::size_t SyllableStart(const std::vector<EnglishPhone>& phones, std::size_t vowel) {
    std::size_t first = vowel;
    while (first > 0 && !IsVowel(*phones[first - 1].sound)) --first;
    if (first == 0) return 0;  // all that stands before the first vowel
    std::size_t start = vowel;
    if (start > first && phones[start - 1].sound->ipa != "ŋ") --start;
    while (start > first && start < vowel &&
           IsOnset(phones[start - 1].sound->ipa, phones[start].sound->ipa)) {
        --start;
    }
    return start;
}

std::string EnglishToIpa(const std::vector<EnglishPhone>& phones) {
    std::vector<std::string_view> before(phones.size());
    for (std::size_t i = 0; i < phones.size(); ++i) {
        if (phones[i].stress != '1' && phones[i].stress != '2') continue;
        before[SyllableStart(phones, i)] = phones[i].stress == '1' ? "ˈ" : "ˌ";
    }
    std::string ipa;
    for (std::size_t i = 0; i < phones.size(); ++i) {
        ipa += before[i];
        ipa += phones[i].sound->ipa;
    }
    return ipa;
}

// The phones without stress, each vowel with the stress it has: 0, 1 or 2.
std::vector<std::pair<std::string, char>> EnglishPhones(const std::vector<IpaUnit>& units) {
    std::vector<std::pair<std::string, char>> phones;
    char stress = '0';
    const auto add = [&](std::string_view names) {
        while (!names.empty()) {
            const std::string name(names.substr(0, names.find(' ')));
            names.remove_prefix(std::min(name.size() + 1, names.size()));
            const Sound* sound = EnglishSound(name, '0', PhonemeAlphabet::kFlite);
            const bool is_vowel = sound != nullptr && IsVowel(*sound);
            phones.emplace_back(name, is_vowel ? std::exchange(stress, '0') : '\0');
        }
    };
    for (const IpaUnit& unit : units) {
        if (unit.kind == Kind::kPrimary) stress = '1';
        if (unit.kind == Kind::kSecondary) stress = '2';
        if (unit.kind != Kind::kSound) continue;
        if (unit.is_syllabic()) add("ax");
        add(unit.sound->flite);
        if (unit.is_nasal()) add("n");
    }
    // Without any stress a word would be mumbled: the first full vowel gets it.
    const auto is_stressed = [](const auto& p) { return p.second == '1' || p.second == '2'; };
    if (std::ranges::none_of(phones, is_stressed)) {
        auto full = std::ranges::find_if(
            phones, [](const auto& p) { return p.second == '0' && p.first != "ax"; });
        if (full == phones.end())
            full = std::ranges::find(phones, '0', [](auto& p) { return p.second; });
        if (full != phones.end()) full->second = '1';
    }
    return phones;
}

Result<std::string> WriteEnglish(PhonemeAlphabet to, const std::vector<IpaUnit>& units,
                                 std::string_view ipa) {
    const bool is_cmu = to == PhonemeAlphabet::kCmu;
    std::string out;
    for (auto& [name, stress] : EnglishPhones(units)) {
        if (!out.empty()) out += ' ';
        std::string phone = name == "ax" && (is_cmu || stress > '0') ? "ah" : name;
        if (is_cmu) {
            std::ranges::transform(phone, phone.begin(), [](unsigned char c) {
                return static_cast<char>(std::toupper(c));
            });
        }
        out += phone;
        // flite knows no secondary stress; its lexicon gives both the same.
        if (stress != 0) out += !is_cmu && stress == '2' ? '1' : stress;
    }
    if (out.empty()) return NoPhoneme(ipa, ipa.size(), "English");
    return out;
}

}  // namespace

std::optional<PhonemeAlphabet> FindPhonemeAlphabet(std::string_view name) {
    const std::string lower = Lower(name);
    if (lower == "ipa") return PhonemeAlphabet::kIpa;
    if (lower == "x-sampa" || lower == "xsampa") return PhonemeAlphabet::kXSampa;
    if (lower == "cmu-arpabet" || lower == "cmu" || lower == "arpabet")
        return PhonemeAlphabet::kCmu;
    if (lower == "flite") return PhonemeAlphabet::kFlite;
    if (lower == "espeak") return PhonemeAlphabet::kEspeak;
    return std::nullopt;
}

Result<std::string> ToIpa(PhonemeAlphabet from, std::string_view phonemes) {
    std::string ipa(phonemes);
    if (from == PhonemeAlphabet::kXSampa || from == PhonemeAlphabet::kEspeak) {
        Result<std::string> read =
            from == PhonemeAlphabet::kXSampa ? FromXSampa(phonemes) : FromEspeak(phonemes);
        if (!read) return std::move(read).error();
        ipa = std::move(*read);
    } else if (from != PhonemeAlphabet::kIpa) {
        const Result<std::vector<EnglishPhone>> read = ReadEnglish(from, phonemes);
        if (!read) return read.error();
        ipa = EnglishToIpa(*read);
    }
    const Result<std::vector<IpaUnit>> units = ParseIpa(ipa);
    if (!units) return units.error();
    std::string out;
    for (const IpaUnit& unit : *units) out += unit.text;
    return out;
}

Result<std::string> FromIpa(PhonemeAlphabet to, std::string_view ipa) {
    const Result<std::vector<IpaUnit>> units = ParseIpa(ipa);
    if (!units) return units.error();
    switch (to) {
        case PhonemeAlphabet::kIpa: return ToIpa(PhonemeAlphabet::kIpa, ipa);
        case PhonemeAlphabet::kXSampa: return WriteXSampa(*units);
        case PhonemeAlphabet::kEspeak: return WriteEspeak(*units);
        case PhonemeAlphabet::kCmu:
        case PhonemeAlphabet::kFlite: return WriteEnglish(to, *units, ipa);
    }
    return NoPhoneme(ipa, 0, "phoneme alphabet");
}

std::string EnginePhonemeToIpa(PhonemeAlphabet engine, std::string_view phoneme) {
    if (phoneme.empty() || phoneme == "pau" || phoneme == "h#" || phoneme == "brth" ||
        phoneme.starts_with('_')) {
        return "";
    }
    if (engine == PhonemeAlphabet::kFlite || engine == PhonemeAlphabet::kCmu) {
        std::string name = Lower(phoneme);
        char stress = 0;
        if (name.size() > 1 && name.back() >= '0' && name.back() <= '2') {
            stress = name.back();
            name.pop_back();
        }
        const Sound* sound = EnglishSound(name, stress, engine);
        return std::string(sound == nullptr ? phoneme : sound->ipa);
    }
    if (engine == PhonemeAlphabet::kXSampa) {
        const Result<std::string> ipa = ToIpa(engine, phoneme);
        return ipa ? *ipa : std::string(phoneme);
    }
    // espeak's events are told in IPA already.
    return std::string(phoneme);
}

std::vector<std::string> SplitIpa(std::string_view ipa) {
    std::vector<std::string> phones;
    for (const IpaUnit& unit : ParseIpaLeniently(ipa)) {
        if (unit.kind == Kind::kSound) phones.push_back(unit.text);
    }
    return phones;
}

int VisemeOf(std::string_view ipa_phone) {
    for (const IpaUnit& unit : ParseIpaLeniently(ipa_phone)) {
        if (unit.sound != nullptr) return unit.sound->viseme;
    }
    return 0;
}

}  // namespace vf::text

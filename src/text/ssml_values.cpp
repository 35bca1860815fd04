#include "text/ssml_values.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace vf::text {
namespace {

// What engines and the stages behind them can do; also what nested markup is bounded to.
constexpr double kSlowest = 0.1, kFastest = 10;
constexpr double kLowest = -24, kHighest = 24;  // semitones
constexpr double kNarrowest = 0.1, kWidest = 4;
constexpr double kLoudest = 24;  // dB
// Hertz say nothing about a voice whose own pitch is not known here.
constexpr double kUsualHertz = 150;
constexpr double kMostMilliseconds = 1e9;

struct Word {
    std::string_view name;
    double value;
};
constexpr Word kRates[] = {{"x-slow", 0.5}, {"slow", 0.64}, {"medium", 1},
                           {"fast", 1.55},  {"x-fast", 2},  {"default", 1}};
// 0.55, 0.8, 1.2 and 1.45 times F0.
constexpr Word kPitches[] = {{"x-low", -10.35}, {"low", -3.86},   {"medium", 0},
                             {"high", 3.16},    {"x-high", 6.43}, {"default", 0}};
constexpr Word kRanges[] = {{"x-low", 0.25}, {"low", 0.5},  {"medium", 1},
                            {"high", 1.5},   {"x-high", 2}, {"default", 1}};
constexpr Word kVolumes[] = {{"silent", kSilence}, {"x-soft", -12}, {"soft", -6},  {"medium", 0},
                             {"loud", 6},          {"x-loud", 12},  {"default", 0}};

template <std::size_t N>
const double* FindWord(const Word (&words)[N], std::string_view name) {
    const auto* found = std::ranges::find(words, name, &Word::name);
    return found == std::end(words) ? nullptr : &found->value;
}

// A number, whether it has a sign, and what stands behind it.
struct Quantity {
    double number = 0;
    bool is_signed = false;
    std::string_view unit;
};

std::optional<Quantity> ReadQuantity(std::string_view value) {
    value = Trim(value);
    Quantity quantity;
    std::string_view digits = value;
    if (digits.starts_with('+') || digits.starts_with('-')) {
        quantity.is_signed = true;
        digits.remove_prefix(1);
    }
    const std::size_t end = std::min(digits.find_first_not_of("0123456789."), digits.size());
    if (end == 0 || end > 20) return std::nullopt;
    const auto [last, ec] = std::from_chars(digits.data(), digits.data() + end, quantity.number,
                                            std::chars_format::fixed);
    if (ec != std::errc() || last != digits.data() + end) return std::nullopt;
    if (value.starts_with('-')) quantity.number = -quantity.number;
    quantity.unit = Trim(digits.substr(end));
    return quantity;
}

double SemitonesOf(double factor) {
    return 12 * std::log2(std::max(factor, 1e-3));
}

double DecibelsOf(double factor) {
    return factor <= 0 ? kSilence : std::max(kSilence, 20 * std::log10(factor));
}

// "+50%" and "-50%" change, "150%" is a factor by itself.
double FactorOf(const Quantity& percent) {
    return (percent.is_signed ? 100 + percent.number : percent.number) / 100;
}

}  // namespace

std::string_view Trim(std::string_view text) {
    const std::size_t begin = text.find_first_not_of(" \t\r\n");
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

std::optional<std::chrono::milliseconds> ReadTime(std::string_view value) {
    const std::optional<Quantity> time = ReadQuantity(value);
    if (!time || time->number < 0 || Trim(value).starts_with('-')) return std::nullopt;
    double milliseconds = 0;
    if (time->unit == "ms") {
        milliseconds = time->number;
    } else if (time->unit == "s") {
        milliseconds = time->number * 1'000;
    } else {
        return std::nullopt;
    }
    return std::chrono::milliseconds(std::llround(std::min(milliseconds, kMostMilliseconds)));
}

std::optional<std::chrono::milliseconds> ReadStrength(std::string_view value) {
    constexpr Word kStrengths[] = {{"none", 0},     {"x-weak", 250},   {"weak", 500},
                                   {"medium", 750}, {"strong", 1'000}, {"x-strong", 1'250}};
    const double* found = FindWord(kStrengths, Trim(value));
    if (found == nullptr) return std::nullopt;
    return std::chrono::milliseconds(static_cast<int>(*found));
}

bool ApplyRate(std::string_view value, Style& style) {
    if (const double* word = FindWord(kRates, Trim(value))) {
        style.speed = *word;
        return true;
    }
    const std::optional<Quantity> rate = ReadQuantity(value);
    if (!rate) return false;
    double factor = rate->number;
    if (rate->unit == "%") {
        factor = FactorOf(*rate);
    } else if (!rate->unit.empty() || rate->is_signed) {
        return false;
    }
    style.speed = std::clamp(style.speed * factor, kSlowest, kFastest);
    return true;
}

bool ApplyPitch(std::string_view value, Style& style) {
    if (const double* word = FindWord(kPitches, Trim(value))) {
        style.pitch = *word;
        return true;
    }
    const std::optional<Quantity> pitch = ReadQuantity(value);
    if (!pitch) return false;
    double semitones = 0;
    if (pitch->unit == "st") {
        semitones = style.pitch + pitch->number;
    } else if (pitch->unit == "%") {
        semitones = style.pitch + SemitonesOf((100 + pitch->number) / 100);
    } else if (pitch->unit == "Hz" || pitch->unit == "hz") {
        semitones = pitch->is_signed
                        ? style.pitch + SemitonesOf((kUsualHertz + pitch->number) / kUsualHertz)
                        : SemitonesOf(pitch->number / kUsualHertz);
    } else {
        return false;
    }
    style.pitch = std::clamp(semitones, kLowest, kHighest);
    return true;
}

bool ApplyRange(std::string_view value, Style& style) {
    if (const double* word = FindWord(kRanges, Trim(value))) {
        style.pitch_range = *word;
        return true;
    }
    const std::optional<Quantity> range = ReadQuantity(value);
    if (!range) return false;
    double factor = range->number;
    if (range->unit == "%") {
        factor = FactorOf(*range);
    } else if (range->unit == "st") {
        factor = 1 + range->number / 12;
    } else if (range->unit == "Hz" || range->unit == "hz") {
        factor = range->is_signed ? 1 + range->number / kUsualHertz : range->number / kUsualHertz;
    } else if (!range->unit.empty() || range->is_signed) {
        return false;
    }
    style.pitch_range = std::clamp(style.pitch_range * factor, kNarrowest, kWidest);
    return true;
}

bool ApplyVolume(std::string_view value, Style& style) {
    if (const double* word = FindWord(kVolumes, Trim(value))) {
        style.volume = *word;
        return true;
    }
    const std::optional<Quantity> volume = ReadQuantity(value);
    if (!volume) return false;
    double decibels = 0;
    if (volume->unit == "dB" || volume->unit == "db") {
        decibels = style.volume + volume->number;
    } else if (volume->unit == "%") {
        decibels = style.volume + DecibelsOf(FactorOf(*volume));
    } else if (volume->unit.empty() && volume->is_signed) {
        decibels = style.volume + DecibelsOf((100 + volume->number) / 100);
    } else if (volume->unit.empty()) {
        decibels = DecibelsOf(std::min(volume->number, 100.0) / 100);
    } else {
        return false;
    }
    // Silence is not made louder by a change.
    const bool is_change = volume->is_signed || !volume->unit.empty();
    if (is_change && style.volume <= kSilence) decibels = kSilence;
    style.volume = std::clamp(decibels, kSilence, kLoudest);
    return true;
}

bool ApplyEmphasis(std::string_view level, Style& style) {
    struct Change {
        std::string_view level;
        double speed, pitch, range, volume;
    };
    static constexpr Change kChanges[] = {{"strong", 0.85, 2, 1.3, 4},
                                          {"moderate", 0.92, 1, 1.15, 2},
                                          {"reduced", 1.1, -1, 0.8, -3},
                                          {"none", 1, 0, 1, 0}};
    const auto* found = std::ranges::find(kChanges, Trim(level), &Change::level);
    if (found == std::end(kChanges)) return false;
    style.speed = std::clamp(style.speed * found->speed, kSlowest, kFastest);
    style.pitch = std::clamp(style.pitch + found->pitch, kLowest, kHighest);
    style.pitch_range = std::clamp(style.pitch_range * found->range, kNarrowest, kWidest);
    style.volume = std::clamp(style.volume + found->volume, kSilence, kLoudest);
    return true;
}

bool IsLanguageTag(std::string_view value) {
    if (value.size() > 35) return false;
    while (true) {
        const std::string_view part = value.substr(0, value.find('-'));
        const bool is_sound =
            !part.empty() && part.size() <= 8 && std::ranges::all_of(part, [](char c) {
                return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
            });
        if (!is_sound) return false;
        if (part.size() == value.size()) return true;
        value.remove_prefix(part.size() + 1);
    }
}

}  // namespace vf::text

#include "espeak/gains.hpp"
// SPDX-License-Identifier: GPL-3.0-or-later

#include <algorithm>
#include <iterator>
#include <utility>

namespace vf::worker {
namespace {

constexpr double kUsual = 0.3;

// The voices that are further than 0.5 LU from the usual one, by bench/voices/levels.py with
// espeak-ng 1.51. Sorted by id.
constexpr std::pair<std::string_view, double> kGains[] = {
    {"espeak-am", 1.8},
    {"espeak-ba", -1.6},
    {"espeak-be", -1.6},
    {"espeak-bg", 1.3},
    {"espeak-cv", -1.6},
    {"espeak-cy", -0.5},
    {"espeak-en-gb-x-gbclan", -0.3},
    {"espeak-en-us", 1.1},
    {"espeak-eu", 1.0},
    {"espeak-fr-be", 1.9},
    {"espeak-fr-ch", 1.9},
    {"espeak-fr-fr", 1.9},
    {"espeak-ga", -0.4},
    {"espeak-gd", -0.4},
    {"espeak-gu", 1.0},
    {"espeak-hak", -1.8},
    {"espeak-haw", -3.7},
    {"espeak-he", -1.6},
    {"espeak-hyw", -2.1},
    {"espeak-is", -0.4},
    {"espeak-ja", -1.6},
    {"espeak-kl", 1.4},
    {"espeak-kok", -1.6},
    {"espeak-ky", -1.6},
    {"espeak-lt", -0.3},
    {"espeak-lv", 1.0},
    {"espeak-mi", -7.7},
    {"espeak-ml", 0.9},
    {"espeak-mt", -0.6},
    {"espeak-my", -1.6},
    {"espeak-ne", 0.9},
    {"espeak-nl", -0.3},
    {"espeak-nog", -1.6},
    {"espeak-piqd", -3.5},
    {"espeak-py", -0.4},
    {"espeak-qdb", -0.3},
    {"espeak-qu", -0.4},
    {"espeak-quc", -1.4},
    {"espeak-qya", -0.6},
    {"espeak-ru-lv", 2.4},
    {"espeak-sjn", -0.6},
    {"espeak-sk", 1.0},
    {"espeak-sl", -0.6},
    {"espeak-smj", -0.4},
    {"espeak-sq", -0.6},
    {"espeak-sv", -0.3},
    {"espeak-sw", -1.1},
    {"espeak-tk", -1.2},
    {"espeak-tn", -1.7},
    {"espeak-tr", -0.5},
    {"espeak-tt", 1.7},
    {"espeak-ug", -1.0},
};

}  // namespace

double GainOf(std::string_view voice) {
    const auto* found =
        std::lower_bound(std::begin(kGains), std::end(kGains), voice,
                         [](const auto& gain, std::string_view id) { return gain.first < id; });
    return found != std::end(kGains) && found->first == voice ? found->second : kUsual;
}

}  // namespace vf::worker

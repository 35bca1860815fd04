#pragma once
// How loud each voice is, measured.
// SPDX-License-Identifier: GPL-3.0-or-later

#include <string_view>

namespace vf::worker {

// The gain in dB that brings the voice ("espeak-de") to -20 LUFS (ITU-R BS.1770) over the text of
// bench/voices.
double GainOf(std::string_view voice);

}  // namespace vf::worker

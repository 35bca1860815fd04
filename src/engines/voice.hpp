#pragma once
// What is known about a voice, and the catalogue of all voices. Plain values: copy them freely.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vf::engines {

class Speaker;

struct Voice {
    std::string id;                      // stable, lower case: "alloy", "slt", "espeak-de"
    std::string name;                    // for people
    std::vector<std::string> languages;  // BCP 47, the first one is the voice's own
    std::string gender;                  // "female", "male" or "neutral"
    std::string engine;                  // "flite"
    std::string model;     // the installed model it comes from; empty: of the engine itself
    std::string revision;  // changes when the same id sounds differently; may be empty
    std::string quality;   // "basic", "standard" or "high"
    std::string technology = "unknown";  // "formant", "diphone", "statistical", "neural"
    std::string age;                     // "young", "adult", "old"; empty: it suggests none
    std::string style;                   // a few words, "bright, friendly"; empty: plain reading
    // True when the voice does not read its language as people write it; the description says why.
    bool is_limited = false;
    int sample_rate = 0;      // Hz; the engine's samples are mono
    bool ascii_text = false;  // it reads ASCII only: other scripts are transliterated
    std::string licence;      // SPDX identifier or a short name
    std::string description;
    // What brings the voice to -20 LUFS (ITU-R BS.1770), measured over the text of bench/voices.
    double gain_db = 0;
    // What the engine does by itself. Outside of this range the server stretches and shifts.
    double speed_min = 1, speed_max = 1;              // factor, 1 = the voice's own speed
    double pitch_min = 0, pitch_max = 0;              // semitones, 0 = the voice's own pitch
    double pitch_range_min = 1, pitch_range_max = 1;  // factor, 1 = the voice's own
    // What it takes pronunciations in and names its phonemes by: "flite", "espeak", "ipa"; empty:
    // it takes none and names none (text/phonemes.hpp has the alphabets).
    std::string phoneme_alphabet;
    bool tells_times = true;  // words or phonemes come with their times
    // Who speaks; null: the workers of `engine`.
    std::shared_ptr<Speaker> speaker;
    bool takes_expression = false;  // SegmentRequest::expression
    // Of voices with a speaker. The account that is used, for usage rows.
    std::string deployment;
    // What the account pays for a million characters, in minor units of `currency` (ISO 4217);
    // empty: not known.
    std::int64_t price_per_million = 0;
    std::string currency;
    // It may speak where another voice cannot, or none was asked for; the lowest first.
    std::optional<int> fallback;

    bool operator==(const Voice&) const = default;
};

// All voices of all engines, by id. Filled from the workers' hello frames while the engines start
// and when one arrives late; the voices of models come and go with them. Loop thread only.
class Catalogue {
public:
    // No voice of this id: nullptr. The pointer stays valid as long as the catalogue, also when the
    // voice is taken away.
    const Voice* Find(std::string_view id) const;
    // In the order of the engines, then of their own lists.
    const std::vector<const Voice*>& All() const { return order_; }

    // False when the id is taken (the first engine keeps it).
    bool Add(Voice voice);
    // Takes a voice out of the list.
    void Retire(std::string_view id);
    // What Find() gave before the voice was taken away, for what is still being spoken with it.
    const Voice* FindRetired(std::string_view id) const;

private:
    using Voices = std::map<std::string, const Voice*, std::less<>>;
    // All that ever were, each different one once.
    std::vector<std::unique_ptr<const Voice>> kept_;
    Voices voices_;
    Voices retired_;
    std::vector<const Voice*> order_;
};

}  // namespace vf::engines

#include "dialects/deepgram/voice_models.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "speech/catalogue_match.hpp"

namespace vf::deepgram {
namespace {

using engines::Voice;

// The voices of Aura and Aura 2, by what Deepgram says of them.
constexpr std::string_view kFemale[] = {
    "asteria",  "athena",   "hera",     "luna",     "stella",  "thalia",  "amalthea", "andromeda",
    "aurora",   "callista", "cora",     "cordelia", "delia",   "electra", "harmonia", "helena",
    "iris",     "janus",    "juno",     "minerva",  "ophelia", "pandora", "phoebe",   "selene",
    "theia",    "vesta",    "agustina", "antonia",  "carina",  "celeste", "diana",    "estrella",
    "gloria",   "olivia",   "selena",   "silvia",   "aurelia", "elara",   "kara",     "lara",
    "viktoria", "beatrix",  "cornelia", "daphne",   "hestia",  "leda",    "rhea",     "agathe",
    "cinzia",   "demetra",  "livia",    "maia",     "melia",   "ama",     "izanami",  "uzume",
    "alexis",   "haley",    "sofia",    "emma",     "anna",    "maria",   "julia"};
constexpr std::string_view kMale[] = {
    "angus",    "arcas",    "helios", "orion",  "orpheus",  "perseus", "zeus",    "apollo",
    "aries",    "atlas",    "draco",  "hermes", "hyperion", "jupiter", "mars",    "neptune",
    "odysseus", "pluto",    "saturn", "alvaro", "aquila",   "javier",  "luciano", "nestor",
    "sirio",    "valerio",  "fabian", "julius", "lars",     "roman",   "sander",  "hector",
    "cesare",   "dionisio", "elio",   "flavio", "ebisu",    "fujin"};

// English has voices that are told apart by more than an accent: these stand for the names.
constexpr std::string_view kEnglishFemale[] = {"marin", "coral", "nova", "sage", "slt", "shimmer"};
constexpr std::string_view kEnglishMale[] = {"cedar", "ash",   "echo",  "onyx",
                                             "rms",   "verse", "ballad"};

struct Name {
    std::string_view name;
    std::string_view language;
    std::string_view gender;  // empty: not known
    std::size_t number = 0;   // tells names of one gender apart
};

using Names = std::span<const std::string_view>;

std::optional<std::size_t> NumberIn(Names names, std::string_view name) {
    const auto found = std::ranges::find(names, name);
    if (found == names.end()) return std::nullopt;
    return static_cast<std::size_t>(found - names.begin());
}

// Names go into headers, too.
bool IsPlain(std::string_view name) {
    return std::ranges::all_of(name, [](char c) { return c >= 'a' && c <= 'z'; });
}

std::size_t Sum(std::string_view text) {
    std::size_t sum = 0;
    for (const char c : text) sum += static_cast<unsigned char>(c);
    return sum;
}

// "aura-2-thalia-en", "aura-luna-en", "flux-alexis-en"; no value for what is none.
std::optional<Name> ReadName(std::string_view model) {
    const bool is_flux = model.starts_with("flux-");
    if (!is_flux && !model.starts_with("aura-")) return std::nullopt;
    model.remove_prefix(5);
    if (!is_flux && model.starts_with("2-")) model.remove_prefix(2);
    const std::size_t dash = model.find('-');
    if (dash == std::string_view::npos || dash == 0) return std::nullopt;
    Name out{model.substr(0, dash), model.substr(dash + 1), "", 0};
    if (!IsPlain(out.name) || !speech::IsLanguageTag(out.language)) return std::nullopt;
    if (const auto number = NumberIn(kFemale, out.name)) {
        out.gender = "female";
        out.number = *number;
    } else if (const auto man = NumberIn(kMale, out.name)) {
        out.gender = "male";
        out.number = *man;
    } else if (is_flux) {
        out.number = Sum(out.name);  // Deepgram's list grows
    } else {
        return std::nullopt;
    }
    return out;
}

const Voice* Pick(const engines::VoiceView& voices, Names ids, std::size_t number) {
    return voices.Find(ids[number % ids.size()]);
}

const Voice* PickByLanguage(const engines::VoiceView& voices, const Name& name) {
    std::vector<const Voice*> best;
    int best_rank = 0;
    for (const Voice* voice : voices.catalogue().All()) {
        if (speech::LanguageMatch(*voice, name.language) == 0 || voice->is_limited) continue;
        const bool has_gender = name.gender.empty() || voice->gender == name.gender;
        const int rank = 1 + (has_gender ? 2 : 0) + (voice->quality == "basic" ? 0 : 1);
        if (rank > best_rank) best.clear();
        if (rank >= best_rank) best.push_back(voice);
        best_rank = std::max(best_rank, rank);
    }
    return best.empty() ? nullptr : best[name.number % best.size()];
}

std::uint64_t Hash(std::string_view text, std::uint64_t hash) {
    constexpr std::uint64_t kPrime = 1'099'511'628'211;  // FNV-1a
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * kPrime;
    return hash;
}

Error NoModel(std::string_view model, std::string_view why) {
    return {ErrorKind::kInvalid,
            "model_not_found",
            fmt::format("There is no model \"{}\" here: {}", model, why),
            {{"model", "model_not_found", std::string(why)}}};
}

}  // namespace

Result<const Voice*> FindModelVoice(const engines::VoiceView& voices, std::string_view model) {
    if (const Voice* own = voices.Find(model)) return own;
    const std::optional<Name> name = ReadName(model);
    if (!name) {
        return NoModel(model,
                       "use a name such as aura-2-thalia-en, or the id of a voice of GET "
                       "/api/voices.");
    }
    const Voice* voice = nullptr;
    if (name->language == "en") {
        voice = name->gender == "male" ? Pick(voices, kEnglishMale, name->number)
                                       : Pick(voices, kEnglishFemale, name->number);
    }
    if (!voice) voice = PickByLanguage(voices, *name);
    if (!voice) return NoModel(model, "no voice of this server speaks its language.");
    return voice;
}

std::string ModelUuid(std::string_view voice_id) {
    constexpr std::uint64_t kBasis = 14'695'981'039'346'656'037ULL;
    const std::uint64_t high = Hash(voice_id, kBasis);
    const std::uint64_t low = Hash(voice_id, high);
    // Version 8: made by a rule of one's own (RFC 9562).
    return fmt::format("{:08x}-{:04x}-8{:03x}-{:04x}-{:012x}", high >> 32U, high >> 16U & 0xFFFFU,
                       high & 0xFFFU, (low >> 48U & 0x3FFFU) | 0x8000U, low & 0xFFFF'FFFF'FFFFULL);
}

}  // namespace vf::deepgram

#pragma once
// What is known about an installed model: the file manifest.toml in its folder, written by the
// installer and read by the server and by the model's worker. Plain values.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace vf::neural {

inline constexpr const char* kManifestFile = "manifest.toml";
inline constexpr std::size_t kMaxManifestBytes = 2 << 20;
inline constexpr std::size_t kMaxSpeakers = 1'000;
inline constexpr std::size_t kMaxFiles = 4'096;
// As data_dir: the espeak-ng data of this machine instead of a copy in the model's folder.
inline constexpr const char* kSystemData = "system";

// One speaker of the model, which is one voice of the catalogue.
struct Speaker {
    int number = 0;     // as the model counts them
    std::string voice;  // the voice's id: [a-z0-9-_.]{1,64}
    std::string name;   // for people
    std::string language;
    std::string gender = "neutral";
};

// What the engine is told. Paths are relative to the model's folder; empty: the model has none.
struct ModelParts {
    std::string model;  // Matcha's acoustic model too
    std::string tokens;
    std::string data_dir;  // or kSystemData
    std::string lexicon;   // several: separated by commas
    std::string voices;    // Kokoro and KittenTTS: the speakers' styles
    std::string vocoder;   // Matcha
    std::string rule_fsts;
    std::string rule_fars;
    double noise_scale = 0;  // 0: the engine's own
    double noise_scale_w = 0;
    double length_scale = 0;
};

struct ModelFile {
    std::string path;  // relative, of plain names
    std::uint64_t size = 0;
    std::string sha256;  // lower-case hex
};

struct Manifest {
    std::string id;       // [a-z0-9-_.]{1,64}, the folder's name
    std::string kind;     // "vits", "matcha", "kokoro", "kitten"
    std::string quality;  // of its voices: "basic", "standard", "high"
    int sample_rate = 0;  // Hz
    double gain_db = 0;   // what brings the voices to -20 LUFS, measured at the installation
    std::string licence;
    std::string source;        // where it came from, as given to the installer
    std::string sha256;        // of the package, when it was one file
    std::string installed_at;  // RFC 3339
    ModelParts parts;
    std::vector<Speaker> speakers;  // at least one
    std::vector<ModelFile> files;   // all of the folder but the manifest itself
};

// [a-z0-9] first, then also - _ and dots, at most 64.
bool IsModelId(std::string_view text);

// Error: kInvalid bad_manifest, naming the line or the member.
Result<Manifest> ParseManifest(std::string_view text);
std::string WriteManifest(const Manifest& manifest);

}  // namespace vf::neural

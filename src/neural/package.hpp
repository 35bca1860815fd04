#pragma once
// Recognises what kind of model lies in a folder as its publisher ships it, and what has to be done
// to make it one that the engine loads. Reads only.

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "neural/manifest.hpp"

namespace vf::neural {

// What the person who installs knows better than the files; empty: as the files say.
struct PackageHints {
    std::string id;
    std::string language;  // BCP 47
    std::string licence;
};

struct Package {
    Manifest manifest;  // without files, loudness, source and date
    // What goes into the installed folder: path there → file or folder here.
    std::map<std::string, std::filesystem::path> contents;
    // Metadata that its model lacks: file there → pairs.
    std::map<std::string, std::map<std::string, std::string>> metadata;
    // Files to write: path there → content.
    std::map<std::string, std::string> written;
};

// `name` is what the package is called: a file's or folder's name without its ending. `only`: the
// one .onnx file that is meant, or empty. Errors: kInvalid unknown_package, bad_onnx, bad_package;
// the message says what was found, what is missing and what to do.
Result<Package> Recognise(const std::filesystem::path& folder, const std::string& name,
                          const std::string& only, const PackageHints& hints);

// --- for the parts of Recognise ---

// A stock Piper voice: `json` is its x.onnx.json. Sets languages, speakers, rate, metadata, tokens.
Result<void> ReadPiper(const std::filesystem::path& json, const PackageHints& hints,
                       Package& package);

// A stock KittenTTS model: `folder` holds voices.npz. Sets what ReadPiper sets, and the styles.
Result<void> ReadKitten(const std::filesystem::path& folder, const PackageHints& hints,
                        Package& package);

// "en_US" and espeak's "en-us" → "en-US"; what is no tag gives "".
std::string LanguageTag(std::string_view text);
// Lower case, what no id has becomes a dash; at most 64.
std::string SafeId(std::string_view text);
// Gives each speaker its voice id: the model's own when there is one, else with its name.
void NameVoices(Manifest& manifest);
// A name for people out of a file's: "en_US-lessac-medium" → "Lessac".
std::string PeopleName(std::string_view id);

}  // namespace vf::neural

#pragma once
// The well-known models: names that stand for packages on their publishers' servers.

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace vf::neural {

struct KnownFile {
    std::string url;
    std::string sha256;      // as its publisher states it; empty: recorded when it is installed
    std::uint64_t size = 0;  // likewise; 0: not stated
};

struct KnownModel {
    std::string name;  // "piper/en_US-lessac-medium"
    std::string languages;
    std::string licence;  // empty: the package says it
    std::string about;    // a sentence
    std::vector<KnownFile> files;
};

// Error: kInvalid bad_catalogue, with file and line.
Result<std::vector<KnownModel>> LoadKnownModels(const std::filesystem::path& file);
Result<std::vector<KnownModel>> ParseKnownModels(std::string_view text, const std::string& name);

}  // namespace vf::neural

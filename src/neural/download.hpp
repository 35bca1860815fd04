#pragma once
// Fetches a package from its publisher's server into a file.

#include <cstdint>
#include <filesystem>
#include <string>

#include "base/result.hpp"

namespace vf::neural {

struct Download {
    std::string url;             // http or https
    std::filesystem::path file;  // made by this, removed again when it fails
    std::uint64_t max_bytes = 0;
    std::string sha256;      // empty: not known
    std::uint64_t size = 0;  // 0: not known
};

// Blocks; follows at most 5 redirects, never from https to http. Errors: those of
// http::HttpClient; kInvalid download_failed (with the status), wrong_sha256, wrong_size,
// too_large.
Result<void> Fetch(const Download& download);

}  // namespace vf::neural

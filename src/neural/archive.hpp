#pragma once
// Takes packages apart: .tar.bz2, .tar.gz, .tar.xz, .tar and .zip. What a package may do is
// bounded, since it may come from anywhere.

#include <cstdint>
#include <filesystem>
#include <string_view>

#include "base/result.hpp"

namespace vf::neural {

struct ArchiveLimits {
    std::uint64_t bytes = 4ULL << 30;  // unpacked, all together
    std::size_t entries = 8'192;
    std::uint64_t ratio = 100;  // unpacked to packed, once there are more than kFreeBytes
};
inline constexpr std::uint64_t kFreeBytes = 64ULL << 20;

// By its name.
bool IsArchive(std::string_view name);

// Unpacks files and folders into `folder`, which must be there and empty. Refused, with everything
// of it left for the caller to delete: absolute paths, "..", links, devices, names with control
// characters, and what is beyond the limits. Error: kInvalid bad_archive.
Result<void> Unpack(const std::filesystem::path& archive, const std::filesystem::path& folder,
                    const ArchiveLimits& limits);

}  // namespace vf::neural

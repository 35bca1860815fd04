#pragma once
// From a package to an installed model: taken apart, recognised, completed, tried out, put into
// place. Blocks; for commands, never for the loop.

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "engines/engines.hpp"
#include "neural/archive.hpp"
#include "neural/package.hpp"
#include "neural/probe.hpp"
#include "neural/store.hpp"

namespace vf::neural {

struct InstallRequest {
    // One package, archive or .onnx file, or a folder; or several files that are one together.
    std::vector<std::filesystem::path> files;
    std::string name;    // what the package is called; empty: after the first file
    std::string source;  // for the manifest
    PackageHints hints;
    bool replace = false;  // an installed model of the same id
    ArchiveLimits limits;
};

struct Installed {
    Manifest manifest;
    ProbeReport report;
};

// Installs into `store`, whose lock the caller holds. A package that is refused leaves nothing.
// Errors: those of Unpack, Recognise and Probe; kConflict model_installed, voice_taken.
Result<Installed> Install(const ModelStore& store, const engines::EngineOptions& engines,
                          const InstallRequest& request);

// The same up to the trial, in a folder that is thrown away.
Result<Installed> TryPackage(const ModelStore& store, const engines::EngineOptions& engines,
                             const InstallRequest& request);

}  // namespace vf::neural

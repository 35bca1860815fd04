#include "app/install_paths.hpp"

#include <unistd.h>

#include <cstdlib>

namespace vf::app {

InstallPaths FindInstallPaths() {
    const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe");
    const std::filesystem::path prefix = program.parent_path().parent_path();
    const std::filesystem::path share = prefix / "share" / "voiceflow";
    return {prefix / "libexec" / "voiceflow",
            share / "page",
            share / "migrations",
            share / "plans",
            share / "voices",
            share / "models",
            share / "openapi.json"};
}

std::string DefaultDataDir() {
    if (geteuid() == 0) return "/var/lib/voiceflow";
    const char* data_home = std::getenv("XDG_DATA_HOME");
    if (data_home && *data_home == '/') return std::string(data_home) + "/voiceflow";
    const char* home = std::getenv("HOME");
    return std::string(home ? home : "/tmp") + "/.local/share/voiceflow";
}

}  // namespace vf::app

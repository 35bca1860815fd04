#pragma once
// The commands of voiceflowd: serve, migrate, admin, models, config, database upgrade, routes,
// version.

#include <span>
#include <string>

namespace vf::app {

// `arguments` without the program's name. The exit code: 0 done, 1 failed, 2 wrong use.
int RunCommand(std::span<const std::string> arguments);

}  // namespace vf::app

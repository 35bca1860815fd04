#pragma once
// What the sockets share with the HTTP routes: errors, a team's stored voice settings,
// dictionaries, history.

#include "dialects/elevenlabs/elevenlabs_deps.hpp"
#include "dialects/elevenlabs/elevenlabs_socket.hpp"

namespace vf::elevenlabs {

// Fills the hooks of `sockets`. `deps` must outlive the router.
void SetSocketHooks(SocketDeps& sockets, const Deps& deps);

}  // namespace vf::elevenlabs

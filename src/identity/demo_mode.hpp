#pragma once
// Whether a request comes from this machine itself: a loopback peer, a loopback Host, no forwarding
// header and no foreign Origin. A web page elsewhere, a proxy in front and a rebound DNS name all
// fail one of these.

#include "http/request.hpp"

namespace vf::identity {

bool IsFromThisMachine(const http::Request& request);

}  // namespace vf::identity

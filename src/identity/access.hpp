#pragma once
// Who may come in. Made in one place, before any handler runs.
//
// While neither accounts nor keys exist there is the demo mode: a request from this machine itself
// acts as a built-in demo team. "From this machine" means a loopback peer, a loopback Host, no
// forwarding header and no foreign Origin: a web page elsewhere, a proxy in front and a rebound DNS
// name all fail one of these.

#include <string>

#include "base/result.hpp"
#include "base/settings.hpp"
#include "http/router.hpp"

namespace vf::identity {

struct AccessOptions {
    std::string demo = "auto";  // auto, always, never
};

void DeclareSettings(SettingsSchema& schema, AccessOptions& options);

class Access {
public:
    explicit Access(AccessOptions options) : options_(std::move(options)) {}

    // Fills request.caller, or says why not: kUnauthenticated with the codes missing_api_key,
    // invalid_api_key or conflicting_credentials. Usable as a route's guard.
    Result<void> Admit(http::Request& request) const;
    http::Guard Guard() const;

private:
    AccessOptions options_;
    std::shared_ptr<const Plan> demo_plan_ = std::make_shared<const Plan>();  // no bounds
};

}  // namespace vf::identity

#pragma once
// The server as a whole: which parts there are, in which order they start and stop.
//
// The socket opens first, so that /health answers at once; engines and database start beside each
// other; when both are up the server says that it is ready. SIGTERM or SIGINT: no new connections,
// running requests finish, engines and database stop, in that order.

#include <memory>

#include "app/app_settings.hpp"

namespace vf::app {

class ServerApp {
public:
    // `settings` must outlive the app.
    explicit ServerApp(const AppSettings& settings);
    ~ServerApp();

    // Runs until a signal ends it; the exit code of the process.
    int Run();

    // Every registered route as "METHOD /path" or "WS /path", one a line.
    std::string Routes() const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace vf::app

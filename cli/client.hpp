#pragma once
// The HTTP side of the command line client, on libcurl. One thread; one request at a time.

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/json.hpp"
#include "preferences.hpp"

namespace vf::cli {

class Client {
public:
    explicit Client(const Preferences& preferences);
    ~Client();
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    // GET, answered with JSON. Throws Failure.
    json::value Get(const std::string& path);

    // POST of a JSON body. A 200's bytes go to `sink` as they arrive (return false to stop); any
    // other answer becomes a Failure with the server's own explanation. Throws Failure, also when
    // the body ends before its end.
    void Post(const std::string& path, const json::value& body,
              const std::function<bool(std::string_view)>& sink);

private:
    struct Transfer;
    void Perform(const std::string& path, Transfer& transfer);

    const Preferences& preferences_;
    void* curl_;
};

// `text` as one component of a URL.
std::string UrlEncode(std::string_view text);

}  // namespace vf::cli

#pragma once
// Who makes a request. Made in one place per request before any handler runs; handlers and services
// receive it and never look at credentials themselves.

#include <string>

namespace vf {

struct Caller {
    enum class Kind {
        kAnonymous,  // no right to anything but public routes
        kDemo,       // the built-in demo team: a loopback caller of a server without accounts
    };
    Kind kind = Kind::kAnonymous;
    std::string address;  // the client's address, for logs and limits

    bool may_speak() const { return kind == Kind::kDemo; }
};

}  // namespace vf

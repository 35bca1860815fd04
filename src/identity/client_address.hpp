#pragma once
// The client's address behind proxies. Only what a trusted proxy says is believed: X-Forwarded-For
// is read from its end, past every address that is itself a trusted proxy, and the first other one
// is the client. Without trusted proxies, or when the peer is not one, it is the peer.

#include <string>
#include <vector>

#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>

#include "base/result.hpp"
#include "http/request.hpp"

namespace vf::identity {

class TrustedProxies {
public:
    // Comma-separated networks and addresses: "10.0.0.0/8, 192.0.2.7, ::1, unix". Error: the entry
    // that is none.
    static Result<TrustedProxies> Parse(std::string_view list);

    std::string ClientAddress(const http::Request& request) const;

private:
    bool Trusts(const std::string& address) const;

    std::vector<boost::asio::ip::network_v4> v4_;
    std::vector<boost::asio::ip::network_v6> v6_;
    bool unix_ = false;  // what comes over the Unix socket
};

}  // namespace vf::identity

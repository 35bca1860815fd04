#include "identity/client_address.hpp"

#include <algorithm>
#include <boost/asio/ip/address.hpp>

namespace vf::identity {
namespace {

namespace ip = boost::asio::ip;

// An address as proxies write it: with or without a port, IPv6 in brackets; mapped IPv4 is IPv4.
std::optional<ip::address> ReadAddress(std::string_view text) {
    text = http::Trim(text);
    if (text.starts_with('[')) {
        const std::size_t end = text.find(']');
        if (end == std::string_view::npos) return std::nullopt;
        text = text.substr(1, end - 1);
    } else if (std::count(text.begin(), text.end(), ':') == 1) {
        text = text.substr(0, text.find(':'));
    }
    boost::system::error_code error;
    const ip::address address = ip::make_address(std::string(text), error);
    if (error) return std::nullopt;
    if (address.is_v6() && address.to_v6().is_v4_mapped()) {
        return ip::make_address_v4(ip::v4_mapped, address.to_v6());
    }
    return address;
}

}  // namespace

Result<TrustedProxies> TrustedProxies::Parse(std::string_view list) {
    TrustedProxies proxies;
    while (!list.empty()) {
        const std::size_t comma = list.find(',');
        const std::string entry(http::Trim(list.substr(0, comma)));
        list = comma == std::string_view::npos ? std::string_view() : list.substr(comma + 1);
        if (entry.empty()) continue;
        if (entry == "unix") {
            proxies.unix_ = true;
            continue;
        }
        boost::system::error_code error;
        const bool is_v6 = entry.find(':') != std::string::npos;
        const bool has_length = entry.find('/') != std::string::npos;
        const std::string network = has_length ? entry : entry + (is_v6 ? "/128" : "/32");
        if (is_v6) {
            const ip::network_v6 parsed = ip::make_network_v6(network, error);
            if (!error) proxies.v6_.push_back(parsed.canonical());
        } else {
            const ip::network_v4 parsed = ip::make_network_v4(network, error);
            if (!error) proxies.v4_.push_back(parsed.canonical());
        }
        if (error) {
            return Error(ErrorKind::kInvalid, "invalid_network",
                         "http.trusted_proxies: \"" + entry +
                             "\" is not an address or a network such as 10.0.0.0/8.");
        }
    }
    return proxies;
}

bool TrustedProxies::Trusts(const std::string& address) const {
    if (address == "unix") return unix_;
    const std::optional<ip::address> parsed = ReadAddress(address);
    if (!parsed) return false;
    if (parsed->is_v4()) {
        return std::any_of(v4_.begin(), v4_.end(), [&](const ip::network_v4& network) {
            return ip::network_v4(parsed->to_v4(), network.prefix_length()).canonical() == network;
        });
    }
    return std::any_of(v6_.begin(), v6_.end(), [&](const ip::network_v6& network) {
        return ip::network_v6(parsed->to_v6(), network.prefix_length()).canonical() == network;
    });
}

std::string TrustedProxies::ClientAddress(const http::Request& request) const {
    const std::string& peer = request.peer.address;
    if ((v4_.empty() && v6_.empty() && !unix_) || !Trusts(peer)) return peer;
    // The proxy next to us wrote the last entry.
    const std::string list = request.headers.Joined("X-Forwarded-For");
    std::string_view rest = list;
    std::string nearest = peer;
    while (!rest.empty()) {
        const std::size_t comma = rest.rfind(',');
        const std::string_view entry =
            comma == std::string_view::npos ? rest : rest.substr(comma + 1);
        rest = comma == std::string_view::npos ? std::string_view() : rest.substr(0, comma);
        const std::optional<ip::address> address = ReadAddress(entry);
        if (!address) return nearest;  // nonsense: the last hop that is known
        nearest = address->to_string();
        if (!Trusts(nearest)) return nearest;
    }
    return nearest;
}

}  // namespace vf::identity

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstring>

#include "http/client.hpp"

namespace vf::http {
namespace {

struct Block {
    std::uint32_t address;
    int bits;
};

// IANA's special-purpose registry for IPv4: everything that is not globally reachable, and
// multicast.
constexpr std::array<Block, 15> kNotPublic4 = {{
    {0x00000000, 8},   // this network
    {0x0A000000, 8},   // private
    {0x64400000, 10},  // shared by carriers
    {0x7F000000, 8},   // loopback
    {0xA9FE0000, 16},  // link-local; clouds serve their metadata here
    {0xAC100000, 12},  // private
    {0xC0000000, 24},  // protocol assignments
    {0xC0000200, 24},  // documentation
    {0xC0586300, 24},  // 6to4 relays
    {0xC0A80000, 16},  // private
    {0xC6120000, 15},  // benchmarks
    {0xC6336400, 24},  // documentation
    {0xCB007100, 24},  // documentation
    {0xE0000000, 4},   // multicast
    {0xF0000000, 4},   // reserved, broadcast
}};

bool IsPublic4(std::uint32_t address) {
    for (const Block& block : kNotPublic4) {
        const std::uint32_t mask = ~0U << (32 - block.bits);
        if ((address & mask) == block.address) return false;
    }
    return true;
}

// Only 2000::/3 is given out; loopback, unique local, link-local, multicast, and the forms that
// carry an IPv4 address (mapped, compatible, NAT64) all lie outside of it. Within it, the blocks
// that carry IPv4 addresses (Teredo, 6to4) or are for documents are left out too.
bool IsPublic6(const std::array<std::uint8_t, 16>& a) {
    if ((a[0] & 0xE0U) != 0x20) return false;
    if (a[0] == 0x20 && a[1] == 0x02) return false;                                  // 6to4
    if (a[0] == 0x20 && a[1] == 0x01 && a[2] < 0x02) return false;                   // 2001::/23
    if (a[0] == 0x20 && a[1] == 0x01 && a[2] == 0x0D && a[3] == 0xB8) return false;  // documents
    return !(a[0] == 0x3F && a[1] == 0xFF && a[2] < 0x10);                           // documents
}

}  // namespace

bool IsPublicAddress(const sockaddr& address) {
    if (address.sa_family == AF_INET) {
        sockaddr_in in{};
        std::memcpy(&in, &address, sizeof in);
        return IsPublic4(ntohl(in.sin_addr.s_addr));
    }
    if (address.sa_family == AF_INET6) {
        sockaddr_in6 in{};
        std::memcpy(&in, &address, sizeof in);
        std::array<std::uint8_t, 16> bytes{};
        std::memcpy(bytes.data(), &in.sin6_addr, bytes.size());
        return IsPublic6(bytes);
    }
    return false;
}

}  // namespace vf::http

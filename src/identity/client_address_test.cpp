// Whose address it is when proxies stand in between.
#include "identity/client_address.hpp"

#include <gtest/gtest.h>

namespace vf::identity {
namespace {

std::string Client(const std::string& trusted, const std::string& peer,
                   const std::vector<std::string>& forwarded) {
    http::Request request;
    request.peer.address = peer;
    for (const std::string& value : forwarded) request.headers.Add("X-Forwarded-For", value);
    return TrustedProxies::Parse(trusted)->ClientAddress(request);
}

TEST(ClientAddress, IsThePeerUnlessThePeerIsTrusted) {
    EXPECT_EQ(Client("", "192.0.2.1", {"203.0.113.9"}), "192.0.2.1");
    EXPECT_EQ(Client("10.0.0.0/8", "192.0.2.1", {"203.0.113.9"}), "192.0.2.1");
    EXPECT_EQ(Client("10.0.0.0/8", "10.1.2.3", {}), "10.1.2.3");
}

TEST(ClientAddress, ATrustedProxysWordCounts) {
    EXPECT_EQ(Client("10.0.0.0/8", "10.1.2.3", {"203.0.113.9"}), "203.0.113.9");
    EXPECT_EQ(Client("10.1.2.3", "10.1.2.3", {"203.0.113.9"}), "203.0.113.9");
    EXPECT_EQ(Client("unix", "unix", {"203.0.113.9"}), "203.0.113.9");
    EXPECT_EQ(Client("fd00::/8, ::1", "::1", {"2001:db8::7"}), "2001:db8::7");
    EXPECT_EQ(Client("10.0.0.0/8", "::ffff:10.1.2.3", {"203.0.113.9:4711"}), "203.0.113.9");
    EXPECT_EQ(Client("10.0.0.0/8", "10.1.2.3", {"[2001:db8::7]:443"}), "2001:db8::7");
}

TEST(ClientAddress, WhatAClientWritesItselfStandsBehindTheProxysWord) {
    // The client sent "1.1.1.1"; the proxies appended what they saw.
    EXPECT_EQ(Client("10.0.0.0/8", "10.1.2.3", {"1.1.1.1, 203.0.113.9, 10.9.9.9"}), "203.0.113.9");
    EXPECT_EQ(Client("10.0.0.0/8", "10.1.2.3", {"1.1.1.1", "203.0.113.9"}), "203.0.113.9");
    EXPECT_EQ(Client("10.0.0.0/8", "10.1.2.3", {"1.1.1.1, nonsense"}), "10.1.2.3");
    EXPECT_EQ(Client("10.0.0.0/8", "10.1.2.3", {"10.4.4.4"}), "10.4.4.4");
}

TEST(ClientAddress, AWrongListIsNamed) {
    for (const char* list : {"10.0.0.0/33", "example.org", "10.0.0", "::1/129"}) {
        const auto parsed = TrustedProxies::Parse(list);
        ASSERT_FALSE(parsed) << list;
        EXPECT_NE(parsed.error().message().find(list), std::string::npos);
    }
}

}  // namespace
}  // namespace vf::identity

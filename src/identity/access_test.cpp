// Who may come in without a key, and who may not.
#include "identity/access.hpp"

#include <gtest/gtest.h>

#include "identity/key_secret.hpp"

namespace vf::identity {
namespace {

using HeaderList = std::vector<std::pair<std::string, std::string>>;

// Without a database: what is decided from memory.
std::string CodeFor(const HeaderList& headers, bool is_loopback = true,
                    const std::string& demo = "always") {
    http::Request request;
    request.peer.is_loopback = is_loopback;
    request.peer.address = is_loopback ? "127.0.0.1" : "192.0.2.1";
    request.headers.Set("Host", "127.0.0.1:8080");
    for (const auto& [name, value] : headers) request.headers.Set(name, value);
    asio::io_context loop;
    AccessOptions options;
    options.demo = demo;
    const std::optional<Result<void>> admitted =
        Access(loop, options).Decide(request, Scope::kSpeechWrite);
    if (!admitted) return "asks the database";
    EXPECT_EQ(request.caller.address, request.peer.address);
    if (!*admitted) {
        EXPECT_EQ(request.caller.kind, Caller::Kind::kAnonymous);
        return admitted->error().code();
    }
    EXPECT_EQ(request.caller.kind, Caller::Kind::kDemo);
    EXPECT_EQ(request.caller.team, kDemoTeam);
    EXPECT_FALSE(request.caller.live);
    EXPECT_TRUE(request.caller.plan);
    return "demo";
}

TEST(Access, AdmitsProgramsOfThisMachine) {
    EXPECT_EQ(CodeFor({}), "demo");
    for (const char* host : {"localhost", "LOCALHOST:80", "127.9.8.7:1", "[::1]:8080", "[::1]"}) {
        EXPECT_EQ(CodeFor({{"Host", host}}), "demo") << host;
    }
    EXPECT_EQ(CodeFor({{"Authorization", "Bearer sk-anything"}}), "demo");
    EXPECT_EQ(CodeFor({{"xi-api-key", "x"}, {"X-API-Key", "x"}}), "demo");
    EXPECT_EQ(CodeFor({{"Origin", "http://localhost:8080"}, {"Sec-Fetch-Site", "same-origin"}}),
              "demo");
}

TEST(Access, RefusesEveryoneElse) {
    EXPECT_EQ(CodeFor({}, false), "missing_api_key");
    EXPECT_EQ(CodeFor({}, true, "never"), "missing_api_key");
    for (const char* host :
         {"example.org", "127.0.0.1.example.org", "localhost.example.org", "127.0.0.1@example.org",
          "127.1", "", "[::1].example.org", "localhost:80x"}) {
        EXPECT_EQ(CodeFor({{"Host", host}}), "missing_api_key") << host;
    }
    for (const char* header : {"X-Forwarded-For", "Forwarded", "Via", "X-Real-IP"}) {
        EXPECT_EQ(CodeFor({{header, "10.0.0.1"}}), "missing_api_key") << header;
    }
    for (const char* origin : {"https://evil.example", "null", "http://localhost.evil.example"}) {
        EXPECT_EQ(CodeFor({{"Origin", origin}}), "missing_api_key") << origin;
    }
    EXPECT_EQ(CodeFor({{"Sec-Fetch-Site", "cross-site"}}), "missing_api_key");
}

TEST(Access, WaitsForTheDatabaseToKnowWhetherTheDemoIsOver) {
    EXPECT_EQ(CodeFor({}, true, "auto"), "database_unavailable");
    EXPECT_EQ(CodeFor({}, false, "auto"), "missing_api_key");
}

TEST(Access, KnowsAForeignKeyFromNone) {
    EXPECT_EQ(CodeFor({{"Authorization", "Bearer " + MakeKeySecret(true).text}}),
              "asks the database");
    EXPECT_EQ(CodeFor({{"Authorization", "Bearer vf_live_0123"}}), "invalid_api_key");
    EXPECT_EQ(CodeFor({{"Authorization", "Token vf_live_0123"}}), "invalid_api_key");
    EXPECT_EQ(CodeFor({{"Authorization", "token a"}, {"X-API-Key", "b"}}),
              "conflicting_credentials");
    EXPECT_EQ(CodeFor({{"X-API-Key", "vf_test_0123"}}), "invalid_api_key");
    EXPECT_EQ(CodeFor({{"xi-api-key", "a"}, {"Authorization", "Bearer b"}}),
              "conflicting_credentials");
}

}  // namespace
}  // namespace vf::identity

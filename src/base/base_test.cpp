// The ground: ids, JSON bodies, settings, UTF-8, the byte pipe.
#include <gtest/gtest.h>

#include <fstream>
#include <set>

#include "base/byte_pipe.hpp"
#include "base/ids.hpp"
#include "base/json_body.hpp"
#include "base/log.hpp"
#include "base/rfc3339.hpp"
#include "base/settings.hpp"
#include "base/task.hpp"
#include "base/utf8.hpp"

namespace vf {
namespace {

struct InnerBody {
    json::Required<std::string> id;
};
BOOST_DESCRIBE_STRUCT(InnerBody, (), (id))

struct OuterBody {
    json::Required<std::string> text;
    std::optional<double> speed;
    std::int64_t count = 7;
    bool stream = false;
    std::optional<InnerBody> voice;
    std::vector<std::int64_t> numbers;
};
BOOST_DESCRIBE_STRUCT(OuterBody, (), (text, speed, count, stream, voice, numbers))

void CheckBody(const OuterBody& body, json::Checker& check) {
    check.Range("speed", body.speed, 0.25, 4.0);
}

std::vector<std::string> WrongPaths(std::string_view text,
                                    json::Members members = json::Members::kClosed) {
    const auto body = json::ReadBody<OuterBody>(text, members);
    std::vector<std::string> paths;
    if (body) return paths;
    for (const FieldError& field : body.error().fields()) {
        paths.push_back(field.path + ":" + field.code);
    }
    if (paths.empty()) paths.push_back(body.error().code());
    return paths;
}

using Paths = std::vector<std::string>;

TEST(Rfc3339, HasMillisecondsAndZ) {
    EXPECT_EQ(Rfc3339(std::chrono::system_clock::time_point(
                  std::chrono::milliseconds(1'763'746'212'045))),
              "2025-11-21T17:30:12.045Z");
}

TEST(JsonBody, ReadsWhatIsThereAndKeepsDefaults) {
    const auto body = json::ReadBody<OuterBody>(
        R"({"text":"hi","voice":{"id":"slt"},"numbers":[1,2],"speed":null})",
        json::Members::kClosed);
    ASSERT_TRUE(body);
    EXPECT_EQ(*body->text, "hi");
    EXPECT_EQ(body->count, 7);
    EXPECT_EQ(*body->voice->id, "slt");
    EXPECT_FALSE(body->speed);
    EXPECT_EQ(body->numbers, (std::vector<std::int64_t>{1, 2}));
}

TEST(JsonBody, NamesEveryWrongMember) {
    EXPECT_EQ(WrongPaths(R"({"speed":"fast","voice":{},"numbers":[1,"x",2.5],"colour":1})"),
              (Paths{"/text:required", "/speed:wrong_type", "/voice/id:required",
                     "/numbers/1:wrong_type", "/numbers/2:wrong_type", "/colour:unknown_member"}));
    EXPECT_EQ(WrongPaths(R"({"text":"a","speed":9})"), (Paths{"/speed:out_of_range"}));
    EXPECT_EQ(WrongPaths(R"({"text":"a","text":"b"})"), (Paths{"/text:duplicate_member"}));
    EXPECT_EQ(WrongPaths(R"({"text":"a","voice":{"id":"x","id":"y"}})"),
              (Paths{"/voice/id:duplicate_member"}));
    EXPECT_EQ(WrongPaths("[]"), (Paths{"/:wrong_type"}));
    EXPECT_EQ(WrongPaths(R"({"text":"a","text":"b","colour":1})", json::Members::kOpen), Paths{});
}

TEST(JsonBody, RefusesWhatIsNotJson) {
    EXPECT_EQ(WrongPaths("{"), (Paths{"malformed_json"}));
    EXPECT_EQ(WrongPaths(R"({"text":"a"} x)"), (Paths{"malformed_json"}));
    EXPECT_EQ(WrongPaths(""), (Paths{"malformed_json"}));
    EXPECT_EQ(WrongPaths(std::string(100, '[')), (Paths{"json_too_deep"}));
    EXPECT_EQ(WrongPaths("{\"text\":\"\xff\"}"), (Paths{"invalid_utf8"}));
    const auto body = json::ReadBody<OuterBody>("{\"text\":\n  oops}", json::Members::kClosed);
    EXPECT_NE(body.error().message().find("line 2, column 3"), std::string::npos)
        << body.error().message();
}

TEST(Ids, AreOrderedAndRoundTrip) {
    std::set<RequestId> seen;
    RequestId last = RequestId::New();
    for (int i = 0; i < 5000; ++i) {
        const RequestId id = RequestId::New();
        EXPECT_LT(last, id);
        EXPECT_TRUE(seen.insert(id).second);
        last = id;
    }
    EXPECT_EQ(RequestId::Parse(last.Wire()), last);
    EXPECT_EQ(Uuid::Parse(last.uuid.Dashed()), last.uuid);
    EXPECT_FALSE(RequestId::Parse("op_" + last.uuid.Hex()));
    EXPECT_FALSE(RequestId::Parse("req_" + last.uuid.Hex().substr(1)));
    EXPECT_EQ(last.uuid.bytes[6] >> 4, 7);
}

TEST(Utf8, FindsWhatIsMalformed) {
    EXPECT_FALSE(Utf8FindInvalid("grün 你好 🎙"));
    EXPECT_EQ(Utf8FindInvalid("ab\xc3"), 2U);
    EXPECT_EQ(Utf8FindInvalid("\xc0\xaf"), 0U);          // overlong
    EXPECT_EQ(Utf8FindInvalid("a\xed\xa0\x80"), 1U);     // surrogate
    EXPECT_EQ(Utf8FindInvalid("\xf5\x80\x80\x80"), 0U);  // above U+10FFFF
    EXPECT_EQ(Utf8Count("你好🎙a"), 4U);
    EXPECT_EQ(Utf8Floor("a你", 2), 1U);
    std::string out;
    Utf8Append(out, Utf8Decode("🎙"));
    EXPECT_EQ(out, "🎙");
}

TEST(Log, EscapesWhateverComes) {
    std::string out;
    log::AppendEscaped(out, "a\"b\\c\n\xff\x01é");
    EXPECT_EQ(out, "a\\\"b\\\\c\\u000a\\ufffd\\u0001é");
}

struct TestOptions {
    std::int64_t port = 8080;
    std::string host = "127.0.0.1";
    std::string mode = "auto";
    std::chrono::milliseconds idle{30'000};
    std::uint64_t body = 1 << 20;
    bool log = true;
    std::string token;
};

class SettingsTest : public testing::Test {
protected:
    SettingsTest() {
        schema.Integer("http.port", o.port, 0, 65535, {"8080", "Port."});
        schema.Text("http.host", o.host, {"\"::1\"", "Host."});
        schema.Choice("auth.demo", o.mode, {"auto", "always"}, {"\"auto\"", "Demo mode."});
        schema.Duration("http.idle_timeout", o.idle, std::chrono::seconds(1), std::chrono::hours(1),
                        {"\"75s\"", "Idle."});
        schema.Bytes("http.max_body", o.body, 1024, 1 << 30, {"\"8MiB\"", "Body."});
        schema.Flag("log.access", o.log, {"true", "Access log."});
        schema.Secret("auth.token", o.token, {"\"x\"", "Token."});
        schema.AlsoFromEnvironment("http.host", "BIND_HOST");
    }

    std::string LoadText(const std::string& toml, std::vector<const char*> environment = {},
                         std::vector<std::string> arguments = {}) {
        const std::string path = testing::TempDir() + "vf_settings_test.toml";
        std::ofstream(path) << toml;
        auto loaded = schema.Load(path, environment, arguments);
        warnings = loaded ? loaded->warnings : std::vector<std::string>{};
        return loaded ? "" : loaded.error().message();
    }

    TestOptions o;
    SettingsSchema schema;
    std::vector<std::string> warnings;
};

TEST_F(SettingsTest, LaterSourcesWin) {
    EXPECT_EQ(LoadText("[http]\nport = 1\nidle_timeout = \"2m\"\nmax_body = \"8MiB\"\n",
                       {"VOICEFLOW_HTTP_PORT=2", "BIND_HOST=::1", "VOICEFLOW_LOG_ACCESS=false"},
                       {"--http.port", "3", "--auth.demo=always"}),
              "");
    EXPECT_EQ(o.port, 3);
    EXPECT_EQ(o.host, "::1");
    EXPECT_EQ(o.idle, std::chrono::minutes(2));
    EXPECT_EQ(o.body, 8U << 20);
    EXPECT_FALSE(o.log);
    EXPECT_EQ(o.mode, "always");
}

TEST_F(SettingsTest, MistakesNameFileAndLine) {
    const auto ends = [](const std::string& text, const std::string& end) {
        return text.ends_with(end) ? "" : "got: " + text;
    };
    EXPECT_EQ(ends(LoadText("[http]\nprot = 1\n"),
                   ".toml:2: unknown setting http.prot; did you mean http.port?"),
              "");
    EXPECT_EQ(ends(LoadText("[http]\n\nport = 70000\n"), ".toml:3: http.port must be 0 to 65535"),
              "");
    EXPECT_EQ(ends(LoadText("[http]\nport = \"80\"\n"), ":2: http.port must be of type integer"),
              "");
    EXPECT_EQ(
        ends(LoadText("[auth]\ndemo = \"maybe\"\n"), ":2: auth.demo must be one of auto, always"),
        "");
    EXPECT_EQ(LoadText("", {"VOICEFLOW_HTTP_PORT=x"}),
              "environment variable VOICEFLOW_HTTP_PORT: http.port must be a whole number");
    EXPECT_EQ(LoadText("", {}, {"--http.idle_timeout=5"}),
              "command line: --http.idle_timeout needs a unit: ms, s, m or h");
    EXPECT_EQ(LoadText("", {"VOICEFLOW_HTTP_PROT=1", "VOICEFLOW_API_KEY=k"}), "");
    EXPECT_EQ(warnings, (Paths{"the environment variable VOICEFLOW_HTTP_PROT is not a setting; "
                               "did you mean VOICEFLOW_HTTP_PORT?"}));
}

TEST_F(SettingsTest, DocumentReadsBackAndHidesSecrets) {
    o.port = 9;
    o.token = "secret";
    const std::string document = schema.Document();
    EXPECT_EQ(document.find("secret\""), std::string::npos);
    o.port = 1;
    EXPECT_EQ(LoadText(document), "");
    EXPECT_EQ(o.port, 9);
}

TEST(BytePipe, BoundsTheProducerAndTellsTheEnd) {
    asio::io_context loop;
    BytePipe pipe(loop.get_executor(), 10);
    std::vector<std::string> events;
    auto produce = [](BytePipe* p, std::vector<std::string>* e) -> Task<void> {
        for (int i = 0; i < 3; ++i) {
            co_await p->Write(std::string(10, 'x'));
            e->push_back("w");
        }
        p->Finish();
    };
    auto consume = [](BytePipe* p, std::vector<std::string>* e) -> Task<void> {
        for (;;) {
            auto chunk = co_await p->Read();
            if (!chunk) break;
            e->push_back("r");
        }
    };
    Spawn(loop.get_executor(), produce(&pipe, &events), "produce");
    loop.poll();
    EXPECT_EQ(events, (Paths{"w"}));
    Spawn(loop.get_executor(), consume(&pipe, &events), "consume");
    loop.run();
    EXPECT_EQ(events.size(), 6U);
    EXPECT_TRUE(pipe.complete());
}

TEST(BytePipe, AbandonWakesTheProducerAndCallsBackOnce) {
    asio::io_context loop;
    BytePipe pipe(loop.get_executor(), 1);
    int calls = 0;
    bool taken = true;
    pipe.OnAbandon([&] { ++calls; });
    auto produce = [](BytePipe* p, bool* t) -> Task<void> {
        co_await p->Write("a");
        *t = co_await p->Write("b");
    };
    Spawn(loop.get_executor(), produce(&pipe, &taken), "produce");
    loop.poll();
    pipe.Abandon();
    pipe.Abandon();
    loop.run();
    EXPECT_FALSE(taken);
    EXPECT_EQ(calls, 1);
}

TEST(Offload, BringsValuesAndExceptionsBack) {
    asio::io_context loop;
    asio::thread_pool pool(1);
    auto good = [](asio::thread_pool* p) -> Task<int> {
        auto work = [] { return 41; };
        const int n = co_await Offload(*p, std::move(work));
        co_return n + 1;
    };
    EXPECT_EQ(RunTask(loop, good(&pool)), 42);
    auto bad = [](asio::thread_pool* p) -> Task<int> {
        auto work = []() -> int { throw std::runtime_error("no"); };
        co_return co_await Offload(*p, std::move(work));
    };
    EXPECT_THROW(RunTask(loop, bad(&pool)), std::runtime_error);
}

}  // namespace
}  // namespace vf

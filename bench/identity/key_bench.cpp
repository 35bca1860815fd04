// A warm check of an API key: from the request's headers to the caller, without the database.
// Prints nanoseconds. Usage: key_bench [checks, default 1000000]

#include <cstdio>
#include <cstdlib>

#include "bench_database.hpp"
#include "identity/access.hpp"
#include "identity/key_store.hpp"
#include "identity/team_store.hpp"

namespace {

using namespace vf;
using Clock = std::chrono::steady_clock;

Task<void> Measure(identity::Access* access, std::shared_ptr<pg::Database> database, long checks) {
    co_await database->WaitAvailable(std::chrono::milliseconds(10'000));
    pg::SystemDb system = database->System("the bench makes a team");
    const identity::TeamRow team = co_await identity::team_store::Insert(system, "Bench", "demo");
    const identity::KeySecret secret = identity::MakeKeySecret(true);
    identity::NewKeyRow row;
    row.id = KeyId::New();
    row.name = "bench";
    row.prefix = secret.prefix;
    row.hash = identity::HashOfKey(secret.text);
    row.live = true;
    row.scopes = Scopes::All();
    pg::TeamDb own = database->Team(team.id);
    co_await identity::key_store::Insert(own, std::move(row));
    co_await access->Start(database);
    // LISTEN clears the cache once, when it is in force.
    co_await Sleep(std::chrono::milliseconds(500));
    Caller caller;
    std::string key = secret.text;
    const Result<Caller> cold =
        co_await access->AdmitKey(std::move(key), Scope::kSpeechWrite, std::move(caller));
    if (!cold) throw std::runtime_error(cold.error().code());
    http::Request request;
    request.id = "req_bench";
    request.peer.address = "192.0.2.1";
    request.headers.Set("Host", "voice.example");
    request.headers.Set("Authorization", "Bearer " + secret.text);
    const auto start = Clock::now();
    for (long i = 0; i < checks; ++i) {
        const auto decided = access->Decide(request, Scope::kSpeechWrite);
        if (!decided || !*decided) throw std::runtime_error("the key is not known");
    }
    const double nanos = std::chrono::duration<double, std::nano>(Clock::now() - start).count();
    std::printf("warm key check %.0f ns\n", nanos / static_cast<double>(checks));
    co_await access->Stop();
    database->Close();
}

}  // namespace

int main(int argc, char** argv) {
    const long checks = argc > 1 ? std::atol(argv[1]) : 1'000'000;
    bench::BenchDatabase base;
    asio::io_context loop;
    identity::Access access(loop, {});
    const std::shared_ptr<pg::Database> database = base.Open(loop);
    RunTask(loop, Measure(&access, database, checks));
    return 0;
}

// The service on a real PostgreSQL and a real folder.
#include <gtest/gtest.h>

#include <fstream>

#include "blob/blob_impl.hpp"
#include "blob/file_backend.hpp"
#include "http/client.hpp"
#include "pg/migrations.hpp"
#include "pg/pg_testing.hpp"
#include "pg/roles.hpp"

namespace vf::blob {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using std::chrono::seconds;

const pg::RoleUrls& Urls() {
    static const pg::RoleUrls urls = [] {
        pg::RoleOptions options;
        options.owner_url = pg::SharedCluster()->url();
        options.app_password = "app-password";
        options.system_password = "system-password";
        auto made = pg::EnsureRoles(options);
        if (!made) throw std::runtime_error(made.error().message());
        pg::MigrationOptions migration;
        migration.url = options.owner_url;
        migration.folder = fs::path(VF_SOURCE_DIR) / "migrations";
        auto report = pg::MigrateNow(migration);
        if (!report) throw std::runtime_error(report.error().message());
        return *made;
    }();
    return urls;
}

constexpr pg::Statement kMakeTeam{"test_blob_team",
                                  "INSERT INTO teams (id, billing_account_id, name) "
                                  "SELECT $1::uuid, id, 'Team' FROM billing_accounts LIMIT 1"};
constexpr pg::Statement kCountRows{"test_blob_rows",
                                   "SELECT count(*) FROM blobs WHERE team_id = $1::uuid"};
constexpr pg::Statement kCountReady{
    "test_blob_ready", "SELECT count(*) FROM blobs WHERE team_id = $1::uuid AND state = 'ready'"};
constexpr pg::Statement kSumOfRows{"test_blob_sum",
                                   "SELECT coalesce(sum(bytes), 0)::bigint FROM blobs "
                                   "WHERE team_id = $1::uuid AND state <> 'deleting'"};
constexpr pg::Statement kLeftTotal{"test_blob_left_total",
                                   "INSERT INTO blob_totals VALUES ($1::uuid, 100)"};
constexpr pg::Statement kLeftRow{
    "test_blob_left_row",
    "INSERT INTO blobs (id, team_id, content_type, bytes, backend, key_id, live, state, "
    "sweep_after) VALUES ($2::uuid, $1::uuid, 'a/b', 100, 'files', 'k', false, 'writing', "
    "to_timestamp($3::bigint))"};

// A backend that fails as it is told, and counts.
class BrokenBackend : public Backend {
public:
    struct State {
        bool fails_put = false;
        bool fails_remove = false;
        int removed = 0;
        std::map<std::string, std::string> objects;
    };
    explicit BrokenBackend(std::shared_ptr<State> state) : state_(std::move(state)) {}
    std::string_view name() const override { return "files"; }
    Task<Result<void>> Put(BlobId id, std::shared_ptr<BytePipe> source) override {
        if (state_->fails_put) co_return StorageUnavailable();
        std::string all;
        for (;;) {
            const std::optional<std::string> chunk = co_await source->Read();
            if (!chunk) break;
            all += *chunk;
        }
        if (!source->complete()) co_return StorageUnavailable();
        state_->objects[id.uuid.Hex()] = std::move(all);
        co_return Result<void>();
    }
    Task<Result<std::shared_ptr<BytePipe>>> Get(BlobId id, std::uint64_t offset,
                                                std::uint64_t length) override {
        const Executor executor = co_await asio::this_coro::executor;
        auto pipe = std::make_shared<BytePipe>(executor, 1 << 20);
        pipe->WriteNow(state_->objects[id.uuid.Hex()].substr(offset, length));
        pipe->Finish();
        co_return pipe;
    }
    Task<Result<void>> Remove(BlobId id) override {
        if (state_->fails_remove) co_return StorageUnavailable();
        ++state_->removed;
        state_->objects.erase(id.uuid.Hex());
        co_return Result<void>();
    }

private:
    std::shared_ptr<State> state_;
};

class BlobsTest : public testing::Test {
protected:
    BlobsTest() {
        pg::PoolOptions app;
        app.url = Urls().app;
        pg::PoolOptions system = app;
        system.url = Urls().system;
        database = std::make_shared<pg::Database>(loop, app, system);
        keyring = *secrets::Keyring::LoadOrMake(dir.path() / "server.key");
        mine = MakeTeam();
        theirs = MakeTeam();
        options.sweep_interval = std::chrono::hours(1);
    }
    ~BlobsTest() override {
        if (blobs) blobs->Stop();
        database->Close();
        loop.restart();
        loop.run();
    }

    // As the system; `more` follows the team's id.
    static Task<std::int64_t> AsSystem(pg::Database* db, pg::Statement statement, TeamId team,
                                       std::vector<std::string> more) {
        pg::Params params;
        params.Text(team.uuid.Dashed());
        for (const std::string& one : more) params.Text(one);
        constexpr milliseconds kLong{20'000};
        co_await db->WaitAvailable(kLong);
        pg::SystemDb system = db->System("the test looks at its rows");
        const pg::Rows rows = co_await system.Query(statement, std::move(params));
        co_return rows.empty() ? 0 : rows[0].Int(0);
    }
    std::int64_t Sql(pg::Statement statement, TeamId team, std::vector<std::string> more = {}) {
        return Run(AsSystem(database.get(), statement, team, std::move(more)));
    }
    TeamId MakeTeam() {
        const TeamId team = TeamId::New();
        Sql(kMakeTeam, team);
        return team;
    }
    Blobs& Service(std::shared_ptr<BrokenBackend::State> broken = nullptr) {
        if (!blobs) {
            blobs = std::make_unique<Blobs>(loop, client, options);
            const Result<void> opened = blobs->Open(keyring, dir.path());
            if (!opened) throw std::runtime_error(opened.error().message());
            if (broken) blobs->UseBackendForTest(std::make_unique<BrokenBackend>(broken));
            blobs->UseClockForTest([this] { return now; });
            blobs->Start(database);
        }
        return *blobs;
    }
    // The sweeper of the service waits for an hour: the loop never runs dry by itself.
    template <class T>
    T Run(Task<T> task) {
        std::optional<T> result;
        std::exception_ptr failure;
        asio::co_spawn(loop, std::move(task), [&](std::exception_ptr e, T value) {
            failure = e;
            if (!e) result.emplace(std::move(value));
            loop.stop();
        });
        loop.restart();
        loop.run();
        if (failure) std::rethrow_exception(failure);
        return std::move(*result);
    }
    Result<BlobInfo> Put(std::string content, PutOptions put = {}) {
        return Run(Service().Put(mine, std::move(put), std::move(content)));
    }
    BlobId PutOk(std::string content, PutOptions put = {}) {
        const auto info = Put(std::move(content), std::move(put));
        if (!info) throw std::runtime_error(info.error().message());
        return info->id;
    }
    static Task<std::string> ReadAll(Blobs* service, TeamId team, BlobId id,
                                     std::optional<ByteRange> range) {
        Result<BlobContent> content = co_await service->Get(team, id, range);
        if (!content) co_return "error: " + content.error().code();
        std::string all;
        for (;;) {
            const std::optional<std::string> chunk = co_await content->pipe->Read();
            if (!chunk) break;
            all += *chunk;
        }
        if (content->pipe->failed()) co_return "failed: " + content->pipe->error()->code();
        EXPECT_EQ(all.size(), content->length);
        co_return all;
    }
    std::string Get(BlobId id, std::optional<ByteRange> range = {}) {
        return Run(ReadAll(&Service(), mine, id, range));
    }
    std::string FindCode(TeamId team, BlobId id) {
        const auto found = Run(Service().Find(team, id));
        return found ? "ok" : found.error().code();
    }
    fs::path FileOf(BlobId id) const {
        const std::string hex = id.uuid.Hex();
        return dir.path() / "blobs" / hex.substr(30) / hex;
    }
    std::size_t Files() const {
        std::size_t count = 0;
        for (const auto& entry : fs::recursive_directory_iterator(dir.path() / "blobs")) {
            count += entry.is_regular_file() ? 1 : 0;
        }
        return count;
    }
    // The counted total, and proof that it is the sum of the rows.
    std::int64_t Total(TeamId team) {
        const std::int64_t sum = Sql(kSumOfRows, team);
        const std::uint64_t used = Run(Service().Used(team));
        EXPECT_EQ(static_cast<std::int64_t>(used), sum);
        return sum;
    }

    asio::io_context loop{1};
    pg::TempDir dir;
    BlobOptions options;
    Clock::time_point now = Clock::from_time_t(1'763'746'212);
    std::shared_ptr<pg::Database> database;
    std::shared_ptr<const secrets::Keyring> keyring;
    http::HttpClient client{loop};
    std::unique_ptr<Blobs> blobs;
    TeamId mine;
    TeamId theirs;
};

std::string Text(std::size_t size) {
    std::string text(size, '\0');
    for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>(i * 31 + i / 251);
    return text;
}

TEST_F(BlobsTest, KeepsContentAndWhatWasToldAboutIt) {
    for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{65'536},
                                   std::size_t{65'537}, std::size_t{5'000'000}}) {
        PutOptions put;
        put.name = "../../etc/passwd";
        put.content_type = "audio/wav; rate=8000";
        put.live = true;
        const std::string content = Text(size);
        const auto info = Put(content, put);
        ASSERT_TRUE(info) << info.error().message();
        EXPECT_EQ(info->bytes, size);
        const auto found = Run(Service().Find(mine, info->id));
        ASSERT_TRUE(found);
        EXPECT_EQ(found->name, put.name);
        EXPECT_EQ(found->content_type, put.content_type);
        EXPECT_EQ(found->sha256, info->sha256);
        EXPECT_EQ(found->bytes, size);
        EXPECT_TRUE(found->live);
        EXPECT_EQ(found->created_at, now);
        EXPECT_FALSE(found->expires_at);
        EXPECT_TRUE(Get(info->id) == content) << size;
        EXPECT_TRUE(fs::exists(FileOf(info->id)));
    }
}

TEST_F(BlobsTest, GivesRanges) {
    const std::string content = Text(300'000);
    const BlobId id = PutOk(content);
    for (const auto& [first, last] :
         std::initializer_list<std::pair<std::uint64_t, std::uint64_t>>{{0, 0},
                                                                        {0, 299'999},
                                                                        {65'535, 65'536},
                                                                        {65'536, 131'071},
                                                                        {131'071, 200'000},
                                                                        {299'999, 299'999},
                                                                        {262'144, 299'999}}) {
        EXPECT_TRUE(Get(id, ByteRange{first, last}) == content.substr(first, last - first + 1))
            << first << "-" << last;
    }
    EXPECT_EQ(Get(id, ByteRange{0, 300'000}), "error: invalid_range");
    EXPECT_EQ(Get(id, ByteRange{5, 4}), "error: invalid_range");
}

TEST_F(BlobsTest, AnotherTeamFindsNothing) {
    const BlobId id = PutOk("mine");
    EXPECT_EQ(FindCode(mine, id), "ok");
    EXPECT_EQ(FindCode(theirs, id), "blob_not_found");
    EXPECT_EQ(Run(ReadAll(&Service(), theirs, id, {})), "error: blob_not_found");
    EXPECT_FALSE(Run(Service().Delete(theirs, id)));
    EXPECT_TRUE(Run(Service().List(theirs, {}, 100)).blobs.empty());
    EXPECT_EQ(Get(id), "mine");
}

TEST_F(BlobsTest, DamageIsFoundOut) {
    const std::string content = Text(200'000);
    for (const std::size_t at : {std::size_t{0}, std::size_t{70'000}, std::size_t{200'000}}) {
        const BlobId id = PutOk(content);
        std::fstream file(FileOf(id), std::ios::in | std::ios::out | std::ios::binary);
        file.seekg(static_cast<std::streamoff>(at));
        const char was = static_cast<char>(file.get());
        file.seekp(static_cast<std::streamoff>(at));
        file.put(static_cast<char>(was ^ 1));
        file.close();
        EXPECT_NE(Get(id).find("blob_damaged"), std::string::npos) << at;
    }
    const BlobId one = PutOk(content);
    const BlobId other = PutOk(content);
    fs::copy_file(FileOf(other), FileOf(one), fs::copy_options::overwrite_existing);
    EXPECT_EQ(Get(one), "error: blob_damaged");
    fs::resize_file(FileOf(other), 100'000);
    EXPECT_NE(Get(other).find("blob_storage_unavailable"), std::string::npos);
    fs::remove(FileOf(one));
    EXPECT_EQ(Get(one), "error: blob_not_found");
}

TEST_F(BlobsTest, ListsNewestFirstInPages) {
    std::vector<BlobId> made;
    for (int i = 0; i < 7; ++i) made.push_back(PutOk(std::to_string(i)));
    std::vector<BlobId> seen;
    std::optional<BlobId> cursor;
    int pages = 0;
    do {
        const BlobPage page = Run(Service().List(mine, cursor, 3));
        for (const BlobInfo& info : page.blobs) seen.push_back(info.id);
        cursor = page.next;
        ++pages;
    } while (cursor);
    EXPECT_EQ(pages, 3);
    std::ranges::reverse(made);
    EXPECT_EQ(seen, made);
}

TEST_F(BlobsTest, TheDeletedAndTheExpiredAreGoneAtOnceAndSweptSoon) {
    const BlobId deleted = PutOk("deleted");
    PutOptions put;
    put.expires_at = now + seconds(60);
    const BlobId expiring = PutOk("expiring", put);
    const BlobId staying = PutOk("staying");
    EXPECT_EQ(Files(), 3U);
    EXPECT_TRUE(Run(Service().Delete(mine, deleted)));
    EXPECT_FALSE(Run(Service().Delete(mine, deleted)));
    EXPECT_EQ(FindCode(mine, deleted), "blob_not_found");
    EXPECT_EQ(Total(mine), 15);
    now += seconds(60);
    EXPECT_EQ(FindCode(mine, expiring), "blob_not_found");
    Run(Service().SweepOnce());
    EXPECT_EQ(Total(mine), 7);
    for (int i = 0; i < 100 && Files() > 1; ++i) Run(Service().SweepOnce());
    EXPECT_EQ(Files(), 1U);
    EXPECT_EQ(Get(staying), "staying");
    EXPECT_EQ(Sql(kCountRows, mine), 1);
}

TEST_F(BlobsTest, AnObjectThatCannotBeRemovedIsTriedAgain) {
    auto state = std::make_shared<BrokenBackend::State>();
    Service(state);
    const BlobId id = PutOk("stubborn");
    state->fails_remove = true;
    EXPECT_TRUE(Run(Service().Delete(mine, id)));
    Run(Service().SweepOnce());
    state->fails_remove = false;
    Run(Service().SweepOnce());
    EXPECT_EQ(state->objects.size(), 1U);  // the lease of the first try
    now += std::chrono::minutes(6);
    Run(Service().SweepOnce());
    EXPECT_TRUE(state->objects.empty());
    EXPECT_EQ(Sql(kCountRows, mine), 0);
}

TEST_F(BlobsTest, WhatAWriterThatDiedLeftIsSwept) {
    Service();
    const BlobId id = BlobId::New();
    const std::string give_up_at = std::to_string(Clock::to_time_t(now + seconds(10)));
    Sql(kLeftRow, mine, {id.uuid.Dashed(), give_up_at});
    Sql(kLeftTotal, mine);
    fs::create_directories(FileOf(id).parent_path());
    std::ofstream(FileOf(id)) << "whole, but its row never turned ready";
    EXPECT_EQ(FindCode(mine, id), "blob_not_found");
    Run(Service().SweepOnce());
    EXPECT_EQ(Files(), 1U);
    EXPECT_EQ(Total(mine), 100);
    now += seconds(11);
    Run(Service().SweepOnce());
    EXPECT_EQ(Files(), 0U);
    EXPECT_EQ(Total(mine), 0);
}

TEST_F(BlobsTest, HalfWrittenFilesAreRemovedAtStart) {
    fs::create_directories(dir.path() / "blobs" / "unfinished");
    std::ofstream(dir.path() / "blobs" / "unfinished" / "left") << "half";
    Service();
    EXPECT_EQ(Files(), 0U);
}

TEST_F(BlobsTest, ABrokenSourceLeavesNothing) {
    auto body = [](Blobs* service, TeamId team, int ending) -> Task<std::string> {
        const Executor executor = co_await asio::this_coro::executor;
        auto source = std::make_shared<BytePipe>(executor, 1 << 20);
        source->WriteNow(Text(500'000));
        if (ending == 0) source->Fail(Error(ErrorKind::kInvalid, "of_the_source", "It broke."));
        if (ending == 1) source->Abandon();
        const auto info = co_await service->Put(team, PutOptions(), source);
        EXPECT_TRUE(source->abandoned());
        co_return info ? "ok" : info.error().code();
    };
    EXPECT_EQ(Run(body(&Service(), mine, 0)), "of_the_source");
    EXPECT_EQ(Run(body(&Service(), mine, 1)), "blob_source_broken");
    Run(Service().SweepOnce());
    EXPECT_EQ(Total(mine), 0);
    EXPECT_EQ(Files(), 0U);
    EXPECT_EQ(Sql(kCountReady, mine), 0);
}

TEST_F(BlobsTest, AStorageThatFailsIsSaidAndLeavesNothing) {
    auto state = std::make_shared<BrokenBackend::State>();
    state->fails_put = true;
    Service(state);
    const auto info = Put(Text(5'000'000));
    ASSERT_FALSE(info);
    EXPECT_EQ(info.error().code(), "blob_storage_unavailable");
    EXPECT_EQ(info.error().kind(), ErrorKind::kUnavailable);
    EXPECT_EQ(Total(mine), 0);
}

TEST_F(BlobsTest, SizesAreBounded) {
    options.max_bytes = 1000;
    EXPECT_TRUE(Put(std::string(1000, 'x')));
    EXPECT_EQ(Put(std::string(1001, 'x')).error().code(), "blob_too_large");
    PutOptions put;
    put.max_bytes = 10;
    EXPECT_EQ(Put(std::string(11, 'x'), put).error().code(), "blob_too_large");
}

TEST_F(BlobsTest, TheQuotaHoldsWhoeverWritesAtTheSameTime) {
    struct Count {
        int left = 40;
        int stored = 0;
        int refused = 0;
    };
    auto body = [](Blobs* service, TeamId team) -> Task<Count> {
        Count count;
        auto one = [](Blobs* s, TeamId t, bool is_streamed, Count* counted) -> Task<void> {
            const Executor executor = co_await asio::this_coro::executor;
            PutOptions put;
            put.storage_bytes = 1000;
            Result<BlobInfo> info = Error();
            if (is_streamed) {
                auto source = std::make_shared<BytePipe>(executor, 100);
                source->WriteNow(std::string(100, 'x'));
                source->Finish();
                info = co_await s->Put(t, std::move(put), source);
            } else {
                std::string content(100, 'x');
                info = co_await s->Put(t, std::move(put), std::move(content));
            }
            const bool is_refused = !info && info.error().code() == "storage_quota_exceeded";
            counted->stored += info ? 1 : 0;
            counted->refused += is_refused ? 1 : 0;
            --counted->left;
        };
        const Executor executor = co_await asio::this_coro::executor;
        const int all = count.left;
        for (int i = 0; i < all; ++i)
            Spawn(executor, one(service, team, i % 2 == 0, &count), "one");
        while (count.left > 0) co_await Sleep(milliseconds(5));
        co_return count;
    };
    const Count count = Run(body(&Service(), mine));
    EXPECT_EQ(count.stored, 10);
    EXPECT_EQ(count.refused, 30);
    EXPECT_EQ(Total(mine), 1000);
    EXPECT_EQ(Put("x").value().bytes, 1U);  // no bound of its own
    PutOptions full;
    full.storage_bytes = 1000;
    const auto refused = Put("x", full);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind(), ErrorKind::kPaymentRequired);
    // What is deleted makes room at once.
    const BlobPage page = Run(Service().List(mine, {}, 5));
    for (const BlobInfo& info : page.blobs) EXPECT_TRUE(Run(Service().Delete(mine, info.id)));
    EXPECT_TRUE(Put("x", full));
}

TEST_F(BlobsTest, AStreamReservesAsItGoesAndGivesBackTheRest) {
    auto body = [](Blobs* service, TeamId team, std::size_t bytes,
                   std::int64_t quota) -> Task<Result<BlobInfo>> {
        const Executor executor = co_await asio::this_coro::executor;
        auto source = std::make_shared<BytePipe>(executor, 1);
        source->WriteNow(Text(bytes));
        source->Finish();
        PutOptions put;
        put.storage_bytes = quota;
        co_return co_await service->Put(team, std::move(put), source);
    };
    const auto info = Run(body(&Service(), mine, 6'000'000, 100'000'000));
    ASSERT_TRUE(info) << info.error().message();
    EXPECT_EQ(Total(mine), 6'000'000);
    EXPECT_TRUE(Get(info->id) == Text(6'000'000));
    const auto refused = Run(body(&Service(), mine, 6'000'000, 11'000'000));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), "storage_quota_exceeded");
    EXPECT_EQ(Total(mine), 6'000'000);
    EXPECT_TRUE(Run(body(&Service(), mine, 5'000'000, 11'000'000)));
}

TEST_F(BlobsTest, LinksOpenTheirObjectUntilTheyEnd) {
    const auto info = Put("linked");
    ASSERT_TRUE(info);
    const Blobs::Link link = Service().MakeLink(*info, seconds(60));
    EXPECT_EQ(link.expires_at, now + seconds(60));
    const std::size_t at = link.path.find("?expires=");
    EXPECT_EQ(link.path.substr(0, at), "/api/blobs/" + info->id.Wire() + "/content");
    const std::int64_t expires = Clock::to_time_t(link.expires_at);
    const std::string signature = link.path.substr(link.path.find("&signature=") + 11);
    const auto code = [&](BlobId id, std::int64_t until, std::string tag) {
        const auto found = Run(Service().FindLinked(id, until, std::move(tag)));
        return found ? "ok" : found.error().code();
    };
    EXPECT_EQ(code(info->id, expires, signature), "ok");
    EXPECT_EQ(code(info->id, expires + 1, signature), "link_invalid");
    EXPECT_EQ(code(PutOk("other"), expires, signature), "link_invalid");
    EXPECT_EQ(code(info->id, expires, ""), "link_invalid");
    for (std::size_t i = 0; i < signature.size(); ++i) {
        std::string changed = signature;
        changed[i] = changed[i] == 'A' ? 'B' : 'A';
        EXPECT_EQ(code(info->id, expires, changed), "link_invalid") << i;
    }
    now += seconds(60);
    EXPECT_EQ(code(info->id, expires, signature), "link_expired");
    now -= seconds(1);
    EXPECT_TRUE(Run(Service().Delete(mine, info->id)));
    EXPECT_EQ(code(info->id, expires, signature), "blob_not_found");
}

TEST_F(BlobsTest, ALinkEndsWithItsObject) {
    PutOptions put;
    put.expires_at = now + seconds(30);
    const auto info = Put("short", put);
    ASSERT_TRUE(info);
    EXPECT_EQ(Service().MakeLink(*info, seconds(60)).expires_at, now + seconds(30));
}

TEST_F(BlobsTest, BeforeItsStartItIsUnavailable) {
    Blobs early(loop, client, options);
    std::string code;
    try {
        (void)Run(early.Find(mine, BlobId::New()));
    } catch (const UnavailableException& e) {
        code = e.error.code();
    }
    EXPECT_EQ(code, "blob_storage_unavailable");
}

TEST_F(BlobsTest, WrongSettingsAreToldToTheOperator) {
    options.backend = "s3";
    Blobs wrong(loop, client, options);
    EXPECT_EQ(wrong.Open(keyring, dir.path()).error().code(), "blob_settings");
    options.s3_endpoint = "s3.example.com";
    Blobs no_scheme(loop, client, options);
    EXPECT_NE(no_scheme.Open(keyring, dir.path()).error().message().find("s3_endpoint"),
              std::string::npos);
    options.s3_endpoint = "https://s3.example.com";
    options.s3_bucket = "b";
    options.s3_access_key = "a";
    Blobs no_secret(loop, client, options);
    EXPECT_NE(no_secret.Open(keyring, dir.path()).error().message().find("s3_secret_key"),
              std::string::npos);
    options = BlobOptions();
    Blobs no_folder(loop, client, options);
    EXPECT_EQ(no_folder.Open(keyring, "/proc/no").error().code(), "blob_folder");
}

TEST_F(BlobsTest, TooManyAtOnceWaitOrAreRefused) {
    options.puts_at_once = 1;
    options.puts_waiting = 1;
    options.put_wait = milliseconds(20);
    auto body = [](Blobs* service, TeamId team) -> Task<std::vector<std::string>> {
        const Executor executor = co_await asio::this_coro::executor;
        auto slow = std::make_shared<BytePipe>(executor, 1);
        std::vector<std::string> codes;
        auto one = [](Blobs* s, TeamId t, std::shared_ptr<BytePipe> source,
                      std::vector<std::string>* out) -> Task<void> {
            const auto info = co_await s->Put(t, PutOptions(), source);
            out->push_back(info ? "ok" : info.error().code());
        };
        Spawn(executor, one(service, team, slow, &codes), "one");
        for (int i = 0; i < 2; ++i) {
            auto source = std::make_shared<BytePipe>(executor, 1);
            source->Finish();
            Spawn(executor, one(service, team, source, &codes), "one");
        }
        while (codes.size() < 2) co_await Sleep(milliseconds(5));
        slow->Finish();
        while (codes.size() < 3) co_await Sleep(milliseconds(5));
        co_return codes;
    };
    const std::vector<std::string> codes = Run(body(&Service(), mine));
    EXPECT_EQ(codes, (std::vector<std::string>{"blob_storage_busy", "blob_storage_busy", "ok"}));
}

}  // namespace
}  // namespace vf::blob

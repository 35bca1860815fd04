// The way into a real PostgreSQL.
#include "usage/shipper.hpp"

#include <set>

#include "usage/ingest_testing.hpp"

namespace vf::usage {
namespace {

using pg::BlockingConnection;
using pg::Database;
using std::chrono::milliseconds;
using std::chrono::seconds;
using namespace std::chrono_literals;

constexpr pg::Statement kNote{"test_note",
                              "INSERT INTO test_totals (node_id, requests, characters, charge) "
                              "VALUES ($1, $2, $3, $4)"};

Task<void> NoteTotals(pg::SystemTransaction& transaction, const std::vector<IngestTotals>& totals) {
    for (const IngestTotals& sum : totals) {
        pg::Params params;
        params.Text(sum.node.uuid.Dashed());
        params.Int(sum.requests).Int(sum.characters).Int(sum.charge_milli);
        co_await transaction.Query(kNote, std::move(params));
    }
}

struct Node {
    Node(asio::io_context& loop, Ground& ground, const fs::path& folder, UsageOptions options = {},
         OnIngest hook = NoteTotals)
        : journal(OpenJournal(OptionsIn(folder))),
          database(loop, UrlOptions(ground.urls.app), UrlOptions(ground.urls.system)),
          shipper(loop, *journal, database, Quick(options), std::move(hook)) {}

    static UsageOptions Quick(UsageOptions options) {
        options.ship_interval = milliseconds(5);
        return options;
    }

    std::unique_ptr<Journal> journal;
    Database database;
    Shipper shipper;
};

Task<void> DrainAndStop(Node* node, bool* drained) {
    *drained = co_await node->shipper.Drain(seconds(30));
    co_await node->shipper.Stop();
    node->database.Close();
}

// Ships what the journal of `folder` holds, as a new process would.
void ShipFolder(Ground& ground, const fs::path& folder, OnIngest hook = NoteTotals) {
    asio::io_context loop;
    Node node(loop, ground, folder, {}, std::move(hook));
    node.shipper.Start();
    bool drained = false;
    RunTask(loop, DrainAndStop(&node, &drained));
    EXPECT_TRUE(drained);
}

std::vector<UsageRow> Journalled(const fs::path& folder, int count) {
    auto journal = OpenJournal(OptionsIn(folder));
    std::vector<UsageRow> rows;
    for (int i = 0; i < count; ++i) {
        rows.push_back(MakeRow(i));
        rows.back().node = journal->node();
        journal->End(rows.back());
    }
    return rows;
}

std::string OfNode(NodeId node) {
    return " WHERE node_id = '" + node.uuid.Dashed() + "'";
}

TEST(Shipper, BringsEveryFigure) {
    TempDir dir;
    UsageRow row = MakeRow(123);
    row.key = KeyId::New();
    row.live = true;
    row.cached = true;
    row.streamed = true;
    row.status = 206;
    row.delivery = Delivery::kAborted;
    row.region = "eu";
    row.deployment = "dep";
    row.vendor_milli = 12'345;
    row.vendor_currency = "EUR";
    row.voice = "Zoë's \"voice\"\t\\N";
    {
        auto journal = OpenJournal(OptionsIn(dir.path()));
        journal->End(row);
    }
    ShipFolder(SharedGround(), dir.path());
    const pg::Rows found = SharedGround().System().Run(
        "SELECT team_id, key_id, billing_account_id, extract(epoch FROM started_at) * 1000, "
        "characters, audio_ms, engine_ms, bytes, charge_milli, status, live, cached, streamed, "
        "kind, delivery, route, voice, model, engine, region, deployment, vendor_currency, "
        "vendor_milli FROM usage_rows WHERE id = $1",
        {row.operation.uuid.Dashed()});
    ASSERT_EQ(found.size(), 1U);
    const pg::Row got = found[0];
    EXPECT_EQ(got.Text(0), row.team.uuid.Dashed());
    EXPECT_EQ(got.Text(1), row.key->uuid.Dashed());
    EXPECT_EQ(got.Text(2), row.billing.uuid.Dashed());
    EXPECT_EQ(got.Double(3), static_cast<double>(row.started_at.time_since_epoch().count()));
    const std::int64_t numbers[]{row.characters, row.audio_ms,     row.engine_ms,
                                 row.bytes,      row.charge_milli, row.status};
    for (int i = 0; i < 6; ++i) EXPECT_EQ(got.Int(4 + i), numbers[i]) << i;
    for (int i = 10; i < 13; ++i) EXPECT_TRUE(got.Bool(i)) << i;
    const std::string_view texts[]{"speech",   "aborted",      row.route,
                                   row.voice,  row.model,      row.engine,
                                   row.region, row.deployment, row.vendor_currency};
    for (int i = 0; i < 9; ++i) EXPECT_EQ(got.Text(13 + i), texts[i]) << i;
    EXPECT_EQ(got.Int(22), row.vendor_milli);
}

TEST(Shipper, TheSameSegmentsTwiceCountOnce) {
    TempDir dir;
    const auto rows = Journalled(dir.path() / "a", 300);
    fs::copy(dir.path() / "a", dir.path() / "b");
    ShipFolder(SharedGround(), dir.path() / "a");
    ShipFolder(SharedGround(), dir.path() / "b");
    const std::string of_node = OfNode(rows[0].node);
    EXPECT_EQ(SharedGround().Ask("SELECT count(*) FROM usage_rows" + of_node), 300);
    EXPECT_EQ(
        SharedGround().Owner().Run("SELECT sum(requests) FROM test_totals" + of_node)[0].Int(0),
        300);
}

TEST(Shipper, NothingIsLeftOfWhatIsShipped) {
    TempDir dir;
    Journalled(dir.path(), 300);
    ShipFolder(SharedGround(), dir.path());
    EXPECT_TRUE(ListSegments(dir.path()).empty());
}

TEST(Shipper, TheIdsOwnTimeDecidesTheMonth) {
    using std::chrono::sys_days;
    TempDir dir;
    const std::pair<std::chrono::sys_time<milliseconds>, const char*> cases[]{
        {sys_days(2024y / 3 / 1) - 1ms, "usage_rows_2024_02"},
        {sys_days(2024y / 3 / 1), "usage_rows_2024_03"},
        {sys_days(2025y / 1 / 1) - 1ms, "usage_rows_2024_12"},
        {sys_days(2025y / 1 / 1), "usage_rows_2025_01"},
        {sys_days(2020y / 1 / 1), "usage_rows_2020_01"},
        {sys_days(2101y / 1 / 1) - 1ms, "usage_rows_2100_12"},
    };
    std::vector<UsageRow> rows;
    {
        auto journal = OpenJournal(OptionsIn(dir.path()));
        for (const auto& [time, table] : cases) {
            rows.push_back(MakeRow());
            rows.back().operation = IdAt(time);
            journal->End(rows.back());
        }
    }
    std::vector<IngestTotals> seen;
    OnIngest hook = [&seen](pg::SystemTransaction&, const std::vector<IngestTotals>& totals) {
        seen = totals;
        auto nothing = []() -> Task<void> { co_return; };
        return nothing();
    };
    ShipFolder(SharedGround(), dir.path(), hook);
    EXPECT_EQ(seen.size(), 6U);
    for (const IngestTotals& sum : seen) EXPECT_EQ(sum.requests, 1);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const pg::Rows found = SharedGround().System().Run(
            "SELECT tableoid::regclass::text FROM usage_rows WHERE id = $1",
            {rows[i].operation.uuid.Dashed()});
        ASSERT_EQ(found.size(), 1U);
        EXPECT_EQ(found[0].Text(0), cases[i].second);
    }
    // Asked for, the present and the next month were made ahead.
    const auto now = std::chrono::time_point_cast<milliseconds>(std::chrono::system_clock::now());
    for (const Month month : {MonthOf(now), MonthOf(now) + std::chrono::months(1)}) {
        char name[40];
        std::snprintf(name, sizeof name, "usage_rows_%04d_%02u", static_cast<int>(month.year()),
                      static_cast<unsigned>(month.month()));
        EXPECT_EQ(
            SharedGround().Owner().Run("SELECT to_regclass($1)::text", {name})[0].MaybeText(0),
            name);
    }
}

TEST(Shipper, OnlySensibleMonthsGetAPartition) {
    for (const char* month : {"2019-12-01", "2101-01-01", "infinity", "0001-01-01"}) {
        std::string refusal;
        try {
            SharedGround().System().Run("SELECT vf_usage_partition($1::date)", {month});
        } catch (const pg::QueryError& e) {
            refusal = e.sqlstate();
        }
        EXPECT_EQ(refusal, "22008") << month;
    }
    BlockingConnection app(SharedGround().urls.app, milliseconds(5000));
    for (const char* sql : {"SELECT vf_usage_partition('2026-01-01')", "DELETE FROM usage_rows",
                            "UPDATE usage_rows SET characters = 0", "TRUNCATE usage_rows",
                            "INSERT INTO usage_rows (id) VALUES (gen_random_uuid())"}) {
        std::string refusal;
        try {
            app.Run(sql);
        } catch (const pg::QueryError& e) {
            refusal = e.sqlstate();
        }
        EXPECT_EQ(refusal, "42501") << sql;
    }
}

TEST(Shipper, APartitionIsMadeOnceByManyAtOnce) {
    std::vector<std::thread> threads;
    std::atomic<int> made{0};
    const Ground& ground = SharedGround();
    for (int i = 0; i < 8; ++i) {
        threads.emplace_back([&] {
            BlockingConnection system(ground.urls.system, milliseconds(5000));
            for (int month = 1; month <= 12; ++month) {
                system.Run("SELECT vf_usage_partition(make_date(2031, $1::int, 15))",
                           {std::to_string(month)});
            }
            ++made;
        });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(made, 8);
    EXPECT_EQ(SharedGround()
                  .Owner()
                  .Run("SELECT 1 FROM pg_class WHERE relkind = 'r' "
                       "AND relname ~ '^usage_rows_2031'")
                  .size(),
              12U);
}

TEST(Shipper, ATotalIsUndoneWithItsBatch) {
    TempDir dir;
    const auto rows = Journalled(dir.path(), 50);
    int calls = 0;
    OnIngest hook = [&calls](pg::SystemTransaction& transaction,
                             const std::vector<IngestTotals>& totals) {
        auto failing = [](pg::SystemTransaction* t, const std::vector<IngestTotals>* sums,
                          int call) -> Task<void> {
            co_await NoteTotals(*t, *sums);
            if (call == 0) throw std::runtime_error("not this time");
        };
        return failing(&transaction, &totals, calls++);
    };
    ShipFolder(SharedGround(), dir.path(), hook);
    EXPECT_EQ(calls, 2);
    const std::string of_node = OfNode(rows[0].node);
    EXPECT_EQ(SharedGround().Ask("SELECT count(*) FROM usage_rows" + of_node), 50);
    EXPECT_EQ(
        SharedGround().Owner().Run("SELECT sum(requests) FROM test_totals" + of_node)[0].Int(0),
        50);
}

TEST(Shipper, TwoNodesShareOneDatabase) {
    TempDir dir;
    asio::io_context loop;
    UsageOptions options;
    options.batch_rows = 50;
    Node a(loop, SharedGround(), dir.path() / "a", options);
    Node b(loop, SharedGround(), dir.path() / "b", options);
    ASSERT_NE(a.journal->node(), b.journal->node());
    a.shipper.Start();
    b.shipper.Start();
    for (int i = 0; i < 1000; ++i) {
        a.journal->End(MakeRow(1));
        b.journal->End(MakeRow(2));
    }
    bool drained[2] = {};
    Spawn(loop.get_executor(), DrainAndStop(&a, &drained[0]), "a");
    RunTask(loop, DrainAndStop(&b, &drained[1]));
    EXPECT_TRUE(drained[0] && drained[1]);
    for (const Node* node : {&a, &b}) {
        const std::string of_node = OfNode(node->journal->node());
        EXPECT_EQ(SharedGround().Ask("SELECT count(*) FROM usage_rows" + of_node), 1000);
        EXPECT_EQ(
            SharedGround().Owner().Run("SELECT sum(requests) FROM test_totals" + of_node)[0].Int(0),
            1000);
        EXPECT_EQ(node->shipper.rows_shipped(), 1000U);
    }
}

// The cluster is stopped in the middle of the batches and comes back, several times; rows go on
// being written.
TEST(Shipper, ADatabaseThatComesAndGoesLosesAndDoublesNothing) {
    Ground ground;
    TempDir dir;
    asio::io_context loop;
    UsageOptions options;
    options.batch_rows = 50;
    std::atomic<bool> over{false};
    std::thread trouble([&] {
        for (int i = 0; i < 3; ++i) {
            std::this_thread::sleep_for(milliseconds(120));
            ground.cluster.Stop();
            ground.cluster.Start();
        }
        over = true;
    });
    Node node(loop, ground, dir.path(), options);
    node.shipper.Start();
    auto write = [](Node* n, std::atomic<bool>* until, int* count) -> Task<void> {
        while (!*until) {
            for (int i = 0; i < 10; ++i, ++*count) n->journal->End(MakeRow(1));
            co_await Sleep(milliseconds(5));
        }
    };
    auto all = [](auto writing, Node* n, std::atomic<bool>* until, int* count,
                  bool* whole) -> Task<void> {
        co_await writing(n, until, count);
        co_await DrainAndStop(n, whole);
    };
    int written = 0;
    bool drained = false;
    RunTask(loop, all(write, &node, &over, &written, &drained));
    trouble.join();
    EXPECT_TRUE(drained);
    const std::string of_node = OfNode(node.journal->node());
    EXPECT_EQ(ground.Ask("SELECT count(*) FROM usage_rows" + of_node), written);
    EXPECT_EQ(ground.Owner().Run("SELECT sum(requests) FROM test_totals" + of_node)[0].Int(0),
              written);
    EXPECT_EQ(node.journal->unshipped_bytes(), 0U);
}

}  // namespace
}  // namespace vf::usage

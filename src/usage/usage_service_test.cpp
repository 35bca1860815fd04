// What a team reads of its usage, and how it is written.
#include "usage/usage_service.hpp"

#include "base/rfc3339.hpp"
#include "usage/ingest_testing.hpp"
#include "usage/usage_body.hpp"

namespace vf::usage {
namespace {

using std::chrono::sys_days;
using namespace std::chrono_literals;

const Time kNow = sys_days(2026y / 5 / 20) + 12h;

UsageRow RowAt(TeamId team, Time time, std::int64_t characters) {
    UsageRow row = MakeRow(characters);
    row.operation = IdAt(time);
    row.started_at = time;
    row.team = team;
    return row;
}

// Two teams with rows in April and May 2026.
struct Told {
    TeamId mine = TeamId::New();
    TeamId other = TeamId::New();
    KeyId key = KeyId::New();
    std::vector<UsageRow> rows;

    Told() {
        add(sys_days(2026y / 4 / 30) + 23h + 59min, 1).live = true;
        add(sys_days(2026y / 5 / 1), 2).key = key;
        UsageRow& failed = add(sys_days(2026y / 5 / 18), 4);
        failed.status = 503;
        failed.delivery = Delivery::kFailed;
        failed.voice = "";
        add(kNow - 2h, 8).live = true;
        rows.back().cached = true;
        add(kNow - 1h, 16).voice = "=HYPERLINK(\"x\")";
        rows.push_back(RowAt(other, kNow - 1h, 1000));
    }
    UsageRow& add(Time time, std::int64_t characters) {
        rows.push_back(RowAt(mine, time, characters));
        return rows.back();
    }
};

const Told& SharedTold() {
    static const Told told = [] {
        Told made;
        Ingest(SharedGround(), made.rows);
        return made;
    }();
    return told;
}

Filter May() {
    return Filter{MonthOfTime(kNow), {}, {}, {}};
}

std::vector<std::int64_t> Characters(const std::vector<UsageRow>& rows) {
    std::vector<std::int64_t> found;
    for (const UsageRow& row : rows) found.push_back(row.characters);
    return found;
}

using Numbers = std::vector<std::int64_t>;

TEST(UsageService, ListsTheRowsOfOneTeamNewestFirst) {
    WithService([](UsageService* service) -> Task<void> {
        const Told* told = &SharedTold();
        const RowPage all = co_await service->Rows(told->mine, May(), std::nullopt, 10);
        EXPECT_EQ(Characters(all.rows), (Numbers{16, 8, 4, 2}));
        EXPECT_FALSE(all.next);
        UsageRow expected = told->rows[1];
        expected.node = all.rows[3].node;
        EXPECT_EQ(all.rows[3], expected);
        const RowPage none = co_await service->Rows(TeamId::New(), May(), std::nullopt, 10);
        EXPECT_TRUE(none.rows.empty());
    });
}

TEST(UsageService, PagesJoinWithoutGapOrOverlap) {
    WithService([](UsageService* service) -> Task<void> {
        const Told* told = &SharedTold();
        for (std::int64_t limit = 1; limit <= 5; ++limit) {
            std::vector<UsageRow> read;
            std::optional<OperationId> after;
            for (;;) {
                const RowPage page = co_await service->Rows(told->mine, May(), after, limit);
                EXPECT_LE(static_cast<std::int64_t>(page.rows.size()), limit);
                read.insert(read.end(), page.rows.begin(), page.rows.end());
                after = page.next;
                if (!after) break;
            }
            EXPECT_EQ(Characters(read), (Numbers{16, 8, 4, 2}));
        }
    });
}

TEST(UsageService, FiltersByLiveKeyAndVoice) {
    WithService([](UsageService* service) -> Task<void> {
        const Told* told = &SharedTold();
        Filter live = May();
        live.live = true;
        const RowPage of_live = co_await service->Rows(told->mine, live, std::nullopt, 10);
        EXPECT_EQ(Characters(of_live.rows), Numbers{8});
        Filter key = May();
        key.key = told->key;
        const RowPage of_key = co_await service->Rows(told->mine, key, std::nullopt, 10);
        EXPECT_EQ(Characters(of_key.rows), Numbers{2});
        const RowPage foreign = co_await service->Rows(told->other, key, std::nullopt, 10);
        EXPECT_TRUE(foreign.rows.empty());
        Filter voice = May();
        voice.voice = "flite:slt";
        const RowPage of_voice = co_await service->Rows(told->mine, voice, std::nullopt, 10);
        EXPECT_EQ(Characters(of_voice.rows), (Numbers{8, 2}));
    });
}

TEST(UsageService, EveryGroupingAddsUpToTheSame) {
    WithService([](UsageService* service) -> Task<void> {
        const Told* told = &SharedTold();
        for (const std::string_view by : kGroupings) {
            std::int64_t requests = 0;
            std::int64_t characters = 0;
            std::int64_t errors = 0;
            std::vector<std::string> names;
            std::optional<std::string> after;
            for (;;) {
                const GroupPage page =
                    co_await service->Groups(told->mine, May(), std::string(by), after, 2);
                for (const Group& group : page.groups) {
                    names.push_back(group.name);
                    requests += group.sums.requests;
                    characters += group.sums.characters;
                    errors += group.sums.errors;
                }
                after = page.next;
                if (!after) break;
            }
            EXPECT_EQ(requests, 4) << by;
            EXPECT_EQ(characters, 30) << by;
            EXPECT_EQ(errors, 1) << by;
            EXPECT_TRUE(std::is_sorted(names.begin(), names.end())) << by;
        }
        const GroupPage days = co_await service->Groups(told->mine, May(), "day", std::nullopt, 10);
        EXPECT_EQ(days.groups.size(), 3U);
        EXPECT_EQ(days.groups[0].name, "2026-05-01");
        EXPECT_EQ(days.groups[2].sums.characters, 24);
        const GroupPage keys = co_await service->Groups(told->mine, May(), "key", std::nullopt, 10);
        EXPECT_EQ(keys.groups.size(), 2U);
        EXPECT_EQ(keys.groups[0].name, "");
        EXPECT_EQ(keys.groups[1].name, told->key.Wire());
    });
}

TEST(UsageService, SummarisesLiveAndTestApart) {
    WithService([](UsageService* service) -> Task<void> {
        const TeamId team = SharedTold().mine;
        const Period may = MonthOfTime(kNow);
        const Summary present = co_await service->Summarise(team, may);
        EXPECT_EQ(present.live.requests, 1);
        EXPECT_EQ(present.live.characters, 8);
        EXPECT_EQ(present.test.requests, 3);
        EXPECT_EQ(present.test.errors, 1);
        EXPECT_EQ(present.test.audio_ms, (2 + 4 + 16) * 70);
        EXPECT_EQ(present.test.charge_milli, (2 + 4 + 16) * 2);
        const Period april = PeriodBefore(may);
        const Summary previous = co_await service->Summarise(team, april);
        EXPECT_EQ(previous.live.characters, 1);
        EXPECT_EQ(previous.test.requests, 0);
    });
}

TEST(UsageService, CountsTheLastDays) {
    WithService([](UsageService* service) -> Task<void> {
        const TeamId team = SharedTold().mine;
        const Stats stats = co_await service->Statistics(team, std::nullopt, kNow);
        EXPECT_EQ(stats.requests.today, 2);
        EXPECT_EQ(stats.requests.last_7_days, 3);
        EXPECT_EQ(stats.requests.last_30_days, 5);
        EXPECT_EQ(stats.errors.today, 0);
        EXPECT_EQ(stats.errors.last_7_days, 1);
        EXPECT_EQ(stats.engine_ms_p50, 12);
        EXPECT_EQ(stats.engine_ms_p95, 12);
        EXPECT_EQ(stats.top_voices.size(), 2U);
        EXPECT_EQ(stats.top_voices[0].voice, "flite:slt");
        EXPECT_EQ(stats.top_voices[0].requests, 3);
        const Stats live = co_await service->Statistics(team, true, kNow);
        EXPECT_EQ(live.requests.last_30_days, 2);
        const Stats none = co_await service->Statistics(TeamId::New(), std::nullopt, kNow);
        EXPECT_EQ(none.requests.last_30_days, 0);
        EXPECT_FALSE(none.engine_ms_p50);
        EXPECT_TRUE(none.top_voices.empty());
    });
}

TEST(UsageTime, ReadsDatesAndTimes) {
    const std::pair<const char*, std::optional<Time>> cases[]{
        {"2026-05-20", Time(sys_days(2026y / 5 / 20))},
        {"2026-05-20T12:00:00Z", kNow},
        {"2026-05-20T12:00:00.250Z", kNow + 250ms},
        {"2026-05-20T12:00:00.2509Z", kNow + 250ms},
        {"2024-02-29", Time(sys_days(2024y / 2 / 29))},
        {"2025-02-29", std::nullopt},
        {"2026-13-01", std::nullopt},
        {"2026-5-2", std::nullopt},
        {"-026-05-20", std::nullopt},
        {"2026-05-20T24:00:00Z", std::nullopt},
        {"2026-05-20T12:00:60Z", std::nullopt},
        {"2026-05-20T12:00:00", std::nullopt},
        {"2026-05-20T12:00:00+02:00", std::nullopt},
        {"2026-05-20T12:00:00.Z", std::nullopt},
        {"2026-05-20 12:00:00Z", std::nullopt},
        {"", std::nullopt},
        {"today", std::nullopt},
    };
    for (const auto& [text, time] : cases) EXPECT_EQ(ParseTime(text), time) << text;
    EXPECT_EQ(Rfc3339(kNow + 7ms), "2026-05-20T12:00:00.007Z");
    EXPECT_EQ(ParseTime(Rfc3339(kNow + 7ms)), kNow + 7ms);
}

TEST(UsageTime, KnowsThePeriodBefore) {
    const Period march{sys_days(2026y / 3 / 1), sys_days(2026y / 4 / 1)};
    EXPECT_EQ(PeriodBefore(march), (Period{sys_days(2026y / 2 / 1), sys_days(2026y / 3 / 1)}));
    const Period january = MonthOfTime(sys_days(2026y / 1 / 31) + 23h);
    EXPECT_EQ(PeriodBefore(january), (Period{sys_days(2025y / 12 / 1), sys_days(2026y / 1 / 1)}));
    const Period week{sys_days(2026y / 3 / 8), sys_days(2026y / 3 / 15)};
    EXPECT_EQ(PeriodBefore(week), (Period{sys_days(2026y / 3 / 1), sys_days(2026y / 3 / 8)}));
}

TEST(UsageCsv, GuardsAgainstFormulasAndQuotes) {
    const std::pair<const char*, const char*> cases[]{
        {"plain", "plain"},
        {"", ""},
        {"=1+1", "'=1+1"},
        {"+49", "'+49"},
        {"-5", "'-5"},
        {"@cmd", "'@cmd"},
        {"\tx", "'\tx"},
        {"\rx", "\"'\rx\""},
        {"a,b", "\"a,b\""},
        {"say \"hi\"", "\"say \"\"hi\"\"\""},
        {"two\nlines", "\"two\nlines\""},
        {"=HYPERLINK(\"x\",\"y\")", "\"'=HYPERLINK(\"\"x\"\",\"\"y\"\")\""},
    };
    for (const auto& [text, field] : cases) EXPECT_EQ(CsvField(text), field);
    const std::string rows = ToCsv(std::vector{MakeRow(3)});
    EXPECT_EQ(std::count(rows.begin(), rows.end(), '\n'), 2);
    const auto second = rows.find('\n') + 1;
    EXPECT_EQ(std::count(rows.begin(), rows.begin() + static_cast<long>(second), ','),
              std::count(rows.begin() + static_cast<long>(second), rows.end(), ','));
}

}  // namespace
}  // namespace vf::usage

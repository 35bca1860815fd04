// The journal's bytes: what is read is what was written, or nothing.
#include "usage/record.hpp"

#include "base/utf8.hpp"
#include "usage/crc32c.hpp"
#include "usage/usage_testing.hpp"

namespace vf::usage {
namespace {

constexpr std::uint32_t kSeed = 0x1234;

std::optional<Record> RoundTrip(const UsageRow& row, RecordType type = RecordType::kEnd) {
    std::string bytes;
    AppendFrame(bytes, kSeed, type, row);
    const auto frame = ReadFrame(bytes, kSeed);
    if (!frame || frame->size != bytes.size()) return std::nullopt;
    return DecodePayload(frame->payload);
}

TEST(Crc32c, HasTheValuesOfTheStandard) {
    EXPECT_EQ(Crc32c(0, "123456789"), 0xE3069283U);
    EXPECT_EQ(Crc32c(0, std::string(32, '\0')), 0x8A9136AAU);
    EXPECT_EQ(Crc32c(0, std::string(32, '\xff')), 0x62A8AB43U);
    const std::string text = "any text, cut anywhere, has one checksum";
    for (std::size_t cut = 0; cut <= text.size(); ++cut) {
        EXPECT_EQ(Crc32c(Crc32c(0, text.substr(0, cut)), text.substr(cut)), Crc32c(0, text));
    }
}

TEST(Record, KeepsEveryField) {
    std::vector<UsageRow> rows{MakeRow(), MakeRow(0)};
    rows.emplace_back(MakeRow(7)).key = KeyId::New();
    rows.emplace_back(MakeRow(8)).streamed = true;
    rows.emplace_back(MakeRow(9)).cached = true;
    rows.emplace_back(MakeRow(10)).live = true;
    rows.emplace_back(MakeRow(11)).status = 503;
    rows.emplace_back(MakeRow(12)).delivery = Delivery::kAborted;
    rows.emplace_back(MakeRow(13)).region = "eu-central";
    rows.emplace_back(MakeRow(14)).deployment = "dep_1";
    rows.emplace_back(MakeRow(15)).model = std::string(kMaxText, 'm');
    rows.emplace_back(MakeRow(17)).vendor_milli = 1'234'567;
    rows.back().vendor_currency = "EUR";
    rows.emplace_back(MakeRow(16)).voice = "Zoë \xF0\x9F\x8E\xB5";
    rows.emplace_back(MakeRow(1'000'000'000));
    for (const UsageRow& row : rows) {
        for (const RecordType type : {RecordType::kMark, RecordType::kEnd}) {
            const auto read = RoundTrip(row, type);
            ASSERT_TRUE(read);
            EXPECT_EQ(read->type, type);
            EXPECT_EQ(read->row, row);
        }
    }
}

// What a server wrote before rows had a vendor's cost.
TEST(Record, ReadsTheVersionBefore) {
    const UsageRow row = MakeRow(42);
    std::string bytes;
    AppendFrame(bytes, kSeed, RecordType::kEnd, row);
    std::string payload = bytes.substr(kFrameHeaderBytes);
    ASSERT_EQ(payload[0], 2);
    payload[0] = 1;
    EXPECT_FALSE(DecodePayload(payload)) << "longer than the version is";
    payload.resize(payload.size() - sizeof(std::int64_t) - 1);
    const auto read = DecodePayload(payload);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->row, row);
    payload[0] = 2;
    EXPECT_FALSE(DecodePayload(payload)) << "shorter than the version is";
    payload[0] = 3;
    EXPECT_FALSE(DecodePayload(payload)) << "a version to come";
}

TEST(Record, MakesTextsThatTheDatabaseCanHold) {
    const std::pair<std::string, std::string> cases[]{
        {std::string(500, 'x'), std::string(kMaxText, 'x')},
        {std::string("a\0b", 3), "a?b"},
        {"broken \xC3 text \xFF", "broken ? text ?"},
        {std::string(kMaxText - 1, 'x') + "é", std::string(kMaxText - 1, 'x')},
        {std::string(kMaxText + 9, '\xFF'), std::string(kMaxText, '?')},
        {"", ""},
    };
    for (const auto& [given, kept] : cases) {
        UsageRow row = MakeRow();
        row.voice = given;
        const auto read = RoundTrip(row);
        ASSERT_TRUE(read);
        EXPECT_EQ(read->row.voice, kept);
    }
    UsageRow odd = MakeRow();
    odd.characters = -5;
    odd.audio_ms = std::numeric_limits<std::int64_t>::max();
    odd.status = -1;
    odd.started_at =
        std::chrono::sys_time<std::chrono::milliseconds>(std::chrono::milliseconds(-9));
    const auto read = RoundTrip(odd);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->row.characters, 0);
    EXPECT_EQ(read->row.audio_ms, kMaxCount);
    EXPECT_EQ(read->row.status, 0);
    EXPECT_EQ(read->row.started_at.time_since_epoch().count(), 0);
}

TEST(Record, TheLongestFits) {
    UsageRow row = MakeRow();
    row.key = KeyId::New();
    for (std::string* text : {&row.route, &row.voice, &row.model, &row.engine, &row.region,
                              &row.deployment, &row.vendor_currency}) {
        *text = std::string(kMaxText, 'z');
    }
    std::string bytes;
    AppendFrame(bytes, kSeed, RecordType::kEnd, row);
    EXPECT_LE(bytes.size(), kFrameHeaderBytes + kMaxPayload);
    EXPECT_TRUE(ReadFrame(bytes, kSeed));
}

TEST(Record, NothingIsReadFromPartOfAFrame) {
    std::string bytes;
    AppendFrame(bytes, kSeed, RecordType::kEnd, MakeRow());
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        EXPECT_FALSE(ReadFrame(std::string_view(bytes).substr(0, size), kSeed)) << size;
    }
}

TEST(Record, NothingIsReadFromAChangedFrame) {
    std::string bytes;
    AppendFrame(bytes, kSeed, RecordType::kEnd, MakeRow());
    for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
        std::string changed = bytes + std::string(64, '\0');
        changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << bit % 8));
        EXPECT_FALSE(ReadFrame(changed, kSeed)) << bit;
    }
    EXPECT_FALSE(ReadFrame(bytes, kSeed + 1)) << "a frame of another segment";
}

TEST(Record, AHeaderIsReadWholeOrNotAtAll) {
    const SegmentHeader header{77, NodeId::New()};
    const std::string bytes = EncodeHeader(header);
    ASSERT_EQ(bytes.size(), kSegmentHeaderBytes);
    EXPECT_EQ(DecodeHeader(bytes), header);
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        std::string changed = bytes;
        changed[i] = static_cast<char>(changed[i] ^ 1);
        EXPECT_FALSE(DecodeHeader(changed)) << i;
        EXPECT_FALSE(DecodeHeader(std::string_view(bytes).substr(0, i))) << i;
    }
}

TEST(Record, TimesThatHaveNoPartitionAreRefused) {
    using std::chrono::sys_days;
    using namespace std::chrono_literals;
    EXPECT_FALSE(HasSensibleTime(IdAt(sys_days(1970y / 1 / 1))));
    EXPECT_FALSE(HasSensibleTime(IdAt(sys_days(2020y / 1 / 1) - 1ms)));
    EXPECT_TRUE(HasSensibleTime(IdAt(sys_days(2020y / 1 / 1))));
    EXPECT_TRUE(HasSensibleTime(IdAt(sys_days(2101y / 1 / 1) - 1ms)));
    EXPECT_FALSE(HasSensibleTime(IdAt(sys_days(2101y / 1 / 1))));
    UsageRow row = MakeRow();
    row.operation = IdAt(sys_days(1970y / 1 / 2));
    EXPECT_FALSE(RoundTrip(row));
}

}  // namespace
}  // namespace vf::usage

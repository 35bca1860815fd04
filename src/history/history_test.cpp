// What is kept in memory and how it is sealed; the rest is seen in tests/api.
#include "history/history.hpp"

#include <gtest/gtest.h>

#include "history/seal.hpp"
#include "http/client.hpp"
#include "pg/pg_testing.hpp"
#include "text/names.hpp"

namespace vf::history {
namespace {

TEST(Seal, BringsBackTextAndTimesAndNothingElse) {
    const pg::TempDir dir;
    const auto keyring = *secrets::Keyring::LoadOrMake(dir.path() / "server.key");
    Item item;
    item.text = "A secret.";
    item.settings = json::object{{"speed", 1}};
    item.voice = "slt";
    std::string sealed = Seal(*keyring, item);
    EXPECT_EQ(sealed.find("secret"), std::string::npos);
    Item back;
    ASSERT_TRUE(Open(*keyring, sealed, back));
    EXPECT_EQ(back.text, "A secret.");
    EXPECT_TRUE(back.alignments.is_null());
    EXPECT_EQ(back.voice, "");
    sealed.back() ^= 1;
    EXPECT_FALSE(Open(*keyring, sealed, back));
    EXPECT_FALSE(Open(*keyring, "", back));
}

TEST(Seal, SearchIgnoresCase) {
    EXPECT_EQ(text::FoldCase("STRASSE"), text::FoldCase("straße"));
    EXPECT_NE(text::FoldCase("a"), text::FoldCase("b"));
}

TEST(Recording, GivesUpWhatIsTooMuch) {
    asio::io_context loop;
    http::HttpClient client(loop);
    blob::Blobs blobs(loop, client, {});
    HistoryOptions options;
    options.max_audio = 10;
    options.max_pending = 15;
    History history(loop, blobs, options);
    auto first = history.Record();
    auto second = history.Record();
    first->Append("0123456789");
    EXPECT_TRUE(first->is_complete());
    second->Append("012345");  // there is no room for both
    EXPECT_FALSE(second->is_complete());
    first.reset();
    auto third = history.Record();
    third->Append("0123456789");
    EXPECT_TRUE(third->is_complete());
    third->Append("0");
    EXPECT_FALSE(third->is_complete());
    third->Append("0");
}

TEST(History, KeepsNothingWhenThatIsSet) {
    asio::io_context loop;
    http::HttpClient client(loop);
    blob::Blobs blobs(loop, client, {});
    HistoryOptions options;
    options.keep = std::chrono::milliseconds(0);
    EXPECT_EQ(History(loop, blobs, options).Record(), nullptr);
}

}  // namespace
}  // namespace vf::history

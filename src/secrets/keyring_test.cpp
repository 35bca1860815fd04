#include "secrets/keyring.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <fstream>
#include <iterator>

namespace vf::secrets {
namespace {

class KeyringTest : public testing::Test {
protected:
    KeyringTest() {
        std::string pattern = (std::filesystem::temp_directory_path() / "vf_keys_XXXXXX").string();
        folder_ = ::mkdtemp(pattern.data());
    }
    ~KeyringTest() override { std::filesystem::remove_all(folder_); }

    std::filesystem::path file() const { return folder_ / "server.key"; }
    std::shared_ptr<const Keyring> Load() const {
        auto loaded = Keyring::LoadOrMake(file());
        if (!loaded) throw std::runtime_error(loaded.error().message());
        return *loaded;
    }
    void Write(const std::string& text) const {
        std::ofstream(file(), std::ios::binary) << text;
        ::chmod(file().c_str(), 0600);
    }
    std::string Read() const {
        std::ifstream stream(file(), std::ios::binary);
        return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
    }

    std::filesystem::path folder_;
};

TEST_F(KeyringTest, IsMadeOnceAndReadableByItsOwnerOnly) {
    const std::string sealed = Load()->Encrypt("jobs", "the text");
    struct stat about{};
    ASSERT_EQ(::stat(file().c_str(), &about), 0);
    EXPECT_EQ(about.st_mode & 0777, 0600U);
    const auto opened = Load()->Decrypt("jobs", sealed);
    ASSERT_TRUE(opened);
    EXPECT_EQ(*opened, "the text");
}

TEST_F(KeyringTest, ARotatedRingOpensAndVerifiesWhatTheOldOneMade) {
    const auto before = Load();
    const std::string sealed = before->Encrypt("jobs", "old");
    const std::string tag = before->Sign("links", "/a");
    const std::string password = before->Password("database app");
    const Keyring::Drawn drawn = before->Draw("blobs", "b1");
    ASSERT_TRUE(Keyring::Rotate(file()));
    const auto after = Load();
    EXPECT_EQ(after->size(), 2U);
    EXPECT_EQ(after->Decrypt("jobs", sealed).value(), "old");
    EXPECT_TRUE(after->Verify("links", "/a", tag));
    EXPECT_EQ(after->Password("database app"), password);
    EXPECT_EQ(after->DrawAgain("blobs", "b1", drawn.key_id).value(), drawn.secret);
    EXPECT_NE(after->Draw("blobs", "b1").secret, drawn.secret);
    EXPECT_NE(after->Sign("links", "/a"), tag);
    // And the old one does not open what the new one made.
    EXPECT_FALSE(before->Decrypt("jobs", after->Encrypt("jobs", "new")));
}

TEST_F(KeyringTest, EveryChangedByteIsFoundOut) {
    const auto ring = Load();
    const std::string sealed = ring->Encrypt("jobs", "text");
    for (std::size_t i = 0; i < sealed.size(); ++i) {
        std::string changed = sealed;
        changed[i] = static_cast<char>(changed[i] ^ 1);
        EXPECT_FALSE(ring->Decrypt("jobs", changed)) << i;
        EXPECT_FALSE(ring->Decrypt("jobs", sealed.substr(0, i))) << i;
    }
    const std::string tag = ring->Sign("links", "/a?expires=1");
    for (std::size_t i = 0; i < tag.size(); ++i) {
        std::string changed = tag;
        changed[i] = changed[i] == 'x' ? 'y' : 'x';
        EXPECT_FALSE(ring->Verify("links", "/a?expires=1", changed)) << i;
        EXPECT_FALSE(ring->Verify("links", "/a?expires=1", tag.substr(0, i))) << i;
    }
    EXPECT_FALSE(ring->Verify("links", "/a?expires=2", tag));
}

TEST_F(KeyringTest, PurposesDoNotMix) {
    const auto ring = Load();
    EXPECT_FALSE(ring->Decrypt("links", ring->Encrypt("jobs", "text")));
    EXPECT_FALSE(ring->Verify("jobs", "/a", ring->Sign("links", "/a")));
    EXPECT_NE(ring->Draw("a", "bc").secret, ring->Draw("ab", "c").secret);
    EXPECT_NE(ring->Encrypt("jobs", "text"), ring->Encrypt("jobs", "text"));
}

TEST_F(KeyringTest, ABadFileStopsTheStartWithWordsThatHelp) {
    Load();
    const std::string good = Read();
    const auto refusal = [&](const std::string& text) {
        Write(text);
        const auto loaded = Keyring::LoadOrMake(file());
        return loaded ? std::string("loaded") : loaded.error().code();
    };
    EXPECT_EQ(refusal(""), "key_file_unusable");
    EXPECT_EQ(refusal("{}"), "key_file_unusable");
    EXPECT_EQ(refusal("{\"keys\":[]}"), "key_file_unusable");
    EXPECT_EQ(refusal(good.substr(0, good.size() / 2)), "key_file_unusable");
    EXPECT_EQ(
        refusal("{\"keys\":[{\"id\":\"k00000000\",\"created_at\":\"\",\"secret\":\"QUJD\"}]}"),
        "key_file_unusable");
    Write(good);
    ::chmod(file().c_str(), 0640);
    const auto open = Keyring::LoadOrMake(file());
    ASSERT_FALSE(open);
    EXPECT_THAT(open.error().message(), testing::HasSubstr("chmod 600"));
}

}  // namespace
}  // namespace vf::secrets

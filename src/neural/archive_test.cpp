// Archives may come from anywhere: what they may do to the folder they are unpacked in.
#include <archive.h>
#include <archive_entry.h>
#include <gmock/gmock.h>

#include "neural/archive.hpp"
#include "neural/neural_testing.hpp"

namespace vf::neural {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

struct Entry {
    std::string path;
    std::string content;
    std::string link;  // makes it a symbolic link
    unsigned type = AE_IFREG;
};

class Archives : public PackageTest {
protected:
    fs::path Pack(const std::vector<Entry>& entries, bool is_zip = false) {
        const fs::path file = folder_ / (is_zip ? "package.zip" : "package.tar.gz");
        archive* out = archive_write_new();
        if (is_zip) {
            archive_write_set_format_zip(out);
        } else {
            archive_write_add_filter_gzip(out);
            archive_write_set_format_pax_restricted(out);
        }
        archive_write_open_filename(out, file.c_str());
        for (const Entry& from : entries) {
            archive_entry* entry = archive_entry_new();
            archive_entry_set_pathname(entry, from.path.c_str());
            archive_entry_set_perm(entry, 06777);
            archive_entry_set_filetype(entry, from.link.empty() ? from.type : AE_IFLNK);
            if (!from.link.empty()) archive_entry_set_symlink(entry, from.link.c_str());
            archive_entry_set_size(entry, static_cast<la_int64_t>(from.content.size()));
            archive_write_header(out, entry);
            archive_write_data(out, from.content.data(), from.content.size());
            archive_entry_free(entry);
        }
        archive_write_free(out);
        return file;
    }

    std::string Refusal(const std::vector<Entry>& entries, const ArchiveLimits& limits = {}) {
        const fs::path inside = folder_ / "in" / "side";
        fs::remove_all(inside);
        fs::create_directories(inside);
        const Result<void> unpacked = Unpack(Pack(entries), inside, limits);
        return unpacked ? "it was taken" : unpacked.error().message();
    }
};

TEST_F(Archives, FilesAndFoldersAreUnpacked) {
    for (const bool is_zip : {false, true}) {
        const fs::path inside = folder_ / (is_zip ? "zip" : "tar");
        fs::create_directory(inside);
        const Result<void> unpacked = Unpack(
            Pack({{"model/", "", "", AE_IFDIR}, {"./model/a/b.txt", "hello"}}, is_zip), inside, {});
        ASSERT_TRUE(unpacked) << unpacked.error().message();
        EXPECT_EQ(Get(inside / "model/a/b.txt"), "hello");
        EXPECT_EQ(fs::status(inside / "model/a/b.txt").permissions() & fs::perms::set_uid,
                  fs::perms::none);
    }
}

TEST_F(Archives, NothingLeavesTheFolder) {
    EXPECT_THAT(Refusal({{"/etc/evil", "x"}}), HasSubstr("absolute path"));
    EXPECT_THAT(Refusal({{"../evil", "x"}}), HasSubstr("leads out"));
    EXPECT_THAT(Refusal({{"a/../../evil", "x"}}), HasSubstr("leads out"));
    EXPECT_THAT(Refusal({{"a\\..\\evil", "x"}}), HasSubstr("characters"));
    EXPECT_THAT(Refusal({{"a", "", "/etc"}, {"a/evil", "x"}}), HasSubstr("neither"));
    EXPECT_THAT(Refusal({{"pipe", "", "", AE_IFIFO}}), HasSubstr("neither"));
    EXPECT_THAT(Refusal({{"a", "1"}, {"a", "2"}}), HasSubstr("twice"));
    EXPECT_FALSE(fs::exists(folder_ / "evil"));
    EXPECT_FALSE(fs::exists(folder_ / "in/evil"));
}

TEST_F(Archives, ThereAreBounds) {
    ArchiveLimits limits;
    limits.bytes = 100;
    EXPECT_THAT(Refusal({{"a", std::string(60, 'x')}, {"b", std::string(60, 'x')}}, limits),
                HasSubstr("more than"));
    limits = {};
    limits.entries = 2;
    EXPECT_THAT(Refusal({{"a", ""}, {"b", ""}, {"c", ""}}, limits), HasSubstr("2 entries"));
    EXPECT_THAT(Refusal({{"zeros", std::string(kFreeBytes + 1, '\0')}}),
                HasSubstr("100 times its size"));
    EXPECT_THAT(Refusal({{std::string(600, 'x'), ""}}), HasSubstr("too long"));
}

TEST_F(Archives, WhatIsNoArchiveIsToldSo) {
    fs::create_directory(folder_ / "inside");
    const auto refusal = [&](const std::string& content) {
        const Result<void> unpacked = Unpack(Put("x.tar.gz", content), folder_ / "inside", {});
        return unpacked ? "it was taken" : unpacked.error().message();
    };
    EXPECT_THAT(refusal(""), HasSubstr("x.tar.gz cannot be unpacked"));
    EXPECT_THAT(refusal("no archive at all"), HasSubstr("cannot be unpacked"));
    const std::string whole = Get(Pack({{"a", std::string(5'000, 'x')}, {"b", "y"}}));
    for (std::size_t size = 1; size < whole.size(); size += 7) {
        fs::remove_all(folder_ / "inside");
        fs::create_directory(folder_ / "inside");
        EXPECT_THAT(refusal(whole.substr(0, size)), HasSubstr("cannot be unpacked")) << size;
    }
    EXPECT_TRUE(IsArchive("a.tar.bz2"));
    EXPECT_TRUE(IsArchive("a.zip"));
    EXPECT_FALSE(IsArchive(".zip"));
    EXPECT_FALSE(IsArchive("a.onnx"));
}

}  // namespace
}  // namespace vf::neural

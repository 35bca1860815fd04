#include "blob/sealed.hpp"

#include <gtest/gtest.h>

#include "blob/sigv4.hpp"

namespace vf::blob {
namespace {

const std::string kKey(32, 'k');

std::string Text(std::size_t size) {
    std::string text(size, '\0');
    for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>(i * 31 + i / 251);
    return text;
}

std::string Seal(BlobId id, const std::string& plain, std::size_t piece = 10'000) {
    Sealer sealer(kKey, id);
    std::string sealed;
    for (std::size_t at = 0; at < plain.size(); at += piece) {
        sealed += sealer.Update(std::string_view(plain).substr(at, piece));
    }
    sealed += sealer.Finish();
    EXPECT_EQ(sealer.bytes(), plain.size());
    return sealed;
}

std::optional<std::string> Open(BlobId id, const std::string& sealed, std::uint64_t bytes,
                                std::size_t piece = 7777) {
    Opener opener(kKey, id, bytes, 0);
    std::string plain;
    for (std::size_t at = 0; at < sealed.size(); at += piece) {
        const auto some = opener.Update(std::string_view(sealed).substr(at, piece));
        if (!some) return std::nullopt;
        plain += *some;
    }
    if (!opener.is_between_chunks() || plain.size() != bytes) return std::nullopt;
    return plain;
}

TEST(Sealed, OpensToWhatItWas) {
    const BlobId id = BlobId::New();
    for (const std::size_t size : {std::size_t{0}, std::size_t{1}, kChunkBytes - 1, kChunkBytes,
                                   kChunkBytes + 1, 3 * kChunkBytes, 5 * kChunkBytes + 17}) {
        const std::string plain = Text(size);
        for (const std::size_t piece : {std::size_t{1000}, kChunkBytes, std::size_t{1'000'000}}) {
            const std::string sealed = Seal(id, plain, piece);
            EXPECT_EQ(sealed.size(), SealedBytes(size));
            EXPECT_EQ(Open(id, sealed, size, piece), plain) << size;
        }
    }
}

TEST(Sealed, DoesNotShowThePlainText) {
    const std::string sealed = Seal(BlobId::New(), std::string(1000, 'A'));
    EXPECT_EQ(sealed.find("AAAA"), std::string::npos);
}

TEST(Sealed, HashesTheContent) {
    Sealer sealer(kKey, BlobId::New());
    sealer.Update("abc");
    sealer.Finish();
    std::string hex;
    for (const unsigned char c : sealer.sha256())
        hex += "0123456789abcdef"[c >> 4U], hex += "0123456789abcdef"[c & 15U];
    EXPECT_EQ(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Sealed, AnythingElseDoesNotOpen) {
    const BlobId id = BlobId::New();
    const std::size_t bytes = 3 * kChunkBytes + 100;
    const std::string sealed = Seal(id, Text(bytes));
    const auto chunk = [&](std::size_t i) {
        return sealed.substr(i * kSealedChunkBytes, kSealedChunkBytes);
    };
    for (const std::size_t at : {std::size_t{0}, kChunkBytes, kSealedChunkBytes,
                                 2 * kSealedChunkBytes + 5, sealed.size() - 1}) {
        std::string changed = sealed;
        changed[at] = static_cast<char>(changed[at] ^ 1);
        EXPECT_FALSE(Open(id, changed, bytes)) << at;
    }
    EXPECT_FALSE(Open(id, chunk(1) + chunk(0) + chunk(2) + chunk(3), bytes)) << "swapped";
    EXPECT_FALSE(Open(id, chunk(0) + chunk(0) + chunk(2) + chunk(3), bytes)) << "repeated";
    EXPECT_FALSE(Open(id, sealed + chunk(3), bytes)) << "longer";
    EXPECT_FALSE(Open(id, sealed.substr(0, sealed.size() - 1), bytes)) << "shorter";
    // Cut at a chunk's border, and the row's size changed to fit: the last chunk is not marked.
    EXPECT_FALSE(Open(id, chunk(0) + chunk(1) + chunk(2), 3 * kChunkBytes)) << "cut";
    EXPECT_FALSE(Open(BlobId::New(), sealed, bytes)) << "another object";
    const BlobId other = BlobId::New();
    const std::string foreign = Seal(other, Text(bytes));
    EXPECT_FALSE(
        Open(id, foreign.substr(0, kSealedChunkBytes) + sealed.substr(kSealedChunkBytes), bytes))
        << "a chunk of another object under the same key";
    Opener wrong_key(std::string(32, 'x'), id, bytes, 0);
    EXPECT_FALSE(wrong_key.Update(sealed));
}

TEST(Sealed, ARangeNeedsItsChunksOnly) {
    const BlobId id = BlobId::New();
    const std::string plain = Text(4 * kChunkBytes);
    const std::string sealed = Seal(id, plain);
    Opener opener(kKey, id, plain.size(), 2);
    const auto some =
        opener.Update(std::string_view(sealed).substr(2 * kSealedChunkBytes, kSealedChunkBytes));
    ASSERT_TRUE(some);
    EXPECT_EQ(*some, plain.substr(2 * kChunkBytes, kChunkBytes));
}

// Of the documentation; in two pieces, so that nobody takes it for a secret.
const std::string kExampleKey = std::string("AKIA") + "IOSFODNN7EXAMPLE";

// The examples of Amazon's S3 documentation, "Signature calculations: examples".
class Sigv4Test : public testing::Test {
protected:
    Sigv4Test() {
        keys.access_key = kExampleKey;
        keys.secret_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
        keys.region = "us-east-1";
        request.method = "GET";
        request.host = "examplebucket.s3.amazonaws.com";
        request.path = "/";
        request.payload_sha256 = Sha256Hex("");
    }
    std::string Signature() {
        for (const auto& [name, value] : SignHeaders(request, keys, time)) {
            if (name == "Authorization") return value.substr(value.rfind('=') + 1);
        }
        return {};
    }
    Sigv4Keys keys;
    Sigv4Request request;
    SignTime time{std::chrono::seconds(1369353600)};  // 2013-05-24T00:00:00Z
};

TEST_F(Sigv4Test, GetWithARange) {
    request.path = "/test.txt";
    request.headers.emplace_back("Range", "bytes=0-9");
    EXPECT_EQ(Signature(), "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
}

TEST_F(Sigv4Test, PutWithAPathToEncode) {
    request.method = "PUT";
    request.path = "/test$file.text";
    request.headers.emplace_back("Date", "Fri, 24 May 2013 00:00:00 GMT");
    request.headers.emplace_back("x-amz-storage-class", "REDUCED_REDUNDANCY");
    request.payload_sha256 = Sha256Hex("Welcome to Amazon S3.");
    EXPECT_EQ(Signature(), "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
}

TEST_F(Sigv4Test, AQueryNameWithoutAValue) {
    request.query.emplace_back("lifecycle", "");
    EXPECT_EQ(Signature(), "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
}

TEST_F(Sigv4Test, AQueryOutOfOrder) {
    request.query.emplace_back("prefix", "J");
    request.query.emplace_back("max-keys", "2");
    EXPECT_EQ(Signature(), "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

TEST_F(Sigv4Test, Presigned) {
    request.path = "/test.txt";
    const std::string url = Presign(request, keys, time, std::chrono::seconds(86400));
    EXPECT_EQ(url, "/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=" + kExampleKey +
                       "%2F"
                       "20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&"
                       "X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature="
                       "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404");
}

TEST(Sigv4, EncodesAsTheRulesSay) {
    EXPECT_EQ(UriEncode("/a b/ü~*+", true), "/a%20b/%C3%BC~%2A%2B");
    EXPECT_EQ(UriEncode("a/b", false), "a%2Fb");
    EXPECT_EQ(CanonicalQuery({{"b", "2 3"}, {"a", "z"}, {"a", "b/c"}, {"uploads", ""}}),
              "a=b%2Fc&a=z&b=2%203&uploads=");
}

}  // namespace
}  // namespace vf::blob

#include "blob/sealed.hpp"

#include <sodium.h>

#include <algorithm>
#include <array>
#include <stdexcept>
#include <utility>

namespace vf::blob {
namespace {

static_assert(kTagBytes == crypto_aead_xchacha20poly1305_ietf_ABYTES);

using Nonce = std::array<unsigned char, crypto_aead_xchacha20poly1305_ietf_NPUBBYTES>;

const unsigned char* Bytes(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}

void PutIndex(unsigned char* out, std::uint64_t index) {
    for (int i = 0; i < 8; ++i) out[i] = static_cast<unsigned char>(index >> (8 * i));
}

struct Terms {
    Nonce nonce{};
    std::array<unsigned char, 16 + 8 + 1> data{};

    Terms(BlobId id, std::uint64_t index, bool is_last) {
        PutIndex(nonce.data(), index);
        std::ranges::copy(id.uuid.bytes, data.begin());
        PutIndex(data.data() + 16, index);
        data.back() = is_last ? 1 : 0;
    }
};

void CheckKey(std::string_view key) {
    if (key.size() != crypto_aead_xchacha20poly1305_ietf_KEYBYTES) {
        throw std::logic_error("a blob key has 32 bytes");
    }
}

}  // namespace

std::uint64_t ChunkCount(std::uint64_t plain_bytes) {
    return std::max<std::uint64_t>(1, (plain_bytes + kChunkBytes - 1) / kChunkBytes);
}

std::uint64_t SealedBytes(std::uint64_t plain_bytes) {
    return plain_bytes + ChunkCount(plain_bytes) * kTagBytes;
}

std::string SealChunk(std::string_view key, BlobId id, std::uint64_t index, bool is_last,
                      std::string_view plain) {
    CheckKey(key);
    const Terms terms(id, index, is_last);
    std::string sealed(plain.size() + kTagBytes, '\0');
    unsigned long long size = 0;
    crypto_aead_xchacha20poly1305_ietf_encrypt(
        reinterpret_cast<unsigned char*>(sealed.data()), &size, Bytes(plain), plain.size(),
        terms.data.data(), terms.data.size(), nullptr, terms.nonce.data(), Bytes(key));
    return sealed;
}

std::optional<std::string> OpenChunk(std::string_view key, BlobId id, std::uint64_t index,
                                     bool is_last, std::string_view sealed) {
    CheckKey(key);
    if (sealed.size() < kTagBytes) return std::nullopt;
    const Terms terms(id, index, is_last);
    std::string plain(sealed.size() - kTagBytes, '\0');
    unsigned long long size = 0;
    const int failed = crypto_aead_xchacha20poly1305_ietf_decrypt(
        reinterpret_cast<unsigned char*>(plain.data()), &size, nullptr, Bytes(sealed),
        sealed.size(), terms.data.data(), terms.data.size(), terms.nonce.data(), Bytes(key));
    if (failed != 0) return std::nullopt;
    return plain;
}

Sealer::Sealer(std::string key, BlobId id)
    : key_(std::move(key)), id_(id), hash_(EVP_MD_CTX_new(), &EVP_MD_CTX_free) {
    CheckKey(key_);
    if (!hash_ || EVP_DigestInit_ex(hash_.get(), EVP_sha256(), nullptr) != 1) {
        throw std::runtime_error("SHA-256 is not available");
    }
}

Sealer::~Sealer() {
    sodium_memzero(key_.data(), key_.size());
}

std::string Sealer::Update(std::string_view plain) {
    EVP_DigestUpdate(hash_.get(), plain.data(), plain.size());
    bytes_ += plain.size();
    std::string out;
    while (!plain.empty()) {
        if (pending_.size() == kChunkBytes) {
            out += SealChunk(key_, id_, index_++, false, pending_);
            pending_.clear();
        }
        const std::size_t taken =
            std::min<std::size_t>(plain.size(), kChunkBytes - pending_.size());
        pending_ += plain.substr(0, taken);
        plain.remove_prefix(taken);
    }
    return out;
}

std::string Sealer::Finish() {
    digest_.resize(32);
    EVP_DigestFinal_ex(hash_.get(), reinterpret_cast<unsigned char*>(digest_.data()), nullptr);
    return SealChunk(key_, id_, index_, true, std::exchange(pending_, {}));
}

Opener::Opener(std::string key, BlobId id, std::uint64_t plain_bytes, std::uint64_t first)
    : key_(std::move(key)), id_(id), plain_bytes_(plain_bytes), index_(first) {}

// 0 when there is no next chunk.
std::uint64_t Opener::SizeOfNext() const {
    const std::uint64_t count = ChunkCount(plain_bytes_);
    if (index_ >= count) return 0;
    if (index_ + 1 < count) return kSealedChunkBytes;
    return plain_bytes_ - index_ * kChunkBytes + kTagBytes;
}

std::optional<std::string> Opener::Update(std::string_view sealed) {
    std::string out;
    pending_ += sealed;
    std::size_t at = 0;
    for (;;) {
        const std::uint64_t size = SizeOfNext();
        if (size == 0 && at < pending_.size()) return std::nullopt;
        if (size == 0 || pending_.size() - at < size) break;
        const bool is_last = index_ + 1 == ChunkCount(plain_bytes_);
        const auto chunk = std::string_view(pending_).substr(at, size);
        const std::optional<std::string> plain = OpenChunk(key_, id_, index_, is_last, chunk);
        if (!plain) return std::nullopt;
        out += *plain;
        at += size;
        ++index_;
    }
    pending_.erase(0, at);
    return out;
}

}  // namespace vf::blob

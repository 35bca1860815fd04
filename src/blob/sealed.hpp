#pragma once
// How an object looks in its backend: chunks of 64 KiB of plain content, each sealed by itself
// (libsodium's XChaCha20-Poly1305, RFC draft-irtf-cfrg-xchacha), so that a range needs only the
// chunks that it touches.
//
//   key              32 bytes, of this object alone: Keyring::Draw("blobs", id)
//   nonce            the chunk's number, 8 bytes little-endian, then zeros: never twice under a
//   key,
//                    since an object is written once
//   associated data  the object's id (16 bytes), the chunk's number, one byte that is 1 on the last
//
// A chunk that is changed, swapped, repeated, of another object, or missing at the end does not
// open. Empty content is one sealed empty chunk. Plain functions and values: any thread, one at a
// time.

#include <openssl/evp.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/ids.hpp"

namespace vf::blob {

inline constexpr std::uint64_t kChunkBytes = 64 * 1024;
inline constexpr std::uint64_t kTagBytes = 16;
inline constexpr std::uint64_t kSealedChunkBytes = kChunkBytes + kTagBytes;

std::uint64_t ChunkCount(std::uint64_t plain_bytes);   // at least 1
std::uint64_t SealedBytes(std::uint64_t plain_bytes);  // of the whole object

// One chunk. `key` has 32 bytes.
std::string SealChunk(std::string_view key, BlobId id, std::uint64_t index, bool is_last,
                      std::string_view plain);
std::optional<std::string> OpenChunk(std::string_view key, BlobId id, std::uint64_t index,
                                     bool is_last, std::string_view sealed);

// Content passing by on its way to the backend: counted, hashed and sealed.
class Sealer {
public:
    Sealer(std::string key, BlobId id);
    ~Sealer();

    // The sealed chunks that are whole by now and certainly not the last; may be empty.
    std::string Update(std::string_view plain);
    // The last chunk. Nothing may come after it.
    std::string Finish();

    std::uint64_t bytes() const { return bytes_; }
    std::string sha256() const { return digest_; }  // 32 bytes, after Finish()

private:
    std::string key_;
    BlobId id_;
    std::string pending_;  // at most one chunk
    std::uint64_t index_ = 0;
    std::uint64_t bytes_ = 0;
    std::string digest_;
    std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> hash_;
};

// Sealed bytes coming from the backend, from chunk `first` on, of an object with `plain_bytes`.
class Opener {
public:
    Opener(std::string key, BlobId id, std::uint64_t plain_bytes, std::uint64_t first);

    // The plain bytes of the chunks that are whole by now; no value when one does not open.
    std::optional<std::string> Update(std::string_view sealed);
    // True when nothing is left over.
    bool is_between_chunks() const { return pending_.empty(); }

private:
    std::uint64_t SizeOfNext() const;

    std::string key_;
    BlobId id_;
    std::uint64_t plain_bytes_;
    std::uint64_t index_;
    std::string pending_;
};

}  // namespace vf::blob

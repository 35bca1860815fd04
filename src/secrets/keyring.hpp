#pragma once
// The server's own secrets: a file of random keys (mode 0600) that never goes into the database or
// a backup of it. From it come the key that encrypts what waits at rest, the key that signs links,
// and the passwords of the database's login roles.
//
// The file is JSON: {"keys":[{"id":"k1a2b3c4d","created_at":"2026-…","secret":"<base64, 32
// bytes>"}]}, oldest first. The last key encrypts and signs; all of them decrypt and verify, so
// that rotation loses nothing. Several nodes on one database share one file: add a key everywhere
// (`voiceflowd admin rotate-key`, then copy the file), then restart.
// Made at first start. Immutable after loading; safe from any thread.

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace vf::secrets {

class Keyring {
public:
    // Reads the file, or makes one with one key. Errors, for the operator: key_file_unusable
    // (cannot be read, written or understood, or others may read it).
    static Result<std::shared_ptr<const Keyring>> LoadOrMake(const std::filesystem::path& file);
    // Adds a new key at the end and writes the file anew, atomically.
    static Result<void> Rotate(const std::filesystem::path& file);

    ~Keyring();

    // Authenticated encryption (libsodium secretbox: XSalsa20-Poly1305). `purpose` separates uses:
    // what was encrypted for one cannot be opened for another. The result holds the key's id, a
    // random nonce and the ciphertext: 49 bytes more than the text.
    std::string Encrypt(std::string_view purpose, std::string_view text) const;
    // kInvalid "cannot_decrypt": changed, of another purpose, or its key is gone.
    Result<std::string> Decrypt(std::string_view purpose, std::string_view sealed) const;

    // A tag over `text`: "<key id>.<43 characters, base64url>" (HMAC-SHA-256), safe in a URL.
    std::string Sign(std::string_view purpose, std::string_view text) const;
    // In constant time.
    bool Verify(std::string_view purpose, std::string_view text, std::string_view tag) const;

    // 32 bytes for one purpose and one use, drawn from the newest key and named by its id, for what
    // encrypts by itself (blobs); and the same again from the id.
    struct Drawn {
        std::string key_id;
        std::string secret;  // 32 bytes
    };
    Drawn Draw(std::string_view purpose, std::string_view use) const;
    Result<std::string> DrawAgain(std::string_view purpose, std::string_view use,
                                  std::string_view key_id) const;

    // A password of 43 characters that stays the same as long as the oldest key is in the file.
    std::string Password(std::string_view purpose) const;

    std::size_t size() const;

private:
    struct Key;
    explicit Keyring(std::vector<Key> keys);
    const Key* Find(std::string_view id) const;
    std::vector<Key> keys_;
};

}  // namespace vf::secrets

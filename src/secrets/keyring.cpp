#include "secrets/keyring.hpp"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "base/json.hpp"

namespace vf::secrets {
namespace {

constexpr std::size_t kIdBytes = 9;  // "k" and eight hexadecimal digits
constexpr std::size_t kSecretBytes = 32;
constexpr const char* kNotAKeyFile = "is not a key file; restore it from where it is kept safe";

Error Unusable(const std::filesystem::path& file, const std::string& why) {
    return Error(ErrorKind::kConflict, "key_file_unusable",
                 "The key file " + file.string() + " " + why + ".");
}

std::string Base64(std::string_view bytes, int variant) {
    std::string text(sodium_base64_encoded_len(bytes.size(), variant), '\0');
    sodium_bin2base64(text.data(), text.size(),
                      reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), variant);
    text.resize(text.size() - 1);  // the NUL
    return text;
}

std::optional<std::string> FromBase64(std::string_view text) {
    std::string bytes(text.size(), '\0');
    std::size_t length = 0;
    if (sodium_base642bin(reinterpret_cast<unsigned char*>(bytes.data()), bytes.size(), text.data(),
                          text.size(), nullptr, &length, nullptr,
                          sodium_base64_VARIANT_ORIGINAL) != 0) {
        return std::nullopt;
    }
    bytes.resize(length);
    return bytes;
}

// BLAKE2b keyed with the secret over purpose and use; the length keeps "a"+"bc" from "ab"+"c".
std::string Subkey(std::string_view secret, std::string_view purpose, std::string_view use = {}) {
    std::string input = std::to_string(purpose.size()) + ":";
    input += purpose;
    input += use;
    std::string out(kSecretBytes, '\0');
    crypto_generichash(reinterpret_cast<unsigned char*>(out.data()), out.size(),
                       reinterpret_cast<const unsigned char*>(input.data()), input.size(),
                       reinterpret_cast<const unsigned char*>(secret.data()), secret.size());
    return out;
}

std::string Hmac(std::string_view key, std::string_view text) {
    std::string tag(crypto_auth_hmacsha256_BYTES, '\0');
    crypto_auth_hmacsha256(reinterpret_cast<unsigned char*>(tag.data()),
                           reinterpret_cast<const unsigned char*>(text.data()), text.size(),
                           reinterpret_cast<const unsigned char*>(key.data()));
    return tag;
}

}  // namespace

struct Keyring::Key {
    std::string id;
    std::string created_at;
    std::string secret;

    static Key New() {
        Key key;
        std::array<unsigned char, 4> id_bytes{};
        randombytes_buf(id_bytes.data(), id_bytes.size());
        key.id = "k";
        for (const unsigned char byte : id_bytes) key.id += fmt::format("{:02x}", byte);
        key.created_at = fmt::format(
            "{:%Y-%m-%dT%H:%M:%SZ}",
            fmt::gmtime(std::chrono::system_clock::to_time_t(std::chrono::system_clock::now())));
        key.secret.resize(kSecretBytes);
        randombytes_buf(key.secret.data(), key.secret.size());
        return key;
    }
};

namespace {

template <class Key>
std::string Print(const std::vector<Key>& keys) {
    json::array list;
    for (const Key& key : keys) {
        list.push_back(
            json::object{{"id", key.id},
                         {"created_at", key.created_at},
                         {"secret", Base64(key.secret, sodium_base64_VARIANT_ORIGINAL)}});
    }
    return json::Print(json::object{{"keys", std::move(list)}}) + "\n";
}

// Written beside the file and renamed over it, so that no crash leaves half of it.
Result<void> WriteFile(const std::filesystem::path& file, const std::string& text) {
    const std::filesystem::path part = file.string() + ".new";
    ::unlink(part.c_str());
    const int fd = ::open(part.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) return Unusable(file, "cannot be written");
    const bool written =
        ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
        ::fsync(fd) == 0;
    ::close(fd);
    if (!written || ::rename(part.c_str(), file.c_str()) != 0) {
        ::unlink(part.c_str());
        return Unusable(file, "cannot be written");
    }
    const int folder = ::open(file.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder >= 0) {
        ::fsync(folder);
        ::close(folder);
    }
    return {};
}

}  // namespace

Keyring::Keyring(std::vector<Key> keys) : keys_(std::move(keys)) {}

Keyring::~Keyring() {
    for (Key& key : keys_) sodium_memzero(key.secret.data(), key.secret.size());
}

Result<std::shared_ptr<const Keyring>> Keyring::LoadOrMake(const std::filesystem::path& file) {
    if (sodium_init() < 0) throw std::runtime_error("libsodium does not start");
    struct stat about{};
    if (::stat(file.c_str(), &about) != 0) {
        if (errno != ENOENT) return Unusable(file, "cannot be read");
        const Result<void> written = WriteFile(file, Print(std::vector<Key>{Key::New()}));
        if (!written) return written.error();
        if (::stat(file.c_str(), &about) != 0) return Unusable(file, "cannot be read");
    }
    if ((about.st_mode & 077) != 0) {
        return Unusable(file, "can be read by others; run chmod 600 on it");
    }
    std::ifstream stream(file, std::ios::binary);
    if (!stream) return Unusable(file, "cannot be read");
    const std::string text{std::istreambuf_iterator<char>(stream),
                           std::istreambuf_iterator<char>()};
    std::vector<Key> keys;
    try {
        const Result<json::Parsed> parsed = json::Parse(text);
        if (!parsed) return Unusable(file, kNotAKeyFile);
        for (const json::value& item : parsed->root.at("keys").as_array()) {
            Key key;
            key.id = item.at("id").as_string();
            key.created_at = item.at("created_at").as_string();
            std::optional<std::string> secret = FromBase64(item.at("secret").as_string());
            if (!secret || secret->size() != kSecretBytes || key.id.size() != kIdBytes) {
                return Unusable(file, "has a key that is cut or changed");
            }
            key.secret = *std::move(secret);
            keys.push_back(std::move(key));
        }
    } catch (const std::exception&) {
        return Unusable(file, kNotAKeyFile);
    }
    if (keys.empty()) return Unusable(file, "has no key; restore it from where it is kept safe");
    return std::shared_ptr<const Keyring>(new Keyring(std::move(keys)));
}

Result<void> Keyring::Rotate(const std::filesystem::path& file) {
    Result<std::shared_ptr<const Keyring>> present = LoadOrMake(file);
    if (!present) return std::move(present).error();
    std::vector<Key> keys = (*present)->keys_;
    keys.push_back(Key::New());
    return WriteFile(file, Print(keys));
}

const Keyring::Key* Keyring::Find(std::string_view id) const {
    const auto found =
        std::find_if(keys_.begin(), keys_.end(), [id](const Key& key) { return key.id == id; });
    return found == keys_.end() ? nullptr : &*found;
}

std::string Keyring::Encrypt(std::string_view purpose, std::string_view text) const {
    const Key& key = keys_.back();
    const std::string subkey = Subkey(key.secret, purpose);
    std::string sealed = key.id;
    sealed.resize(kIdBytes + crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES + text.size());
    auto* nonce = reinterpret_cast<unsigned char*>(sealed.data() + kIdBytes);
    randombytes_buf(nonce, crypto_secretbox_NONCEBYTES);
    crypto_secretbox_easy(nonce + crypto_secretbox_NONCEBYTES,
                          reinterpret_cast<const unsigned char*>(text.data()), text.size(), nonce,
                          reinterpret_cast<const unsigned char*>(subkey.data()));
    return sealed;
}

Result<std::string> Keyring::Decrypt(std::string_view purpose, std::string_view sealed) const {
    constexpr std::size_t kExtra =
        kIdBytes + crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES;
    const Error refused(ErrorKind::kInvalid, "cannot_decrypt",
                        "What was stored encrypted cannot be opened with this server's keys.");
    if (sealed.size() < kExtra) return refused;
    const Key* key = Find(sealed.substr(0, kIdBytes));
    if (!key) return refused;
    const std::string subkey = Subkey(key->secret, purpose);
    const auto* nonce = reinterpret_cast<const unsigned char*>(sealed.data() + kIdBytes);
    std::string text(sealed.size() - kExtra, '\0');
    if (crypto_secretbox_open_easy(reinterpret_cast<unsigned char*>(text.data()),
                                   nonce + crypto_secretbox_NONCEBYTES,
                                   sealed.size() - kIdBytes - crypto_secretbox_NONCEBYTES, nonce,
                                   reinterpret_cast<const unsigned char*>(subkey.data())) != 0) {
        return refused;
    }
    return text;
}

std::string Keyring::Sign(std::string_view purpose, std::string_view text) const {
    const Key& key = keys_.back();
    return key.id + "." +
           Base64(Hmac(Subkey(key.secret, purpose), text),
                  sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

bool Keyring::Verify(std::string_view purpose, std::string_view text, std::string_view tag) const {
    if (tag.size() <= kIdBytes || tag[kIdBytes] != '.') return false;
    const Key* key = Find(tag.substr(0, kIdBytes));
    if (!key) return false;
    const std::string right =
        Base64(Hmac(Subkey(key->secret, purpose), text), sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    const std::string_view given = tag.substr(kIdBytes + 1);
    return given.size() == right.size() &&
           sodium_memcmp(given.data(), right.data(), right.size()) == 0;
}

Keyring::Drawn Keyring::Draw(std::string_view purpose, std::string_view use) const {
    return {keys_.back().id, Subkey(keys_.back().secret, purpose, use)};
}

Result<std::string> Keyring::DrawAgain(std::string_view purpose, std::string_view use,
                                       std::string_view key_id) const {
    const Key* key = Find(key_id);
    if (!key) {
        return Error(ErrorKind::kInvalid, "cannot_decrypt",
                     "The key that encrypted this is not in the server's key file any more.");
    }
    return Subkey(key->secret, purpose, use);
}

std::string Keyring::Password(std::string_view purpose) const {
    return Base64(Subkey(keys_.front().secret, purpose), sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

std::size_t Keyring::size() const {
    return keys_.size();
}

}  // namespace vf::secrets

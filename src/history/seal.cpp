#include "history/seal.hpp"

#include "base/log.hpp"

namespace vf::history {
namespace {

constexpr const char* kPurpose = "history";

}  // namespace

std::string Seal(const secrets::Keyring& keyring, const Item& item) {
    const json::object inside{{"text", item.text},
                              {"settings", item.settings},
                              {"alignments", item.alignments},
                              {"dialogue", item.dialogue}};
    return keyring.Encrypt(kPurpose, json::Print(inside));
}

bool Open(const secrets::Keyring& keyring, std::string_view sealed, Item& item) {
    const Result<std::string> text = keyring.Decrypt(kPurpose, sealed);
    Result<json::Parsed> parsed;
    if (text) parsed = json::Parse(*text);
    if (!text || !parsed || !parsed->root.is_object()) {
        log::Warning("history_unreadable", {{"item", item.id.Wire()}});
        return false;
    }
    json::object& inside = parsed->root.get_object();
    item.text = std::string(inside["text"].as_string());
    item.settings = std::move(inside["settings"]);
    item.alignments = std::move(inside["alignments"]);
    item.dialogue = std::move(inside["dialogue"]);
    return true;
}

}  // namespace vf::history

#pragma once
// What tells of a text, encrypted for one row. Inside src/history only.

#include <string>
#include <string_view>

#include "history/history.hpp"
#include "secrets/keyring.hpp"

namespace vf::history {

// Text, settings, alignments and dialogue.
std::string Seal(const secrets::Keyring& keyring, const Item& item);
// The same back into `item`. False: its key is gone, or it was changed; logged.
bool Open(const secrets::Keyring& keyring, std::string_view sealed, Item& item);

}  // namespace vf::history

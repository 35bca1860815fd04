#include "align/lexicon.hpp"

#include <cctype>
#include <memory>
#include <sstream>

extern "C" cst_lexicon* cmu_lex_init();

namespace vf::worker {
namespace {

constexpr int kMaxVariants = 8;
constexpr std::size_t kMaxGuessed = 40;  // letters of a word whose sound is guessed at once

std::string Lower(std::string_view word) {
    std::string lower(word);
    for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return lower;
}

// "ax0" is AH, "ow1" is OW.
std::string CmuPhone(std::string_view phone) {
    while (!phone.empty() && std::isdigit(static_cast<unsigned char>(phone.back()))) {
        phone.remove_suffix(1);
    }
    if (phone == "ax") return "AH";
    std::string upper(phone);
    for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    return upper;
}

}  // namespace

Lexicon::Lexicon(ps_decoder_t* decoder) : decoder_(decoder), rules_(cmu_lex_init()) {}

std::vector<Phones> Lexicon::Find(std::string_view word) const {
    const std::string lower = Lower(word);
    std::vector<Phones> found;
    for (int variant = 1; variant <= kMaxVariants; ++variant) {
        const std::string name = variant == 1 ? lower : lower + "(" + std::to_string(variant) + ")";
        const std::unique_ptr<char, void (*)(void*)> phones(ps_lookup_word(decoder_, name.c_str()),
                                                            &ckd_free);
        if (!phones) break;
        std::istringstream list(phones.get());
        Phones one;
        for (std::string phone; list >> phone;) one.push_back(phone);
        if (!one.empty()) found.push_back(std::move(one));
    }
    if (!found.empty()) return found;
    const std::size_t first = lower.find_first_not_of('\'');
    if (first == std::string::npos) return found;
    const std::string bare = lower.substr(first, lower.find_last_not_of('\'') + 1 - first);
    if (bare != lower) return Find(bare);
    Phones guessed;
    for (std::size_t at = 0; at < bare.size(); at += kMaxGuessed) {
        const std::string part = bare.substr(at, kMaxGuessed);
        cst_val* phones = lex_lookup(rules_, part.c_str(), nullptr, nullptr);
        for (const cst_val* v = phones; v != nullptr; v = val_cdr(v)) {
            guessed.push_back(CmuPhone(val_string(val_car(v))));
        }
        delete_val(phones);
    }
    if (!guessed.empty()) found.push_back(std::move(guessed));
    return found;
}

}  // namespace vf::worker

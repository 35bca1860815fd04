#include "flite/pronounce.hpp"

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "flite/flite_c.hpp"

extern "C" cst_utterance* default_tokenization(cst_utterance* utterance);

namespace vf::worker {
namespace {

constexpr std::string_view kVowels[] = {"aa", "ae", "ah", "ao", "aw", "ax", "ay", "eh",
                                        "er", "ey", "ih", "iy", "ow", "oy", "uh", "uw"};
constexpr std::string_view kConsonants[] = {"b",  "ch", "d",  "dh", "f",  "g", "hh", "jh",
                                            "k",  "l",  "m",  "n",  "ng", "p", "r",  "s",
                                            "sh", "t",  "th", "v",  "w",  "y", "z",  "zh"};
constexpr std::size_t kMostPhones = 2'400;
// Stands before and behind a stretch's number; the text itself has none.
constexpr char kFence = '\x01';
constexpr std::string_view kSpaces = " \t\n\r";
// What flite takes off the front and the end of a token.
constexpr std::string_view kOpening = "\"'`({[";
constexpr std::string_view kClosing = "\"'`.,:;!?(){}[]";

const PronouncedText* current = nullptr;

bool IsPhone(std::string_view phone) {
    if (std::ranges::find(kConsonants, phone) != std::end(kConsonants)) return true;
    if (phone.ends_with('0') || phone.ends_with('1')) phone.remove_suffix(1);
    return std::ranges::find(kVowels, phone) != std::end(kVowels);
}

// The phones with one space between them, and how many there are; none: something is no phone.
std::size_t ReadPhones(std::string_view list, std::string& phones) {
    std::size_t count = 0;
    while (!list.empty()) {
        const std::string_view phone = list.substr(0, list.find(' '));
        list.remove_prefix(std::min(phone.size() + 1, list.size()));
        if (phone.empty()) continue;
        if (!IsPhone(phone)) return 0;
        if (count++ > 0) phones += ' ';
        phones += phone;
    }
    return count;
}

bool Touches(std::string_view text, std::size_t at, std::string_view allowed) {
    return kSpaces.find(text[at]) == std::string_view::npos &&
           allowed.find(text[at]) == std::string_view::npos;
}

}  // namespace

Result<PronouncedText> PronouncedText::Make(const engines::Request& request) {
    PronouncedText made;
    const std::string_view text = request.text;
    std::size_t at = 0, phones = 0;
    const auto copy = [&](std::size_t end) {
        for (; at < end; ++at) made.text_ += text[at] == kFence ? ' ' : text[at];
    };
    const auto wrong = [](std::string message) {
        return Error(ErrorKind::kInvalid, "invalid_pronunciation", std::move(message));
    };
    for (const engines::Pronunciation& one : request.pronunciations) {
        copy(one.begin);
        Stretch stretch{one.begin, one.end, request.text.substr(one.begin, one.end - one.begin),
                        ""};
        const std::size_t count = ReadPhones(one.phonemes, stretch.phones);
        if (count == 0) return wrong("there are no phones of this engine");
        phones += count;
        // Of neighbours with equal phones flite speaks only the first; a space makes them differ.
        if (made.stretches_.size() % 2 == 1) stretch.phones.insert(0, 1, ' ');
        if (one.begin > 0 && Touches(text, one.begin - 1, kOpening)) made.text_ += ' ';
        made.text_ += kFence + std::to_string(made.stretches_.size()) + kFence;
        at = one.end;
        if (at < text.size() && Touches(text, at, kClosing)) made.text_ += ' ';
        made.stretches_.push_back(std::move(stretch));
    }
    copy(text.size());
    if (phones > kMostPhones) return wrong("there are more phones than four minutes hold");
    return made;
}

void PronouncedText::Use(cst_utterance_struct* utterance) const {
    current = this;
    utt_set_input_text(utterance, text_.c_str());
    if (!stretches_.empty()) {
        feat_set(utterance->features, "tokenizer_func", uttfunc_val(&PronouncedText::Tokenize));
    }
}

cst_utterance_struct* PronouncedText::Tokenize(cst_utterance_struct* utterance) {
    default_tokenization(utterance);
    cst_relation* tokens = utt_relation(utterance, "Token");
    for (cst_item* token = relation_head(tokens); token != nullptr; token = item_next(token)) {
        const char* name = item_feat_string(token, "name");
        if (name[0] != kFence) continue;
        const auto number = static_cast<std::size_t>(std::strtoul(name + 1, nullptr, 10));
        const Stretch& stretch = current->stretches_.at(number);
        item_set_string(token, "name", stretch.name.c_str());
        item_set_string(token, "phones", stretch.phones.c_str());
        item_set_int(token, kTokenBegin, static_cast<int>(stretch.begin));
        item_set_int(token, kTokenEnd, static_cast<int>(stretch.end));
    }
    return utterance;
}

}  // namespace vf::worker

// Addresses, telephone numbers and spelled words.
#include <algorithm>
#include <cctype>

#include "base/utf8.hpp"
#include "text/normalise_say.hpp"

namespace vf::text::norm {
namespace {

bool IsDigit(char c) {
    return c >= '0' && c <= '9';
}

bool IsAsciiLetter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

void AddWord(std::string& out, std::string_view word) {
    if (word.empty()) return;
    if (!out.empty() && out.back() != ' ') out += ' ';
    out += word;
}

// Nobody can say it as a word: no vowel, or two letters, as countries' domains are.
bool MustBeSpelled(const Rules& rules, std::string_view label) {
    if (label.size() > 5) return false;
    if (const Table* spelled = rules.FindTable("spelled"); spelled && spelled->Find(label)) {
        return true;
    }
    if (const Table* domains = rules.FindTable("domain")) {
        const Entry* entry = domains->Find(label);
        if (entry && entry->size() > 1) return (*entry)[1] == "letters";
    }
    return Folded(label).find_first_of("aeiouy") == std::string::npos;
}

void AddLabel(const Rules& rules, std::string_view label, std::string& out) {
    if (label.empty()) return;
    if (IsDigit(label[0])) {
        Speller& speller = Speller::Of(rules);
        AddWord(out, label.size() <= 2 ? speller.Number(label) : speller.Digits(label));
    } else if (MustBeSpelled(rules, label)) {
        AddWord(out, Letters(rules, label));
    } else {
        AddWord(out, label);
    }
}

}  // namespace

std::string Letters(const Rules& rules, std::string_view text) {
    const Table* signs = rules.FindTable("sign");
    std::string out;
    bool is_letter = false;
    while (!text.empty()) {
        const bool after_letter = is_letter;
        is_letter = false;
        const std::size_t length = Utf8SequenceLength(text);
        const std::string_view c = text.substr(0, length);
        text.remove_prefix(length);
        if (length == 1 && IsDigit(c[0])) {
            AddWord(out, Speller::Of(rules).Number(c));
        } else if (length == 1 && IsAsciiLetter(c[0])) {
            // A capital is a letter's name; a small "a" is a word. English engines take even the
            // capital for the article, unless a hyphen ties it to the next letter.
            if (after_letter && rules.language == "en") {
                out += '-';
            } else if (!out.empty()) {
                out += ' ';
            }
            out += static_cast<char>(std::toupper(static_cast<unsigned char>(c[0])));
            is_letter = true;
        } else if (const Entry* entry = signs ? signs->Find(c) : nullptr) {
            AddWord(out, entry->front());
        } else if (IsWordChar(Utf8Decode(c))) {
            AddWord(out, c);
        }
    }
    return out;
}

std::string Phone(const Rules& rules, std::string_view text) {
    Speller& speller = Speller::Of(rules);
    std::string out;
    if (text.starts_with("+")) out = rules.Word("plus") + " ";
    bool first = true;
    for (std::size_t at = 0; at < text.size();) {
        std::size_t end = at;
        while (end < text.size() && IsDigit(text[end])) ++end;
        if (end > at) {
            if (!first) out += ", ";
            first = false;
            out += speller.Digits(text.substr(at, end - at));
            at = end;
        } else {
            at += Utf8SequenceLength(text.substr(at));
        }
    }
    return out;
}

std::string Web(const Rules& rules, std::string_view text) {
    const Table* signs = rules.FindTable("sign");
    const std::size_t scheme = text.find("://");
    if (scheme != std::string_view::npos && scheme < 8) text.remove_prefix(scheme + 3);
    while (text.ends_with("/")) text.remove_suffix(1);
    // Of a file's name the ending has a way of its own to be read.
    const Table* extensions = rules.FindTable("extension");
    const std::size_t stop = text.rfind('.');
    const Entry* extension = nullptr;
    if (extensions && stop != std::string_view::npos && text.find('/') == std::string_view::npos) {
        extension = extensions->Find(text.substr(stop + 1));
        if (extension) text = text.substr(0, stop + 1);
    }
    std::string out;
    std::size_t label = 0;
    for (std::size_t at = 0; at <= text.size(); ++at) {
        const bool ends = at == text.size();
        const auto c = ends ? '\0' : text[at];
        const bool word =
            !ends && (IsAsciiLetter(c) || (static_cast<unsigned char>(c) & 0x80) != 0);
        const bool digit = !ends && IsDigit(c);
        const bool was_digit = at > label && IsDigit(text[label]);
        if (at > label && (word ? was_digit : digit ? !was_digit : true)) {
            AddLabel(rules, text.substr(label, at - label), out);
            label = at;
        }
        if (ends || word || digit) continue;
        const Entry* entry = signs ? signs->Find(text.substr(at, 1)) : nullptr;
        if (entry) AddWord(out, entry->front());
        label = at + 1;
    }
    if (extension) AddWord(out, extension->front());
    return out;
}

}  // namespace vf::text::norm

#include "text/normalise_rules.hpp"

#include <toml++/toml.h>
#include <unicode/uchar.h>

#include <algorithm>
#include <set>
#include <stdexcept>

#include "base/utf8.hpp"
#include "text/normalise_pattern.hpp"

namespace vf::text::norm {
namespace {

Entry EntryOf(const toml::node& node) {
    Entry entry;
    if (const auto text = node.value<std::string>()) {
        entry.push_back(*text);
    } else if (const toml::array* list = node.as_array()) {
        for (const toml::node& item : *list) entry.push_back(item.value_or(std::string()));
    }
    return entry;
}

void ReadTables(const toml::table& root, Rules& rules) {
    std::set<std::string> folded;
    if (const toml::array* names = root["fold"].as_array()) {
        for (const toml::node& name : *names) folded.insert(name.value_or(std::string()));
    }
    const auto table_named = [&](const std::string& name) -> Table& {
        auto& table = rules.tables[name];
        if (!table) table = std::make_unique<Table>(folded.contains(name));
        return *table;
    };
    if (const toml::table* tables = root["tables"].as_table()) {
        for (const auto& [name, node] : *tables) {
            Table& table = table_named(std::string(name.str()));
            for (const auto& [key, value] : *node.as_table()) {
                table.Add(std::string(key.str()), EntryOf(value));
            }
        }
    }
    // Lists of words: each says itself.
    if (const toml::table* lists = root["lists"].as_table()) {
        for (const auto& [name, node] : *lists) {
            Table& table = table_named(std::string(name.str()));
            for (const toml::node& word : *node.as_array()) {
                const std::string text = word.value_or(std::string());
                table.Add(text, {text});
            }
        }
    }
}

// The characters that a variant can begin with, folded.
std::set<char32_t> FirstsOf(const std::vector<Element>& elements, const Rules& rules) {
    std::set<char32_t> firsts;
    for (const Element& element : elements) {
        switch (element.kind) {
            case Element::Kind::kCoreBegins: continue;
            case Element::Kind::kLiteral: firsts.insert(Fold(element.literal[0])); break;
            case Element::Kind::kSet:
                for (const char32_t c : element.literal) firsts.insert(Fold(c));
                break;
            case Element::Kind::kInteger:
            case Element::Kind::kNumber:
            case Element::Kind::kDecimal:
            case Element::Kind::kFraction:
                for (char32_t c = '0'; c <= '9'; ++c) firsts.insert(c);
                break;
            case Element::Kind::kTable:
                for (const auto& [key, entry] : element.table->entries()) {
                    firsts.insert(Fold(Utf8Decode(key)));
                }
                break;
            case Element::Kind::kRoman:
            case Element::Kind::kRomanOne:
            case Element::Kind::kRomanMany:
            case Element::Kind::kRomanSmall:
                for (const char32_t c : U"ivxlcdm") {
                    if (c != 0) firsts.insert(c);
                }
                break;
            case Element::Kind::kPhone:
                firsts.insert('+');
                firsts.insert('(');
                for (char32_t c = '0'; c <= '9'; ++c) firsts.insert(c);
                break;
            case Element::Kind::kUrl:
            case Element::Kind::kEmail:
                for (char32_t c = '0'; c <= '9'; ++c) firsts.insert(c);
                [[fallthrough]];
            case Element::Kind::kLetters:
            case Element::Kind::kLower:
            case Element::Kind::kCapital:
            case Element::Kind::kUpper:
                for (char32_t c = 'a'; c <= 'z'; ++c) firsts.insert(c);
                break;
            default: throw std::runtime_error("a pattern must not begin with spaces");
        }
        break;
    }
    (void)rules;
    return firsts;
}

std::optional<NormaliseRule> RuleOf(const toml::table& group) {
    return FindNormaliseRule(group["rule"].value_or(std::string()));
}

void AddPattern(const toml::array& row, NormaliseRule rule, Rules& rules) {
    const std::string match = row.get(0)->value_or(std::string());
    const std::string say = row.get(1)->value_or(std::string());
    const std::string flags = row.size() > 2 ? row.get(2)->value_or(std::string()) : "";
    Slots slots;
    auto sequences = CompileMatch(match, rules, slots);
    Pattern pattern;
    pattern.rule = rule;
    pattern.say = CompileSay(say, rules, slots);
    pattern.check_left = flags.find("left") == std::string::npos;
    pattern.check_right = flags.find("right") == std::string::npos;
    pattern.apart = flags.find("apart") != std::string::npos;
    pattern.between = flags.find("between") != std::string::npos;
    pattern.source = match;
    const auto number = static_cast<std::uint32_t>(rules.patterns.size());
    rules.patterns.push_back(std::move(pattern));
    for (auto& elements : sequences) {
        const auto variant = static_cast<std::uint32_t>(rules.variants.size());
        for (const char32_t c : FirstsOf(elements, rules)) {
            (c < 128 ? rules.by_ascii[c] : rules.by_other[c]).push_back(variant);
        }
        rules.variants.push_back({number, std::move(elements)});
    }
}

}  // namespace

char32_t Fold(char32_t c) {
    if (c < 0x80) return c >= 'A' && c <= 'Z' ? c + 32 : c;
    return static_cast<char32_t>(u_tolower(static_cast<UChar32>(c)));
}

std::string Folded(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        // A cut character at the end stays as it is.
        const std::size_t length = Utf8SequenceLength(text);
        if (length == 0) return out.append(text);
        Utf8Append(out, Fold(Utf8Decode(text)));
        text.remove_prefix(length);
    }
    return out;
}

bool IsWordChar(char32_t c) {
    if (c < 0x80) return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    return (U_GET_GC_MASK(static_cast<UChar32>(c)) & (U_GC_L_MASK | U_GC_M_MASK | U_GC_ND_MASK)) !=
           0;
}

void Table::Add(std::string key, Entry entry) {
    if (fold_) key = Folded(key);
    if (std::find(lengths_.begin(), lengths_.end(), key.size()) == lengths_.end()) {
        lengths_.push_back(key.size());
        std::sort(lengths_.rbegin(), lengths_.rend());
    }
    entries_.insert_or_assign(std::move(key), std::move(entry));
}

const Entry* Table::Find(std::string_view key) const {
    const auto found = entries_.find(fold_ ? Folded(key) : std::string(key));
    return found == entries_.end() ? nullptr : &found->second;
}

const Entry* Table::Longest(std::string_view text, std::size_t& length) const {
    if (lengths_.empty()) return nullptr;
    text = text.substr(0, Utf8Floor(text, std::min(text.size(), lengths_.front() + 4)));
    // Folding keeps the number of bytes for all letters that stand in tables.
    const std::string folded = fold_ ? Folded(text) : std::string(text);
    if (folded.size() != text.size()) return nullptr;
    std::string key;
    for (const std::size_t size : lengths_) {
        if (size > folded.size() || Utf8Floor(folded, size) != size) continue;
        key.assign(folded, 0, size);
        const auto found = entries_.find(key);
        if (found == entries_.end()) continue;
        std::size_t last = size - 1;
        while (last > 0 && (static_cast<unsigned char>(key[last]) & 0xC0) == 0x80) --last;
        const bool word = u_isalpha(static_cast<UChar32>(Utf8Decode(key.substr(last)))) != 0;
        if (word && size < text.size() &&
            u_isalpha(static_cast<UChar32>(Utf8Decode(text.substr(size))))) {
            continue;
        }
        length = size;
        return &found->second;
    }
    return nullptr;
}

const std::string& Rules::Word(std::string_view name) const {
    static const std::string none;
    const auto found = words.find(name);
    return found == words.end() ? none : found->second;
}

const Table* Rules::FindTable(std::string_view name) const {
    const auto found = tables.find(name);
    return found == tables.end() ? nullptr : found->second.get();
}

std::unique_ptr<Rules> ReadRules(std::string_view text) {
    auto rules = std::make_unique<Rules>();
    try {
        const toml::table root = toml::parse(text);
        rules->language = root["language"].value_or(std::string());
        for (const auto& [name, node] : *root["words"].as_table()) {
            rules->words.emplace(name.str(), node.value_or(std::string()));
        }
        rules->decimal = Utf8Decode(rules->Word("decimal"));
        for (const toml::node& group : *root["groups"].as_array()) {
            const std::string separator = group.value_or(std::string());
            rules->groups.emplace_back(1, Utf8Decode(separator));
        }
        ReadTables(root, *rules);
        for (const toml::node& node : *root["group"].as_array()) {
            const toml::table& group = *node.as_table();
            const auto rule = RuleOf(group);
            if (!rule) throw std::runtime_error("a group names no rule that exists");
            for (const toml::node& row : *group["patterns"].as_array()) {
                AddPattern(*row.as_array(), *rule, *rules);
            }
        }
    } catch (const toml::parse_error& error) {
        throw std::runtime_error("rules, line " + std::to_string(error.source().begin.line) + ": " +
                                 std::string(error.description()));
    }
    return rules;
}

const Rules* RulesFor(std::string_view language) {
    const std::string primary = Folded(language.substr(0, language.find_first_of("-_")));
    static const auto all = [] {
        std::map<std::string, std::unique_ptr<Rules>, std::less<>> made;
        for (const auto& [name, text] : RuleDocuments()) {
            made.emplace(std::string(name), ReadRules(text));
        }
        return made;
    }();
    const auto found = all.find(primary);
    return found == all.end() ? nullptr : found->second.get();
}

}  // namespace vf::text::norm

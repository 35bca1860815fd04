#pragma once
// Bodies of the pronunciation dictionaries' routes, in and out. Pure.

#include <boost/describe.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/json_body.hpp"
#include "dictionaries/dictionaries.hpp"

namespace vf::elevenlabs {

struct RuleBody {
    json::Required<std::string> type;
    json::Required<std::string> string_to_replace;
    std::optional<std::string> alias;
    std::optional<std::string> phoneme;
    std::optional<std::string> alphabet;
    bool case_sensitive = true;
    bool word_boundaries = true;
};
BOOST_DESCRIBE_STRUCT(RuleBody, (),
                      (type, string_to_replace, alias, phoneme, alphabet, case_sensitive,
                       word_boundaries))

void CheckBody(const RuleBody& body, json::Checker& check);

struct FromRulesBody {
    json::Required<std::string> name;
    json::Required<std::vector<RuleBody>> rules;
    std::optional<std::string> description;
};
BOOST_DESCRIBE_STRUCT(FromRulesBody, (), (name, rules, description))

struct RulesBody {
    json::Required<std::vector<RuleBody>> rules;
};
BOOST_DESCRIBE_STRUCT(RulesBody, (), (rules))

struct RuleStringsBody {
    json::Required<std::vector<std::string>> rule_strings;
};
BOOST_DESCRIBE_STRUCT(RuleStringsBody, (), (rule_strings))

struct PatchBody {
    std::optional<bool> archived;
    std::optional<std::string> name;
};
BOOST_DESCRIBE_STRUCT(PatchBody, (), (archived, name))

// Errors, kInvalid: unknown_alphabet, invalid_phonemes.
Result<dictionaries::Rules> RulesOf(std::vector<RuleBody>& bodies);

json::object RuleJson(const text::LexiconRule& rule);
// A dictionary that was just made, one that is shown, and one that has other rules now.
json::object MadeJson(const dictionaries::Dictionary& dictionary);
json::object MetadataJson(const dictionaries::Dictionary& dictionary);
json::object ChangedJson(const dictionaries::Dictionary& dictionary);

}  // namespace vf::elevenlabs

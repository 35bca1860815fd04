#include "dictionaries/dictionaries_body.hpp"

#include <fmt/format.h>

#include <boost/describe.hpp>

#include "base/json_body.hpp"
#include "base/rfc3339.hpp"
#include "dictionaries/dictionaries_rules.hpp"

namespace vf::dictionaries {

struct RuleBody {
    json::Required<std::string> grapheme;
    std::optional<std::string> alias;
    std::optional<std::string> phoneme;
    std::optional<std::string> alphabet;
    bool case_sensitive = true;
    bool word_boundaries = true;
};
BOOST_DESCRIBE_STRUCT(RuleBody, (),
                      (grapheme, alias, phoneme, alphabet, case_sensitive, word_boundaries))

void CheckBody(const RuleBody& body, json::Checker& check) {
    if (body.alias.has_value() == body.phoneme.has_value()) {
        check.Fail(body.alias ? "phoneme" : "alias", "one_of",
                   "a rule has either an alias or a phoneme.");
    } else if (body.alias && body.alphabet) {
        check.Fail("alphabet", "not_allowed", "belongs to a phoneme; this rule has an alias.");
    }
}

struct DictionaryBody {
    json::Required<std::string> name;
    std::string description;
    std::vector<RuleBody> rules;
};
BOOST_DESCRIBE_STRUCT(DictionaryBody, (), (name, description, rules))

struct ChangeBody {
    std::optional<std::string> name;
    std::optional<std::string> description;
    std::optional<bool> archived;
};
BOOST_DESCRIBE_STRUCT(ChangeBody, (), (name, description, archived))

struct RulesBody {
    json::Required<std::vector<RuleBody>> rules;
};
BOOST_DESCRIBE_STRUCT(RulesBody, (), (rules))

struct DefaultsBody {
    json::Required<std::vector<std::string>> dictionaries;
};
BOOST_DESCRIBE_STRUCT(DefaultsBody, (), (dictionaries))

namespace {

Result<Rules> RulesOf(std::vector<RuleBody>& bodies) {
    if (bodies.size() > text::Lexicon::kMaxRules) {
        const std::string words =
            fmt::format("must have at most {} rules.", text::Lexicon::kMaxRules);
        return Error(ErrorKind::kInvalid, "too_many_rules", "The member \"rules\" " + words,
                     {{"/rules", "too_many_rules", words}});
    }
    Rules rules;
    rules.reserve(bodies.size());
    for (std::size_t i = 0; i < bodies.size(); ++i) {
        RuleBody& body = bodies[i];
        text::LexiconRule rule;
        if (body.alias) {
            rule.grapheme = std::move(body.grapheme.value);
            rule.value = *std::move(body.alias);
        } else {
            Result<text::LexiconRule> made =
                PhonemeRule(std::move(body.grapheme.value), *std::move(body.phoneme),
                            body.alphabet.value_or("ipa"), fmt::format("/rules/{}", i));
            if (!made) return std::move(made).error();
            rule = *std::move(made);
        }
        rule.case_sensitive = body.case_sensitive;
        rule.word_boundaries = body.word_boundaries;
        rules.push_back(std::move(rule));
    }
    return rules;
}

}  // namespace

json::object ToJson(const Dictionary& dictionary) {
    json::value archived;
    if (dictionary.archived_at) archived = Rfc3339(*dictionary.archived_at);
    return {{"id", dictionary.id.Wire()},
            {"name", dictionary.name},
            {"description", dictionary.description},
            {"version_id", dictionary.latest.Wire()},
            {"version", dictionary.latest_number},
            {"rule_count", dictionary.rules},
            {"created_by", dictionary.created_by},
            {"created_at", Rfc3339(dictionary.created_at)},
            {"archived_at", std::move(archived)}};
}

json::object ToJson(const Version& version) {
    return {{"id", version.id.Wire()},          {"dictionary_id", version.dictionary.Wire()},
            {"version", version.number},        {"rule_count", version.rules},
            {"created_by", version.created_by}, {"created_at", Rfc3339(version.created_at)}};
}

json::array RulesJson(const Rules& rules) {
    json::array out;
    out.reserve(rules.size());
    for (const text::LexiconRule& rule : rules) out.push_back(RuleJson(rule));
    return out;
}

Result<NewDictionary> ReadNewDictionary(std::string_view body) {
    Result<DictionaryBody> read = json::ReadBody<DictionaryBody>(body, json::Members::kClosed);
    if (!read) return std::move(read).error();
    Result<Rules> rules = RulesOf(read->rules);
    if (!rules) return std::move(rules).error();
    NewDictionary out;
    out.name = std::move(read->name.value);
    out.description = std::move(read->description);
    out.rules = *std::move(rules);
    return out;
}

Result<DictionaryChange> ReadChange(std::string_view body) {
    Result<ChangeBody> read = json::ReadBody<ChangeBody>(body, json::Members::kClosed);
    if (!read) return std::move(read).error();
    DictionaryChange out;
    out.name = std::move(read->name);
    out.description = std::move(read->description);
    out.archived = read->archived;
    return out;
}

Result<Rules> ReadRules(std::string_view body) {
    Result<RulesBody> read = json::ReadBody<RulesBody>(body, json::Members::kClosed);
    if (!read) return std::move(read).error();
    return RulesOf(read->rules.value);
}

Result<std::vector<DictionaryId>> ReadDefaults(std::string_view body) {
    Result<DefaultsBody> read = json::ReadBody<DefaultsBody>(body, json::Members::kClosed);
    if (!read) return std::move(read).error();
    std::vector<DictionaryId> out;
    for (std::size_t i = 0; i < read->dictionaries->size(); ++i) {
        const auto id = DictionaryId::Parse((*read->dictionaries)[i]);
        if (!id) {
            const std::string words = "is not the id of a pronunciation dictionary.";
            const std::string path = fmt::format("/dictionaries/{}", i);
            return Error(ErrorKind::kInvalid, "invalid_id", path + " " + words,
                         {{path, "invalid_id", words}});
        }
        out.push_back(*id);
    }
    return out;
}

}  // namespace vf::dictionaries

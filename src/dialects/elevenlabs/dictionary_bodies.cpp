#include "dialects/elevenlabs/dictionary_bodies.hpp"

#include <fmt/format.h>

#include "dictionaries/dictionaries_rules.hpp"

namespace vf::elevenlabs {
namespace {

std::int64_t Seconds(dictionaries::Clock::time_point time) {
    return std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()).count();
}

}  // namespace

void CheckBody(const RuleBody& body, json::Checker& check) {
    if (*body.type == "alias") {
        if (!body.alias) check.Fail("alias", "required", "is required in a rule of type alias.");
    } else if (*body.type == "phoneme") {
        if (!body.phoneme) {
            check.Fail("phoneme", "required", "is required in a rule of type phoneme.");
        }
        if (!body.alphabet) {
            check.Fail("alphabet", "required", "is required in a rule of type phoneme.");
        }
    } else {
        check.Fail("type", "not_allowed", "must be alias or phoneme.");
    }
}

Result<dictionaries::Rules> RulesOf(std::vector<RuleBody>& bodies) {
    dictionaries::Rules rules;
    rules.reserve(bodies.size());
    for (std::size_t i = 0; i < bodies.size(); ++i) {
        RuleBody& body = bodies[i];
        text::LexiconRule rule;
        if (*body.type == "alias") {
            rule.grapheme = std::move(body.string_to_replace.value);
            rule.value = *std::move(body.alias);
        } else {
            auto made = dictionaries::PhonemeRule(
                std::move(body.string_to_replace.value), *std::move(body.phoneme),
                *std::move(body.alphabet), fmt::format("/rules/{}", i));
            if (!made) return std::move(made).error();
            rule = *std::move(made);
        }
        rule.case_sensitive = body.case_sensitive;
        rule.word_boundaries = body.word_boundaries;
        rules.push_back(std::move(rule));
    }
    return rules;
}

json::object RuleJson(const text::LexiconRule& rule) {
    json::object out{{"string_to_replace", rule.grapheme},
                     {"case_sensitive", rule.case_sensitive},
                     {"word_boundaries", rule.word_boundaries}};
    if (rule.kind == text::LexiconRule::Kind::kAlias) {
        out["type"] = "alias";
        out["alias"] = rule.value;
    } else {
        out["type"] = "phoneme";
        out["phoneme"] = rule.source;
        out["alphabet"] = rule.alphabet;
    }
    return out;
}

json::object MadeJson(const dictionaries::Dictionary& dictionary) {
    return {{"id", dictionary.id.Wire()},
            {"name", dictionary.name},
            {"created_by", dictionary.created_by},
            {"creation_time_unix", Seconds(dictionary.created_at)},
            {"version_id", dictionary.latest.Wire()},
            {"version_rules_num", dictionary.rules},
            {"description", dictionary.description},
            {"permission_on_resource", "admin"}};
}

json::object MetadataJson(const dictionaries::Dictionary& dictionary) {
    json::value archived;
    if (dictionary.archived_at) archived = Seconds(*dictionary.archived_at);
    return {{"id", dictionary.id.Wire()},
            {"latest_version_id", dictionary.latest.Wire()},
            {"latest_version_rules_num", dictionary.rules},
            {"name", dictionary.name},
            {"permission_on_resource", "admin"},
            {"created_by", dictionary.created_by},
            {"creation_time_unix", Seconds(dictionary.created_at)},
            {"archived_time_unix", std::move(archived)},
            {"description", dictionary.description}};
}

json::object ChangedJson(const dictionaries::Dictionary& dictionary) {
    return {{"id", dictionary.id.Wire()},
            {"version_id", dictionary.latest.Wire()},
            {"version_rules_num", dictionary.rules}};
}

}  // namespace vf::elevenlabs

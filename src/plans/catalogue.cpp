// Catalogue files: reading and checking.
#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <set>

#include "plans/plans.hpp"

namespace vf::plans {
namespace {

constexpr std::int64_t kMaxAmount = 1'000'000'000'000'000;  // in sums far from the end of 64 bits
constexpr std::int64_t kMaxPrice = 1'000'000'000'000;
constexpr std::size_t kMaxName = 100;
constexpr std::size_t kMaxFile = 1 << 20;

struct Bound {
    const char* key;
    std::optional<std::int64_t> Plan::* member;
    std::int64_t min;
    std::int64_t max;
};
constexpr Bound kBounds[] = {
    {"requests", &Plan::requests, 0, kMaxAmount},
    {"characters", &Plan::characters, 0, kMaxAmount},
    {"audio_ms", &Plan::audio_ms, 0, kMaxAmount},
    {"over_request_milli", &Plan::over_request_milli, 0, kMaxPrice},
    {"over_character_milli", &Plan::over_character_milli, 0, kMaxPrice},
    {"over_audio_second_milli", &Plan::over_audio_second_milli, 0, kMaxPrice},
    {"concurrency", &Plan::concurrency, 1, kMaxAmount},
    {"text_characters", &Plan::text_characters, 1, kMaxAmount},
    {"voices", &Plan::voices, 0, kMaxAmount},
    {"deployments", &Plan::deployments, 0, kMaxAmount},
    {"storage_bytes", &Plan::storage_bytes, 0, kMaxAmount},
};
constexpr const char* kRequired[] = {"id", "name", "tier", "currency", "price_minor", "quality"};

// Where something is wrong. Thrown inside this file only.
struct Wrong {
    std::int64_t line;
    std::string what;
};

std::int64_t LineOf(const toml::node& node) {
    return static_cast<std::int64_t>(node.source().begin.line);
}

std::string TextOf(const toml::node& node, std::string_view key) {
    const auto* text = node.as_string();
    if (!text) throw Wrong{LineOf(node), fmt::format("'{}' must be a text in quotes", key)};
    return text->get();
}

std::int64_t AmountOf(const toml::node& node, std::string_view key, std::int64_t min,
                      std::int64_t max) {
    const auto* number = node.as_integer();
    if (!number || number->get() < min || number->get() > max) {
        throw Wrong{LineOf(node),
                    fmt::format("'{}' must be a whole number from {} to {}", key, min, max)};
    }
    return number->get();
}

std::string OneOf(const toml::node& node, std::string_view key,
                  std::initializer_list<std::string_view> choices) {
    std::string text = TextOf(node, key);
    if (std::find(choices.begin(), choices.end(), text) == choices.end()) {
        throw Wrong{LineOf(node),
                    fmt::format("'{}' must be one of {}", key, fmt::join(choices, ", "))};
    }
    return text;
}

bool IsPlanId(std::string_view text) {
    const auto is_plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
    return !text.empty() && text.size() <= 63 && is_plain(text[0]) &&
           std::all_of(text.begin(), text.end(),
                       [&](char c) { return is_plain(c) || c == '_' || c == '-'; });
}

std::string IdOf(const toml::node& node) {
    std::string id = TextOf(node, "id");
    if (!IsPlanId(id)) {
        throw Wrong{LineOf(node),
                    "'id' must be 1 to 63 of a-z, 0-9, '-' and '_', the first a letter "
                    "or digit"};
    }
    return id;
}

std::string NameOf(const toml::node& node) {
    std::string name = TextOf(node, "name");
    const bool has_control = std::any_of(name.begin(), name.end(), [](char c) {
        return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
    });
    if (name.empty() || name.size() > kMaxName || has_control) {
        throw Wrong{LineOf(node),
                    fmt::format("'name' must be 1 to {} bytes on one line", kMaxName)};
    }
    return name;
}

std::string CurrencyOf(const toml::node& node) {
    std::string currency = TextOf(node, "currency");
    const bool is_code =
        currency.size() == 3 &&
        std::all_of(currency.begin(), currency.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
    if (!is_code) throw Wrong{LineOf(node), "'currency' must be an ISO 4217 code such as USD"};
    return currency;
}

void ReadKey(Plan& plan, std::string_view key, const toml::node& node) {
    if (key == "id") {
        plan.id = IdOf(node);
    } else if (key == "name") {
        plan.name = NameOf(node);
    } else if (key == "tier") {
        const std::string tier = OneOf(node, key, {"free", "paid", "enterprise"});
        plan.tier = tier == "free"   ? PlanTier::kFree
                    : tier == "paid" ? PlanTier::kPaid
                                     : PlanTier::kEnterprise;
    } else if (key == "currency") {
        plan.currency = CurrencyOf(node);
    } else if (key == "price_minor") {
        plan.price_minor = AmountOf(node, key, 0, kMaxPrice);
    } else if (key == "quality") {
        plan.quality = OneOf(node, key, {"standard", "premium", "studio"});
    } else {
        for (const Bound& bound : kBounds) {
            if (key != bound.key) continue;
            plan.*bound.member = AmountOf(node, key, bound.min, bound.max);
            return;
        }
        throw Wrong{LineOf(node), fmt::format("unknown key '{}'", key)};
    }
}

// A price without an allowance would never be charged: more likely a forgotten line.
void CheckPrices(const Plan& plan, std::int64_t line) {
    const struct {
        const std::optional<std::int64_t>& price;
        const std::optional<std::int64_t>& allowance;
        const char* price_key;
        const char* allowance_key;
    } pairs[] = {
        {plan.over_request_milli, plan.requests, "over_request_milli", "requests"},
        {plan.over_character_milli, plan.characters, "over_character_milli", "characters"},
        {plan.over_audio_second_milli, plan.audio_ms, "over_audio_second_milli", "audio_ms"},
    };
    for (const auto& pair : pairs) {
        if (!pair.price || pair.allowance) continue;
        throw Wrong{line, fmt::format("plan '{}' has '{}' but no allowance '{}'", plan.id,
                                      pair.price_key, pair.allowance_key)};
    }
}

Plan ReadPlan(const toml::node& node) {
    const toml::table* table = node.as_table();
    if (!table) throw Wrong{LineOf(node), "a plan must be a table, [[plan]]"};
    Plan plan;
    for (const auto& [key, value] : *table) ReadKey(plan, key.str(), value);
    for (const char* key : kRequired) {
        if (!table->contains(key)) {
            throw Wrong{LineOf(node), fmt::format("this plan has no '{}'", key)};
        }
    }
    CheckPrices(plan, LineOf(node));
    return plan;
}

std::vector<Plan> ReadPlans(const toml::table& root) {
    for (const auto& [key, value] : root) {
        if (key.str() != "plan") {
            throw Wrong{LineOf(value),
                        fmt::format("unknown key '{}'; plans are [[plan]]", key.str())};
        }
    }
    const toml::node* node = root.get("plan");
    const toml::array* list = node ? node->as_array() : nullptr;
    if (!list || list->empty()) throw Wrong{node ? LineOf(*node) : 1, "there is no [[plan]]"};
    if (list->size() > kMaxPlans) {
        throw Wrong{LineOf(*node), fmt::format("more than {} plans", kMaxPlans)};
    }
    std::vector<Plan> plans;
    std::set<std::string> ids;
    for (const toml::node& item : *list) {
        Plan plan = ReadPlan(item);
        if (!ids.insert(plan.id).second) {
            throw Wrong{LineOf(item), fmt::format("two plans have the id '{}'", plan.id)};
        }
        plans.push_back(std::move(plan));
    }
    return plans;
}

Error Bad(const std::string& name, std::int64_t line, std::string_view what) {
    return Error(ErrorKind::kInvalid, "bad_catalogue", fmt::format("{}:{}: {}", name, line, what));
}

}  // namespace

std::string_view TierName(PlanTier tier) {
    switch (tier) {
        case PlanTier::kFree: return "free";
        case PlanTier::kPaid: return "paid";
        case PlanTier::kEnterprise: return "enterprise";
    }
    return "free";
}

Result<std::vector<Plan>> ParseCatalogue(std::string_view text, const std::string& name) {
    try {
        return ReadPlans(toml::parse(text, name));
    } catch (const toml::parse_error& e) {
        return Bad(name, static_cast<std::int64_t>(e.source().begin.line), e.description());
    } catch (const Wrong& e) {
        return Bad(name, e.line, e.what);
    }
}

Result<std::vector<Plan>> LoadCatalogue(const std::filesystem::path& file) {
    std::ifstream stream(file, std::ios::binary);
    std::string text(kMaxFile + 1, '\0');
    stream.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(stream.gcount()));
    if (stream.bad() || (!stream.is_open() || (text.empty() && !stream.eof()))) {
        return Error(ErrorKind::kInvalid, "bad_catalogue",
                     fmt::format("{}: the file cannot be read", file.string()));
    }
    if (text.size() > kMaxFile) return Bad(file.string(), 1, "the file is larger than 1 MiB");
    return ParseCatalogue(text, file.string());
}

}  // namespace vf::plans

#include "neural/catalogue.hpp"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <fstream>
#include <iterator>

namespace vf::neural {
namespace {

struct Wrong {
    std::int64_t line;
    std::string what;
};

std::int64_t LineOf(const toml::node& node) {
    return static_cast<std::int64_t>(node.source().begin.line);
}

std::string TextOf(const toml::table& table, std::string_view key, bool is_required) {
    const toml::node* node = table.get(key);
    if (node == nullptr) {
        if (is_required) throw Wrong{LineOf(table), fmt::format("'{}' is missing", key)};
        return {};
    }
    const auto* text = node->as_string();
    if (text == nullptr) throw Wrong{LineOf(*node), fmt::format("'{}' must be a text", key)};
    return text->get();
}

KnownFile FileOf(const toml::node& node) {
    if (const auto* url = node.as_string()) return {url->get(), "", 0};
    const toml::table* table = node.as_table();
    if (table == nullptr) throw Wrong{LineOf(node), "a file is a URL or a table with one"};
    KnownFile file;
    file.url = TextOf(*table, "url", true);
    file.sha256 = TextOf(*table, "sha256", false);
    file.size = static_cast<std::uint64_t>(
        std::max<std::int64_t>((*table)["size"].value<std::int64_t>().value_or(0), 0));
    if (!file.sha256.empty() && file.sha256.size() != 64) {
        throw Wrong{LineOf(node), "'sha256' must have 64 digits"};
    }
    return file;
}

KnownModel ModelOf(const toml::node& node) {
    const toml::table* table = node.as_table();
    if (table == nullptr) throw Wrong{LineOf(node), "[[model]] must be a table"};
    KnownModel model;
    model.name = TextOf(*table, "name", true);
    model.languages = TextOf(*table, "languages", false);
    model.licence = TextOf(*table, "licence", false);
    model.about = TextOf(*table, "about", false);
    const toml::array* files = (*table)["files"].as_array();
    if (files == nullptr || files->empty() || files->size() > 8) {
        throw Wrong{LineOf(node), "'files' must name 1 to 8 files"};
    }
    for (const toml::node& file : *files) model.files.push_back(FileOf(file));
    return model;
}

}  // namespace

Result<std::vector<KnownModel>> ParseKnownModels(std::string_view text, const std::string& name) {
    const auto bad = [&](std::int64_t line, std::string_view what) {
        return Error(ErrorKind::kInvalid, "bad_catalogue",
                     fmt::format("{}, line {}: {}", name, line, what));
    };
    try {
        const toml::table root = toml::parse(text, std::string_view(name));
        std::vector<KnownModel> models;
        const toml::array* list = root["model"].as_array();
        if (list == nullptr) return models;
        for (const toml::node& node : *list) models.push_back(ModelOf(node));
        return models;
    } catch (const toml::parse_error& e) {
        return bad(static_cast<std::int64_t>(e.source().begin.line), e.description());
    } catch (const Wrong& e) {
        return bad(e.line, e.what);
    }
}

Result<std::vector<KnownModel>> LoadKnownModels(const std::filesystem::path& file) {
    std::ifstream stream(file, std::ios::binary);
    if (!stream) {
        return Error(ErrorKind::kInvalid, "bad_catalogue",
                     fmt::format("{}: the file cannot be read", file.string()));
    }
    const std::string text{std::istreambuf_iterator<char>(stream), {}};
    return ParseKnownModels(text, file.string());
}

}  // namespace vf::neural

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "client.hpp"
#include "commands.hpp"
#include "exit_codes.hpp"
#include "terminal.hpp"

namespace vf::cli {
namespace {

std::string Text(const json::object& item, const char* member) {
    const json::value* value = item.if_contains(member);
    return value && value->is_string() ? std::string(value->get_string()) : std::string();
}

std::string Joined(const json::object& item, const char* member) {
    std::string out;
    const json::value* value = item.if_contains(member);
    if (!value || !value->is_array()) return out;
    for (const json::value& part : value->get_array()) {
        if (!part.is_string()) continue;
        if (!out.empty()) out += ", ";
        out += std::string(part.get_string());
    }
    return out;
}

}  // namespace

void ListVoices(const Preferences& preferences, const VoicesOptions& options) {
    std::string query;
    const auto add = [&](const char* name, const std::string& value) {
        if (value.empty()) return;
        query += fmt::format("{}{}={}", query.empty() ? "?" : "&", name, UrlEncode(value));
    };
    add("language", options.language);
    add("gender", options.gender);
    add("engine", options.engine);
    add("search", options.search);
    Client client(preferences);
    const json::value answer = client.Get("/api/voices" + query);
    if (preferences.json) {
        fmt::print("{}\n", json::Print(answer));
        return;
    }
    const json::value* voices =
        answer.is_object() ? answer.get_object().if_contains("voices") : nullptr;
    if (!voices || !voices->is_array()) {
        throw Failure(Exit::kServerError, "the server's answer holds no list of voices");
    }
    if (options.ids_only) {
        for (const json::value& voice : voices->get_array()) {
            if (voice.is_object()) fmt::print("{}\n", Text(voice.get_object(), "id"));
        }
        return;
    }
    std::size_t width = 4;
    for (const json::value& voice : voices->get_array()) {
        if (voice.is_object()) width = std::max(width, Text(voice.get_object(), "id").size());
    }
    for (const json::value& item : voices->get_array()) {
        if (!item.is_object()) continue;
        const json::object& voice = item.get_object();
        const std::string id = fmt::format("{:<{}}", Text(voice, "id"), width);
        fmt::print("{}  {:<8} {:<9} {:<12} {}\n", Bold(id, STDOUT_FILENO), Text(voice, "gender"),
                   Text(voice, "quality"), Joined(voice, "languages"),
                   Dim(Text(voice, "name"), STDOUT_FILENO));
    }
}

}  // namespace vf::cli

#include "usage/usage_body.hpp"
#include "base/rfc3339.hpp"

#include <fmt/format.h>

namespace vf::usage {
namespace {

json::value KeyJson(const UsageRow& row) {
    if (!row.key) return nullptr;
    return json::value(row.key->Wire());
}

json::value MaybeNumber(std::optional<std::int64_t> number) {
    if (!number) return nullptr;
    return json::value(*number);
}

json::object ToJson(const Stats::Count& count) {
    return {{"today", count.today},
            {"last_7_days", count.last_7_days},
            {"last_30_days", count.last_30_days}};
}

}  // namespace

json::object ToJson(const UsageRow& row) {
    return {{"id", row.operation.Wire()},
            {"kind", KindName(row.kind)},
            {"started_at", Rfc3339(row.started_at)},
            {"key_id", KeyJson(row)},
            {"route", row.route},
            {"voice", row.voice},
            {"model", row.model},
            {"engine", row.engine},
            {"region", row.region},
            {"deployment", row.deployment},
            {"characters", row.characters},
            {"audio_ms", row.audio_ms},
            {"engine_ms", row.engine_ms},
            {"bytes", row.bytes},
            {"charge_milli", row.charge_milli},
            {"vendor_milli", row.vendor_milli},
            {"vendor_currency", row.vendor_currency},
            {"status", row.status},
            {"delivery", DeliveryName(row.delivery)},
            {"streamed", row.streamed},
            {"cached", row.cached},
            {"live", row.live}};
}

json::object ToJson(const Sums& sums) {
    json::array costs;
    for (const auto& [currency, milli] : sums.vendor_milli) {
        costs.push_back(json::object{{"currency", currency}, {"milli", milli}});
    }
    return {{"requests", sums.requests},         {"errors", sums.errors},
            {"characters", sums.characters},     {"audio_ms", sums.audio_ms},
            {"engine_ms", sums.engine_ms},       {"bytes", sums.bytes},
            {"charge_milli", sums.charge_milli}, {"vendor_costs", std::move(costs)}};
}

json::object ToJson(const Period& period) {
    return {{"from", Rfc3339(period.from)}, {"to", Rfc3339(period.to)}};
}

json::object ToJson(const Stats& stats) {
    json::array voices;
    for (const Stats::Top& top : stats.top_voices) {
        voices.push_back(json::object{{"voice", top.voice}, {"requests", top.requests}});
    }
    return {{"requests", ToJson(stats.requests)},
            {"errors", ToJson(stats.errors)},
            {"engine_ms", json::object{{"p50", MaybeNumber(stats.engine_ms_p50)},
                                       {"p95", MaybeNumber(stats.engine_ms_p95)}}},
            {"top_voices", std::move(voices)}};
}

std::string CsvField(std::string_view text) {
    std::string field;
    if (!text.empty() && std::string_view("=+-@\t\r").find(text[0]) != std::string_view::npos) {
        field = "'";
    }
    field += text;
    if (field.find_first_of("\",\r\n") == std::string::npos) return field;
    std::string quoted = "\"";
    for (const char c : field) {
        if (c == '"') quoted += '"';
        quoted += c;
    }
    return quoted + '"';
}

std::string ToCsv(const std::vector<UsageRow>& rows) {
    std::string out =
        "id,kind,started_at,key_id,route,voice,model,engine,region,deployment,characters,audio_ms,"
        "engine_ms,bytes,charge_milli,status,delivery,streamed,cached,live,vendor_milli,"
        "vendor_currency\r\n";
    for (const UsageRow& row : rows) {
        out += fmt::format("{},{},{},{}", row.operation.Wire(), KindName(row.kind),
                           Rfc3339(row.started_at), row.key ? row.key->Wire() : "");
        for (const std::string* text :
             {&row.route, &row.voice, &row.model, &row.engine, &row.region, &row.deployment}) {
            out += ',' + CsvField(*text);
        }
        out += fmt::format(",{},{},{},{},{},{},{},{},{},{},{},{}\r\n", row.characters, row.audio_ms,
                           row.engine_ms, row.bytes, row.charge_milli, row.status,
                           DeliveryName(row.delivery), row.streamed, row.cached, row.live,
                           row.vendor_milli, CsvField(row.vendor_currency));
    }
    return out;
}

std::string ToCsv(std::string_view by, const std::vector<Group>& groups) {
    std::string out = fmt::format(
        "{},requests,errors,characters,audio_ms,engine_ms,bytes,charge_milli,vendor_costs\r\n", by);
    for (const auto& [name, sums] : groups) {
        std::string costs;
        for (const auto& [currency, milli] : sums.vendor_milli) {
            costs += fmt::format("{}{} {}", costs.empty() ? "" : "; ", currency, milli);
        }
        out += fmt::format("{},{},{},{},{},{},{},{},{}\r\n", CsvField(name), sums.requests,
                           sums.errors, sums.characters, sums.audio_ms, sums.engine_ms, sums.bytes,
                           sums.charge_milli, CsvField(costs));
    }
    return out;
}

}  // namespace vf::usage

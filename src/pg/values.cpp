#include "pg/values.hpp"

#include <libpq-fe.h>

#include <charconv>

namespace vf::pg {
namespace {

QueryError WrongValue(int column, const char* wanted) {
    return QueryError("22018", "", "column " + std::to_string(column) + " is not " + wanted);
}

template <class Number>
Number ParseNumber(std::string_view text, int column, const char* wanted) {
    Number number{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size()) throw WrongValue(column, wanted);
    return number;
}

}  // namespace

void Params::Add(std::string_view bytes, bool binary) {
    cells_.push_back({bytes_.size(), static_cast<int>(bytes.size()), binary});
    bytes_.append(bytes);
    bytes_.push_back('\0');
}

Params& Params::Text(std::string_view value) {
    if (value.find('\0') != std::string_view::npos) {
        throw QueryError("22021", "", "a text parameter contains a NUL byte");
    }
    Add(value, false);
    return *this;
}

Params& Params::Int(std::int64_t value) {
    char digits[24];
    const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
    Add({digits, static_cast<std::size_t>(end - digits)}, false);
    return *this;
}

Params& Params::Double(double value) {
    char digits[40];
    const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
    Add({digits, static_cast<std::size_t>(end - digits)}, false);
    return *this;
}

Params& Params::Bool(bool value) {
    Add(value ? "t" : "f", false);
    return *this;
}

Params& Params::Bytes(std::string_view value) {
    Add(value, true);
    return *this;
}

Params& Params::Null() {
    cells_.push_back({0, -1, false});
    return *this;
}

Params& Params::TextOrNull(const std::optional<std::string>& value) {
    return value ? Text(*value) : Null();
}

void Params::Fill(std::vector<const char*>& values, std::vector<int>& lengths,
                  std::vector<int>& formats) const {
    values.clear();
    lengths.clear();
    formats.clear();
    for (const Cell& cell : cells_) {
        values.push_back(cell.length < 0 ? nullptr : bytes_.data() + cell.offset);
        lengths.push_back(cell.length < 0 ? 0 : cell.length);
        formats.push_back(cell.binary ? 1 : 0);
    }
}

bool Row::IsNull(int column) const {
    if (column < 0 || column >= PQnfields(result_)) throw WrongValue(column, "in the result");
    return PQgetisnull(result_, index_, column) != 0;
}

std::string_view Row::Text(int column) const {
    if (IsNull(column)) {
        throw QueryError("22002", "", "column " + std::to_string(column) + " is NULL");
    }
    return {PQgetvalue(result_, index_, column),
            static_cast<std::size_t>(PQgetlength(result_, index_, column))};
}

std::int64_t Row::Int(int column) const {
    return ParseNumber<std::int64_t>(Text(column), column, "an integer");
}

double Row::Double(int column) const {
    return ParseNumber<double>(Text(column), column, "a number");
}

bool Row::Bool(int column) const {
    const std::string_view text = Text(column);
    if (text == "t") return true;
    if (text == "f") return false;
    throw WrongValue(column, "a boolean");
}

std::string Row::Bytes(int column) const {
    std::string_view text = Text(column);
    if (!text.starts_with("\\x") || text.size() % 2 != 0) throw WrongValue(column, "bytea");
    text.remove_prefix(2);
    std::string bytes(text.size() / 2, '\0');
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        unsigned value = 0;
        const char* digits = text.data() + 2 * i;
        const auto [end, error] = std::from_chars(digits, digits + 2, value, 16);
        if (error != std::errc() || end != digits + 2) throw WrongValue(column, "bytea");
        bytes[i] = static_cast<char>(value);
    }
    return bytes;
}

std::optional<std::string> Row::MaybeText(int column) const {
    if (IsNull(column)) return std::nullopt;
    return std::string(Text(column));
}

std::optional<std::int64_t> Row::MaybeInt(int column) const {
    if (IsNull(column)) return std::nullopt;
    return Int(column);
}

void Rows::Clear::operator()(pg_result* result) const {
    PQclear(result);
}

Rows::Rows(pg_result* result) : result_(result) {
    count_ = PQntuples(result);
    const std::string_view affected = PQcmdTuples(result);
    std::from_chars(affected.data(), affected.data() + affected.size(), affected_);
}

}  // namespace vf::pg

#include "http/headers.hpp"

#include <algorithm>

namespace vf::http {
namespace {

char Lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

}  // namespace

bool EqualsIgnoringCase(std::string_view a, std::string_view b) {
    return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) {
               return x == y || Lower(x) == Lower(y);
           });
}

std::string LowerCase(std::string_view text) {
    std::string out(text);
    for (char& c : out) c = Lower(c);
    return out;
}

std::string_view Trim(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

Headers::Headers(std::initializer_list<Field> fields) {
    for (const Field& field : fields) Add(field.first, field.second);
}

std::string_view Headers::NameAt(const Place& place) const {
    return std::string_view(bytes_).substr(place.begin, place.name_size);
}

std::string_view Headers::ValueAt(const Place& place) const {
    return std::string_view(bytes_).substr(place.begin + place.name_size, place.value_size);
}

bool Headers::Holds(std::string_view text) const {
    const std::less<const char*> before;
    return !text.empty() && !before(text.data(), bytes_.data()) &&
           before(text.data(), bytes_.data() + bytes_.size());
}

void Headers::Add(std::string_view name, std::string_view value) {
    if (Holds(name) || Holds(value)) {  // a view into this object would dangle while it grows
        Add(std::string(name), std::string(value));
        return;
    }
    fields_.push_back({static_cast<std::uint32_t>(bytes_.size()),
                       static_cast<std::uint32_t>(name.size()),
                       static_cast<std::uint32_t>(value.size())});
    bytes_.append(name);
    bytes_.append(value);
}

void Headers::Set(std::string_view name, std::string_view value) {
    if (Holds(name) || Holds(value)) {
        Set(std::string(name), std::string(value));
        return;
    }
    Remove(name);
    Add(name, value);
}

void Headers::Remove(std::string_view name) {
    std::erase_if(fields_, [&](const Place& p) { return EqualsIgnoringCase(NameAt(p), name); });
    if (fields_.empty()) bytes_.clear();
}

void Headers::Clear() {
    fields_.clear();
    bytes_.clear();
}

std::string_view Headers::Get(std::string_view name) const {
    for (const Place& place : fields_) {
        if (EqualsIgnoringCase(NameAt(place), name)) return ValueAt(place);
    }
    return {};
}

bool Headers::Has(std::string_view name) const {
    return Count(name) > 0;
}

std::size_t Headers::Count(std::string_view name) const {
    return static_cast<std::size_t>(std::ranges::count_if(
        fields_, [&](const Place& place) { return EqualsIgnoringCase(NameAt(place), name); }));
}

std::string Headers::Joined(std::string_view name) const {
    std::string out;
    for (const Place& place : fields_) {
        if (!EqualsIgnoringCase(NameAt(place), name)) continue;
        if (!out.empty()) out += ", ";
        out += ValueAt(place);
    }
    return out;
}

Headers::Field Headers::operator[](std::size_t index) const {
    return {NameAt(fields_[index]), ValueAt(fields_[index])};
}

}  // namespace vf::http

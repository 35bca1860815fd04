#pragma once
// Header fields of one message: order kept, names compared without regard to case. All bytes stand
// in one string, so that a message costs two allocations however many fields it has.
// A view returned by Get() or by iteration is valid until the next change.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vf::http {

// ASCII only, as everywhere in HTTP.
bool EqualsIgnoringCase(std::string_view a, std::string_view b);
std::string LowerCase(std::string_view text);
// Without spaces and tabs at both ends (OWS of RFC 9110).
std::string_view Trim(std::string_view text);

class Headers {
public:
    using Field = std::pair<std::string_view, std::string_view>;

    Headers() = default;
    Headers(std::initializer_list<Field> fields);

    void Set(std::string_view name, std::string_view value);  // replaces every field of that name
    void Add(std::string_view name, std::string_view value);  // keeps what is there
    void Remove(std::string_view name);
    void Clear();

    // The first field's value; "" when there is none.
    std::string_view Get(std::string_view name) const;
    bool Has(std::string_view name) const;
    std::size_t Count(std::string_view name) const;
    // All values of a list header (RFC 9110, section 5.3) as one list.
    std::string Joined(std::string_view name) const;

    std::size_t size() const { return fields_.size(); }
    bool empty() const { return fields_.empty(); }
    Field operator[](std::size_t index) const;

    class Iterator {
    public:
        Iterator(const Headers& headers, std::size_t index) : headers_(&headers), index_(index) {}
        Field operator*() const { return (*headers_)[index_]; }
        Iterator& operator++() {
            ++index_;
            return *this;
        }
        bool operator==(const Iterator& other) const { return index_ == other.index_; }

    private:
        const Headers* headers_;
        std::size_t index_;
    };
    Iterator begin() const { return {*this, 0}; }
    Iterator end() const { return {*this, fields_.size()}; }

private:
    struct Place {
        std::uint32_t begin;
        std::uint32_t name_size;
        std::uint32_t value_size;
    };
    std::string_view NameAt(const Place& place) const;
    std::string_view ValueAt(const Place& place) const;
    bool Holds(std::string_view text) const;

    std::string bytes_;
    std::vector<Place> fields_;
};

}  // namespace vf::http

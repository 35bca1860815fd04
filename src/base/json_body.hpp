#pragma once
// Reads a JSON object into a struct described with BOOST_DESCRIBE_STRUCT and reports the JSON
// pointer of *every* wrong member at once: missing, unknown, twice, wrong type, out of range.
//
//   struct SpeechBody {
//       json::Required<std::string> text;     must be there
//       std::optional<double> speed;          may be absent or null
//       bool stream = false;                  may be absent or null: keeps its initial value
//       std::optional<VoiceBody> voice;       another described struct
//       std::vector<std::string> tags;
//       json::value extra;                    anything
//   };
//   BOOST_DESCRIBE_STRUCT(SpeechBody, (), (text, speed, stream, voice, tags, extra))
//
// Limits: an overload, found by argument-dependent lookup, of
//   void CheckBody(const SpeechBody&, json::Checker& check)
// which calls check.Range("speed", body.speed, 0.25, 4.0) and the like.
// Native bodies are closed (unknown or repeated members are errors); vendor dialects are open.

#include <fmt/format.h>
#include <boost/describe.hpp>
#include <boost/mp11.hpp>

#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/json.hpp"

namespace vf::json {

enum class Members { kClosed, kOpen };

// A member that must be present and not null.
template <class T>
struct Required {
    T value{};
    const T& operator*() const { return value; }
    const T* operator->() const { return &value; }
};

// Collects wrong members.
class Checker {
public:
    Checker(std::string path, std::vector<FieldError>& errors)
        : path_(std::move(path)), errors_(errors) {}

    void Fail(std::string_view member, std::string code, std::string message) {
        errors_.push_back({Pointer(path_, member), std::move(code), std::move(message)});
    }

    template <class T>
    void Range(std::string_view member, const std::optional<T>& v, T min, T max) {
        if (v && (*v < min || *v > max)) {
            Fail(member, "out_of_range", fmt::format("must be between {} and {}.", min, max));
        }
    }

private:
    std::string path_;
    std::vector<FieldError>& errors_;
};

namespace detail {

template <class T>
struct IsOptional : std::false_type {};
template <class T>
struct IsOptional<std::optional<T>> : std::true_type {};
template <class T>
struct IsRequired : std::false_type {};
template <class T>
struct IsRequired<Required<T>> : std::true_type {};
template <class T>
struct IsVector : std::false_type {};
template <class T>
struct IsVector<std::vector<T>> : std::true_type {};

class Walker {
public:
    Walker(Members members, std::vector<FieldError>& errors) : members_(members), errors_(errors) {}

    template <class T>
    void ReadObject(const value& in, T& out, const std::string& path) {
        if (!in.is_object()) {
            Wrong(path, "wrong_type", "must be a JSON object.");
            return;
        }
        const object& source = in.get_object();
        using Described = boost::describe::describe_members<T, boost::describe::mod_public>;
        const std::size_t before = errors_.size();
        boost::mp11::mp_for_each<Described>([&](auto member) {
            auto& target = out.*member.pointer;
            using Member = std::remove_cvref_t<decltype(target)>;
            const std::string at = Pointer(path, member.name);
            const value* found = source.if_contains(member.name);
            if (!found || found->is_null()) {
                if constexpr (IsRequired<Member>::value) {
                    Wrong(at, "required", "is required.");
                }
                return;
            }
            ReadValue(*found, target, at);
        });
        if (members_ == Members::kClosed) {
            for (const auto& item : source) {
                bool known = false;
                boost::mp11::mp_for_each<Described>(
                    [&](auto member) { known = known || item.key() == member.name; });
                if (!known) {
                    Wrong(Pointer(path, item.key()), "unknown_member",
                          "is not a member of this object; check its spelling.");
                }
            }
        }
        if constexpr (requires(Checker& c) { CheckBody(out, c); }) {
            if (errors_.size() == before) {
                Checker checker(path, errors_);
                CheckBody(out, checker);
            }
        }
    }

private:
    void Wrong(const std::string& path, std::string code, std::string message) {
        errors_.push_back({path.empty() ? "/" : path, std::move(code), std::move(message)});
    }

    template <class T>
    void ReadValue(const value& in, T& out, const std::string& path) {
        if constexpr (IsRequired<T>::value) {
            ReadValue(in, out.value, path);
        } else if constexpr (IsOptional<T>::value) {
            typename T::value_type item{};
            ReadValue(in, item, path);
            out = std::move(item);
        } else if constexpr (IsVector<T>::value) {
            if (!in.is_array()) {
                Wrong(path, "wrong_type", "must be an array.");
                return;
            }
            std::size_t index = 0;
            for (const value& item : in.get_array()) {
                ReadValue(item, out.emplace_back(), Pointer(path, std::to_string(index++)));
            }
        } else if constexpr (std::is_same_v<T, value>) {
            out = in;
        } else if constexpr (std::is_same_v<T, std::string>) {
            if (!in.is_string()) {
                Wrong(path, "wrong_type", "must be a string.");
            } else {
                out = std::string(in.get_string());
            }
        } else if constexpr (std::is_same_v<T, bool>) {
            if (!in.is_bool()) {
                Wrong(path, "wrong_type", "must be true or false.");
            } else {
                out = in.get_bool();
            }
        } else if constexpr (std::is_integral_v<T>) {
            ReadInteger(in, out, path);
        } else if constexpr (std::is_floating_point_v<T>) {
            if (!in.is_number()) {
                Wrong(path, "wrong_type", "must be a number.");
            } else {
                out = in.to_number<T>();
            }
        } else {
            ReadObject(in, out, path);
        }
    }

    template <class T>
    void ReadInteger(const value& in, T& out, const std::string& path) {
        boost::json::error_code ec;
        const T number = in.is_number() ? in.to_number<T>(ec) : T{};
        if (!in.is_number() || (in.is_double() && in.get_double() != std::trunc(in.get_double()))) {
            Wrong(path, "wrong_type", "must be a whole number.");
        } else if (ec) {
            Wrong(path, "out_of_range",
                  fmt::format("must be between {} and {}.", std::numeric_limits<T>::min(),
                              std::numeric_limits<T>::max()));
        } else {
            out = number;
        }
    }

    Members members_;
    std::vector<FieldError>& errors_;
};

}  // namespace detail

// All wrong members as one kInvalid "invalid_request" error, whose message names the first.
Error BodyError(std::vector<FieldError> fields);

template <class Body>
Result<Body> ReadBody(std::string_view text, Members members) {
    Result<Parsed> parsed = Parse(text);
    if (!parsed) return std::move(parsed).error();
    std::vector<FieldError> errors;
    if (members == Members::kClosed) {
        for (std::string& path : parsed->duplicates) {
            errors.push_back({std::move(path), "duplicate_member", "stands twice."});
        }
    }
    Body body;
    detail::Walker(members, errors).ReadObject(parsed->root, body, "");
    if (!errors.empty()) return BodyError(std::move(errors));
    return body;
}

}  // namespace vf::json

#pragma once
// What goes into a statement (Params) and what comes out of it (Rows), and what can go wrong.

#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "base/unavailable.hpp"

struct pg_result;

namespace vf::pg {

// A named constant next to the store function that runs it. Prepared once per connection under
// `name`, which must belong to one `sql` in the whole program; both must live as long as the
// program (string literals).
struct Statement {
    const char* name;
    const char* sql;  // one statement; parameters are $1, $2, …
};

// The parameters of one run, in order. Values are copied; PostgreSQL infers each one's type from
// the statement, so an id may be given as Text for a uuid column.
class Params {
public:
    Params& Text(std::string_view value);  // a NUL byte: QueryError 22021, as no column can hold it
    Params& Int(std::int64_t value);
    Params& Double(double value);
    Params& Bool(bool value);
    Params& Bytes(std::string_view value);  // bytea; any bytes
    Params& Null();
    Params& TextOrNull(const std::optional<std::string>& value);

    std::size_t size() const { return cells_.size(); }
    // For the connection: pointers into this object, valid until it changes.
    void Fill(std::vector<const char*>& values, std::vector<int>& lengths,
              std::vector<int>& formats) const;

private:
    struct Cell {
        std::size_t offset;
        int length;  // -1: null
        bool binary;
    };
    void Add(std::string_view bytes, bool binary);

    std::string bytes_;  // every value followed by a NUL, as libpq wants its text parameters
    std::vector<Cell> cells_;
};

// One row; a view into its Rows, which must outlive it. Columns count from 0. Reading NULL by
// anything but the Maybe… functions, or a value that is not of that type, throws QueryError
// (22002, 22018): stored data and code disagree.
class Row {
public:
    Row(const pg_result* result, int index) : result_(result), index_(index) {}
    bool IsNull(int column) const;
    std::string_view Text(int column) const;
    std::int64_t Int(int column) const;
    double Double(int column) const;
    bool Bool(int column) const;
    std::string Bytes(int column) const;  // of a bytea column
    std::optional<std::string> MaybeText(int column) const;
    std::optional<std::int64_t> MaybeInt(int column) const;

private:
    const pg_result* result_;
    int index_;
};

// What one statement returned. Movable; owns the memory.
class Rows {
public:
    Rows() = default;
    explicit Rows(pg_result* result);  // takes it over
    std::size_t size() const { return static_cast<std::size_t>(count_); }
    bool empty() const { return count_ == 0; }
    Row operator[](std::size_t index) const { return {result_.get(), static_cast<int>(index)}; }
    // Rows inserted, updated, deleted or selected.
    std::int64_t affected() const { return affected_; }

    class Iterator {
    public:
        Iterator(const pg_result* result, int index) : result_(result), index_(index) {}
        Row operator*() const { return {result_, index_}; }
        Iterator& operator++() {
            ++index_;
            return *this;
        }
        bool operator!=(const Iterator& other) const { return index_ != other.index_; }

    private:
        const pg_result* result_;
        int index_;
    };
    Iterator begin() const { return {result_.get(), 0}; }
    Iterator end() const { return {result_.get(), count_}; }

private:
    struct Clear {
        void operator()(pg_result* result) const;
    };
    std::unique_ptr<pg_result, Clear> result_;
    int count_ = 0;
    std::int64_t affected_ = 0;
};

// PostgreSQL refused the statement. `what()` is for the log, never for a client.
class QueryError : public std::runtime_error {
public:
    QueryError(std::string sqlstate, std::string constraint, const std::string& message)
        : std::runtime_error(message), sqlstate_(std::move(sqlstate)),
          constraint_(std::move(constraint)) {}
    // Five characters, PostgreSQL documentation appendix A: 23505 unique violation, 23503 foreign
    // key, 40001 serialization failure, …
    const std::string& sqlstate() const { return sqlstate_; }
    const std::string& constraint() const { return constraint_; }
    bool unique_violation() const { return sqlstate_ == "23505"; }

private:
    std::string sqlstate_;
    std::string constraint_;
};

// The database is away, full or too slow: kUnavailable "database_unavailable" or kDeadline
// "database_timeout", with Retry-After.
class DatabaseUnavailable : public UnavailableException {
public:
    DatabaseUnavailable(Error e, bool unknown)
        : UnavailableException(std::move(e)), outcome_unknown_(unknown) {}
    // The statement may have taken effect (it was sent, its answer never came). False: it did not.
    bool outcome_unknown() const { return outcome_unknown_; }

private:
    bool outcome_unknown_;
};

}  // namespace vf::pg

#pragma once
// Reading cells of the table jobs. Inside src/jobs only.

#include "jobs/jobs.hpp"
#include "pg/values.hpp"

namespace vf::jobs {

inline Uuid UuidOf(const pg::Row& row, int column) {
    const std::optional<Uuid> uuid = Uuid::Parse(row.Text(column));
    if (!uuid) throw pg::QueryError("22018", "", "a uuid column holds no uuid");
    return *uuid;
}

inline JobState StateOf(const pg::Row& row, int column) {
    const std::optional<JobState> state = ParseState(row.Text(column));
    if (!state) throw pg::QueryError("22018", "", "an unknown state of a job");
    return *state;
}

}  // namespace vf::jobs

#pragma once
// SQL of the history. What stands in `sealed` is encrypted by the service.

#include <optional>
#include <string>
#include <vector>

#include "history/history.hpp"
#include "pg/database.hpp"

namespace vf::history::store {

struct ItemRow {
    Item item;  // without text, settings, alignments and dialogue
    std::string sealed;
};

Task<void> Insert(pg::TeamDb db, Item item, std::string sealed, Clock::time_point expires_at);
Task<std::optional<ItemRow>> Find(pg::TeamDb db, HistoryId id, Clock::time_point now);
// `filter.limit` rows; the search is not looked at.
Task<std::vector<ItemRow>> List(pg::TeamDb db, Filter filter, Clock::time_point now);
// The blob of the item that is gone now; the outer value is absent when there was no item.
Task<std::optional<std::optional<BlobId>>> Delete(pg::TeamDb db, HistoryId id,
                                                  Clock::time_point now);
// The newest of each request id since `since`: id and what is sealed.
Task<std::vector<std::pair<std::string, std::string>>> ByRequests(pg::TeamDb db,
                                                                  std::vector<std::string> ids,
                                                                  Clock::time_point since);
// How many were over their time and are gone.
Task<std::int64_t> DeleteExpired(pg::SystemDb db, Clock::time_point now, std::int64_t limit);

}  // namespace vf::history::store

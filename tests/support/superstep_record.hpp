// What a run's journal says of its supersteps.
#pragma once

#include "messages/base/ids.hpp"

#include <SQLiteCpp/SQLiteCpp.h>

#include <string>

namespace troupe {

/// A line for each committed superstep: number, front, hash of the state, idempotency key.
inline std::string superstep_record(const std::string& database_path, const run_id& run) {
  SQLite::Database database{database_path, SQLite::OPEN_READONLY};
  SQLite::Statement rows{database,
                         "SELECT superstep, front, state_hash, idempotency_key FROM supersteps WHERE run_id = ?"
                         " AND committed_at IS NOT NULL ORDER BY superstep"};
  rows.bind(1, run.str());
  std::string all;
  while (rows.executeStep()) {
    for (int i = 0; i < 4; ++i) {
      all += rows.getColumn(i).getString() + ' ';
    }
    all += '\n';
  }
  return all;
}

}  // namespace troupe

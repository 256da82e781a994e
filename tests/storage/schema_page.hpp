// docs/schema.md: its facts from a database, its words from the page that is there.
#pragma once

#include <SQLiteCpp/Database.h>

#include <string>
#include <string_view>
#include <vector>

namespace troupe {

struct schema_page {
  std::string text;
  std::vector<std::string> missing;  ///< Of the database, without a meaning in the old page: `runs.state`.
  std::vector<std::string> unknown;  ///< Of the old page, not in the database.
};

/// Tables and views in the order of their creation. What `old_page` says of each table, column and index is taken over.
schema_page make_schema_page(SQLite::Database& file, std::string_view old_page);

}  // namespace troupe

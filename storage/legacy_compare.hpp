// Two readings of the same rows: the older database's, and what stands for them in ours.
#pragma once

#include "messages/base/result.hpp"
#include "storage/legacy_source.hpp"
#include "storage/storage_options.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace troupe {

struct legacy_standing {
  std::int64_t absent = 0;     ///< Not here.
  std::int64_t same = 0;       ///< Here, every column of it.
  std::int64_t different = 0;  ///< Here, but not as the older database has it now.
};

struct legacy_difference {
  legacy_table table = legacy_table::artefacts;
  std::string key;
  std::string what;
};

struct legacy_comparison {
  static constexpr std::size_t told_max = 100;

  std::array<legacy_standing, legacy_tables.size()> tables;
  std::vector<legacy_difference> differences;  ///< The first told_max of what is different.
  std::vector<legacy_difference> missing;      ///< The first told_max of what is absent.

  const legacy_standing& of(legacy_table table) const { return tables.at(static_cast<std::size_t>(table)); }
  std::int64_t absent() const noexcept;
  std::int64_t different() const noexcept;
};

/// Reads each row of a group again, and each row that stands for it, over a connection that cannot write: the hash that
/// was recorded, spec, stage, agent, time, text, synthesis and the rest, byte for byte. Errors: as
/// database::open_read_only.
result<legacy_comparison> compare_legacy(const storage_options& options, legacy_source& source);

/// Where there is no database of ours yet.
legacy_comparison compare_legacy_with_nothing(const legacy_source& source);

}  // namespace troupe

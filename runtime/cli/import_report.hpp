// What `troupe db import` tells: what was read, what became of it, and whether both databases say the same. Pure.
#pragma once

#include "runtime/cli/style.hpp"
#include "storage/legacy_compare.hpp"
#include "storage/legacy_writer.hpp"

#include <array>
#include <chrono>
#include <string>

namespace troupe {

struct import_report {
  enum class kind {
    import,     ///< Rows were written, and compared afterwards.
    rehearsal,  ///< --dry-run: nothing was written; `imported` is what would be.
  };

  kind is = kind::import;
  std::string source;
  std::string target;
  std::array<legacy_table_facts, legacy_tables.size()> tables;
  legacy_counts counts;
  legacy_comparison compared;
  std::chrono::microseconds took{0};
};

/// Rows of the older database that ours does not have as they are there: after an import also those that are absent.
std::int64_t mismatches_in(const import_report& report) noexcept;

std::string import_text(const import_report& report, int width, const style& look);
std::string import_json(const import_report& report);

/// For the row of `maintenance`: canonical JSON.
json_text import_summary(const import_report& report);

}  // namespace troupe

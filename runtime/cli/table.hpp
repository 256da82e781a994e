// Rows in columns that fit the reader's window.
#pragma once

#include "runtime/cli/style.hpp"

#include <string>
#include <vector>

namespace troupe {

struct column {
  std::string title;
  bool right = false;    ///< Aligned to the right: numbers and durations.
  bool shrinks = false;  ///< May be cut where the window is narrow. The last of them is cut first.
};

class table {
 public:
  explicit table(std::vector<column> columns);

  /// As many cells as there are columns; may hold colours.
  void add(std::vector<std::string> cells);

  bool empty() const noexcept { return rows_.empty(); }

  /// One line for the titles and one for each row, each with a line break. `width` 0: nothing is cut.
  std::string text(int width, const style& look) const;

 private:
  std::vector<int> widths(int width) const;
  std::string line(const std::vector<std::string>& cells, const std::vector<int>& widths, const style& look) const;

  std::vector<column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace troupe

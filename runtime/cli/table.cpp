#include "runtime/cli/table.hpp"

#include "runtime/cli/printed_text.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace troupe {
namespace {

constexpr int gap = 2;
constexpr int narrowest = 8;  // Of a column that shrinks: below that a cell tells nothing.

}  // namespace

table::table(std::vector<column> columns) : columns_(std::move(columns)) {}

void table::add(std::vector<std::string> cells) {
  cells.resize(columns_.size());
  rows_.push_back(std::move(cells));
}

std::string table::text(int width, const style& look) const {
  const std::vector<int> columns = widths(width);
  std::vector<std::string> titles;
  for (const column& each : columns_) {
    titles.push_back(look.paint(ink::dim, each.title));
  }
  std::string whole = line(titles, columns, look);
  for (const auto& row : rows_) {
    whole += line(row, columns, look);
  }
  return whole;
}

std::vector<int> table::widths(int width) const {
  std::vector<int> each;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    int widest = printed_width(columns_[i].title);
    for (const auto& row : rows_) {
      widest = std::max(widest, printed_width(row[i]));
    }
    each.push_back(widest);
  }
  const int gaps = gap * (static_cast<int>(columns_.size()) - 1);
  int over = width == 0 ? 0 : std::accumulate(each.begin(), each.end(), gaps) - width;
  for (std::size_t i = columns_.size(); i-- > 0 && over > 0;) {
    if (columns_[i].shrinks) {
      const int less = std::clamp(over, 0, std::max(each[i] - narrowest, 0));
      each[i] -= less;
      over -= less;
    }
  }
  return each;
}

std::string table::line(const std::vector<std::string>& cells,
                        const std::vector<int>& widths,
                        const style& look) const {
  std::string whole;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const std::string cell = fit(cells[i], widths[i], look.unicode);
    whole += columns_[i].right ? pad_left(cell, widths[i]) : pad_right(cell, widths[i]);
    whole += i + 1 < cells.size() ? std::string(gap, ' ') : std::string{};
  }
  while (whole.ends_with(' ')) {
    whole.pop_back();
  }
  return whole + '\n';
}

}  // namespace troupe

#include "config/problem.hpp"

#include <algorithm>
#include <cstddef>
#include <map>
#include <tuple>
#include <utility>

namespace troupe {
namespace {

char lower(char letter) { return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter; }

std::string lower(std::string_view text) {
  std::string out{text};
  std::transform(out.begin(), out.end(), out.begin(), [](char letter) { return lower(letter); });
  return out;
}

// Optimal string alignment: insert, delete, replace, and swap of neighbours cost one each. Three rows suffice.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before_last(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) {
    row[j] = j;
  }
  for (std::size_t i = 1; i <= a.size(); ++i) {
    before_last.swap(last);
    last.swap(row);
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, replaced});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before_last[j - 2] + 1);
      }
    }
  }
  return row[b.size()];
}

std::string place_text(const source_position& at) {
  std::string text = at.file;
  if (at.line > 0) {
    text += ':' + std::to_string(at.line);
    if (at.column > 0) {
      text += ':' + std::to_string(at.column);
    }
  }
  return text;
}

constexpr std::size_t longest_name = 256;  // Beyond it nothing is near, and the comparison would cost its square.
constexpr std::size_t listed_max = 12;

}  // namespace

std::string to_text(const problem& found) {
  std::string text = place_text(found.at);
  text += text.empty() ? "" : ": ";
  text += found.weight == problem::severity::error ? "error: " : "warning: ";
  text += found.message;
  if (!found.hint.empty()) {
    text += "\n  " + found.hint;
  }
  return text;
}

bool has_errors(std::span<const problem> found) noexcept {
  return std::any_of(
      found.begin(), found.end(), [](const problem& each) { return each.weight == problem::severity::error; });
}

void sort_by_place(std::vector<problem>& found) {
  std::map<std::string, std::size_t> order;
  for (const auto& each : found) {
    order.try_emplace(each.at.file, order.size());
  }
  std::stable_sort(found.begin(), found.end(), [&](const problem& a, const problem& b) {
    return std::tuple{order[a.at.file], a.at.line, a.at.column} < std::tuple{order[b.at.file], b.at.line, b.at.column};
  });
}

std::optional<error> first_error(std::span<const problem> found) {
  std::optional<error> first;
  std::size_t more = 0;
  for (const auto& each : found) {
    if (each.weight != problem::severity::error) {
      continue;
    }
    if (first) {
      ++more;
      continue;
    }
    const std::string place = place_text(each.at);
    first = error{each.code, place + (place.empty() ? "" : ": ") + each.message, each.hint};
  }
  if (more > 0) {
    first->message += " (and " + std::to_string(more) + (more == 1 ? " more error)" : " more errors)");
  }
  return first;
}

std::optional<std::string> nearest_name(std::string_view name, std::span<const std::string> candidates) {
  if (name.empty() || name.size() > longest_name) {
    return std::nullopt;
  }
  const std::string wanted = lower(name);
  const std::string* best = nullptr;
  std::size_t best_distance = 0;
  for (const auto& candidate : candidates) {
    if (candidate.size() > longest_name) {
      continue;
    }
    const std::size_t distance = edit_distance(wanted, lower(candidate));
    const std::size_t allowed = std::max<std::size_t>(1, std::max(name.size(), candidate.size()) / 3);
    if (distance <= allowed && distance < candidate.size() && (best == nullptr || distance < best_distance)) {
      best = &candidate;
      best_distance = distance;
    }
  }
  return best == nullptr ? std::nullopt : std::optional{*best};
}

std::string suggestion(std::string_view name, std::span<const std::string> candidates) {
  if (const auto near = nearest_name(name, candidates)) {
    return "did you mean '" + *near + "'?";
  }
  if (candidates.empty()) {
    return {};
  }
  std::string text = "known: ";
  for (std::size_t i = 0; i < std::min(candidates.size(), listed_max); ++i) {
    text += (i == 0 ? "" : ", ") + candidates[i];
  }
  if (candidates.size() > listed_max) {
    text += ", and " + std::to_string(candidates.size() - listed_max) + " more";
  }
  return text;
}

}  // namespace troupe

#include "storage/standing.hpp"

#include "messages/base/json_slices.hpp"
#include "storage/json_object.hpp"

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <system_error>

namespace troupe {
namespace {

std::string list_of(std::initializer_list<std::string> texts) { return json_array(texts, json_string); }

// A list of lists of `width` strings each.
std::optional<std::vector<std::vector<std::string>>> rows_of(std::string_view text, std::size_t width) {
  const auto slices = split_array(text);
  if (!slices) {
    return std::nullopt;
  }
  std::vector<std::vector<std::string>> rows;
  rows.reserve(slices->size());
  for (const auto slice : *slices) {
    const auto cells = split_array(slice);
    if (!cells || cells->size() != width) {
      return std::nullopt;
    }
    auto& row = rows.emplace_back();
    for (const auto cell : *cells) {
      auto decoded = decode_string(cell);
      if (!decoded) {
        return std::nullopt;
      }
      row.push_back(*std::move(decoded));
    }
  }
  return rows;
}

}  // namespace

std::string standing_text(const superstep_standing& standing) {
  const auto arrivals = json_array(standing.arrivals, [](const join_arrival& each) {
    return list_of({each.join.str(), each.from.str(), each.path.str()});
  });
  const auto steps = json_array(standing.steps, [](const planned_step& each) {
    return list_of({each.step.str(), each.path.str()});
  });
  json_object text;
  text.add_raw("arrivals", arrivals).add_raw("steps", steps);
  if (standing.idle > 0) {
    text.add("idle", standing.idle);
  }
  return text.str();
}

std::optional<superstep_standing> standing_from(std::string_view text) {
  const auto members = split_object(text);
  if (!members || members->size() < 2 || members->size() > 3 || members->front().first != "arrivals" ||
      members->back().first != "steps") {
    return std::nullopt;
  }
  const auto arrivals = rows_of(members->front().second, 3);
  const auto steps = rows_of(members->back().second, 2);
  if (!arrivals || !steps) {
    return std::nullopt;
  }
  superstep_standing standing;
  if (members->size() == 3) {
    const auto& [name, digits] = (*members)[1];
    const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), standing.idle);
    if (name != "idle" || failed != std::errc{} || end != digits.data() + digits.size() || standing.idle <= 0) {
      return std::nullopt;
    }
  }
  for (const auto& row : *arrivals) {
    auto path = graph_path::from(row[2]);
    if (!path) {
      return std::nullopt;
    }
    standing.arrivals.push_back({step_id{row[0]}, step_id{row[1]}, *std::move(path)});
  }
  for (const auto& row : *steps) {
    auto path = graph_path::from(row[1]);
    if (!path) {
      return std::nullopt;
    }
    standing.steps.push_back({step_id{row[0]}, *std::move(path)});
  }
  return standing;
}

superstep_standing standing_of(const std::vector<task_view>& tasks) {
  superstep_standing standing;
  for (const auto& task : tasks) {
    if (standing.steps.empty() || standing.steps.back().step != task.step) {
      const auto place = static_cast<std::uint32_t>(standing.steps.size());
      standing.steps.push_back({task.step, graph_path{}.then(place)});
    }
  }
  return standing;
}

}  // namespace troupe

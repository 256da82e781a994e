#include "runtime/cassettes/nearest_request.hpp"

#include "actors/agent/outcome.hpp"

#include <optional>
#include <string_view>
#include <tuple>

namespace troupe {
namespace {

constexpr std::size_t shown_bytes_max = 120;

// None past the end.
std::optional<std::string_view> next_line(std::string_view text, std::size_t& from) {
  if (from == std::string_view::npos) {
    return std::nullopt;
  }
  const auto end = text.find('\n', from);
  const auto line = text.substr(from, end == std::string_view::npos ? end : end - from);
  from = end == std::string_view::npos ? end : end + 1;
  return line;
}

struct line_pair {
  std::size_t number = 1;  ///< From 1.
  std::optional<std::string_view> one;
  std::optional<std::string_view> other;
};

// The last pair where all lines are equal.
line_pair first_difference(std::string_view one, std::string_view other) {
  line_pair at;
  std::size_t from_one = 0;
  std::size_t from_other = 0;
  while (true) {
    at.one = next_line(one, from_one);
    at.other = next_line(other, from_other);
    if (at.one != at.other || !at.one) {
      return at;
    }
    ++at.number;
  }
}

std::string shown(const std::optional<std::string_view>& line) {
  return line ? "'" + for_display(*line, shown_bytes_max) + "'" : "nothing";
}

std::string shown(const std::optional<json_text>& item) {
  return item ? shown(std::optional<std::string_view>{item->str()}) : "none";
}

auto likeness(const recorded_request& one, const recorded_request& other) {
  return std::tuple{one.agent == other.agent,
                    one.model == other.model,
                    one.item == other.item,
                    one.place.step == other.place.step,
                    first_difference(one.prompt, other.prompt).number};
}

std::string both(const std::string& what, const std::string& recorded, const std::string& asked) {
  return what + " differs: recorded " + recorded + ", asked " + asked;
}

}  // namespace

const recorded_request* nearest_request(const std::vector<const recorded_request*>& all,
                                        const recorded_request& asked) {
  const recorded_request* nearest = nullptr;
  for (const auto* each : all) {
    if (nearest == nullptr || likeness(*each, asked) > likeness(*nearest, asked)) {
      nearest = each;
    }
  }
  return nearest;
}

std::string difference(const recorded_request& recorded, const recorded_request& asked) {
  if (recorded.agent != asked.agent) {
    return both("the agent", "'" + recorded.agent.str() + "'", "'" + asked.agent.str() + "'");
  }
  if (recorded.model != asked.model) {
    return both("the model", "'" + recorded.model + "'", "'" + asked.model + "'");
  }
  if (recorded.item != asked.item) {
    return both("the element", shown(recorded.item), shown(asked.item));
  }
  if (recorded.prompt != asked.prompt) {
    const auto at = first_difference(recorded.prompt, asked.prompt);
    return both("line " + std::to_string(at.number) + " of the prompt", shown(at.one), shown(at.other));
  }
  return asked.kind == agent_kind::http ? "its endpoint differs" : "its command line differs";
}

}  // namespace troupe

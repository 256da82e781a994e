// Strong ids: never a bare string or int in a signature.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <ostream>
#include <string>
#include <utility>

namespace troupe {

template <class Tag>
class text_id {
 public:
  text_id() = default;
  explicit text_id(std::string text) : text_(std::move(text)) {}

  const std::string& str() const noexcept { return text_; }
  bool empty() const noexcept { return text_.empty(); }

  friend auto operator<=>(const text_id&, const text_id&) = default;
  friend bool operator==(const text_id&, const text_id&) = default;
  friend std::ostream& operator<<(std::ostream& out, const text_id& id) { return out << id.text_; }

 private:
  std::string text_;
};

template <class Tag>
class number_id {
 public:
  constexpr number_id() = default;
  constexpr explicit number_id(std::int64_t number) : number_(number) {}

  constexpr std::int64_t value() const noexcept { return number_; }

  friend constexpr auto operator<=>(const number_id&, const number_id&) = default;
  friend constexpr bool operator==(const number_id&, const number_id&) = default;
  friend std::ostream& operator<<(std::ostream& out, const number_id& id) { return out << id.number_; }

 private:
  std::int64_t number_ = 0;
};

using run_id = text_id<struct run_id_tag>;          ///< `r-` and 20 characters, or what the caller chose.
using step_id = text_id<struct step_id_tag>;        ///< `[a-z0-9][a-z0-9_-]*`, unique in a workflow.
using agent_name = text_id<struct agent_name_tag>;  ///< A key of `[agents]`; for a function step, the function's name.
using provider_name =
    text_id<struct provider_name_tag>;              ///< A key of `[providers]`: who limits several agents at once.
using field_name = text_id<struct field_name_tag>;  ///< A top-level key of a run's state.
using task_id = text_id<struct task_id_tag>;  ///< `RUN/SUPERSTEP/STEP/AGENT`, and `/ITEM` of a map: see make_task_id.

using superstep_no = number_id<struct superstep_no_tag>;  ///< From 1 in each run.
using attempt_no = number_id<struct attempt_no_tag>;      ///< From 1 in each task.
using event_seq = number_id<struct event_seq_tag>;        ///< From 1 in each run, without gaps.
using lease_epoch = number_id<struct lease_epoch_tag>;    ///< Grows with each owner of the database.

/// The same task has the same id in every recovery: it is made of where the task stands, not of when it was made.
inline task_id make_task_id(const run_id& run,
                            superstep_no superstep,
                            const step_id& step,
                            const agent_name& agent,
                            std::optional<std::int64_t> item = std::nullopt) {
  return task_id{run.str() + '/' + std::to_string(superstep.value()) + '/' + step.str() + '/' + agent.str() +
                 (item ? '/' + std::to_string(*item) : "")};
}

}  // namespace troupe

template <class Tag>
struct std::hash<troupe::text_id<Tag>> {
  std::size_t operator()(const troupe::text_id<Tag>& id) const noexcept { return std::hash<std::string>{}(id.str()); }
};

template <class Tag>
struct std::hash<troupe::number_id<Tag>> {
  std::size_t operator()(const troupe::number_id<Tag>& id) const noexcept {
    return std::hash<std::int64_t>{}(id.value());
  }
};

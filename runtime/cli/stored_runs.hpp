// Runs as the database has them: found by what a person types, and read with all that a report tells.
#pragma once

#include "config/settings.hpp"
#include "messages/base/result.hpp"
#include "messages/consensus.hpp"
#include "messages/views.hpp"
#include "storage/read_session.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

storage_options storage_of(const settings& values);

/// STORAGE_*; NOT_FOUND where there is no database yet.
result<std::unique_ptr<read_session>> open_stored(const settings& values);

/// A run's id, the beginning of exactly one, or `last`: the newest that is nobody's child. NOT_FOUND, or INVALID_INPUT
/// where several begin so.
result<run_id> find_run_id(read_session& stored, std::string_view text);

/// Why `id` cannot be the id of a new run; none where it can. Ids stand in URLs, file names and command lines, and `last`
/// is what a person calls the newest. INVALID_INPUT.
std::optional<error> check_new_id(const std::string& id);

/// What the agents of one step came to in one superstep.
struct judged_step {
  superstep_no superstep;
  step_id step;
  bool one_by_one = false;  ///< vote_each: the elements of the answers, not the answers.
  bool race = false;        ///< The first of those who answered has won.
  bool elements = false;    ///< A map: `agent[2]` is who was asked about element 2.
  verdict reached;
};

struct stored_run {
  run_view run;
  std::vector<task_view> tasks;        ///< By superstep, then graph order.
  std::vector<verdict_view> verdicts;  ///< In order of commit.
  std::vector<judged_step> judged;     ///< The same, with the answers.
  std::vector<gate_view> gates{};      ///< In the order in which they were opened.
  std::vector<run_view> children{};    ///< In the order in which they began.
  std::vector<gate_view> below{};      ///< What the runs below it wait for, at any depth; none of a run that has ended.
  run_id root;                         ///< Whose child it is in the end; itself where nobody's.
};

/// The run is paused, and the last it told is that it waits for somebody to decide.
bool waits_for_people(read_session& stored, const run_id& run);

/// The runs that the steps of `run` carry out, in the order in which they began.
result<std::vector<run_view>> list_children(read_session& stored, const run_view& run);

/// What is open in the runs below `run`, at any depth, the oldest first.
result<std::vector<gate_view>> list_gates_below(read_session& stored, const run_view& run);

/// Whose child `run` is in the end, and whom to go on with; itself where it is nobody's, or as far as the rows lead.
run_id root_of(read_session& stored, const run_view& run);

/// Tasks of an abandoned run that its rows call running are `interrupted`, as resume will find them. The verdicts are
/// reached again from the committed answers, in the order that the committed ones tell: the same answers in the same
/// order give the same verdict (decision 15).
result<stored_run> load_run(read_session& stored, const run_id& run);

}  // namespace troupe

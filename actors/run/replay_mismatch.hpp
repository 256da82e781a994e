// Where a run, carried out again from its journal, differs from it.
#pragma once

#include "messages/base/error.hpp"
#include "messages/run.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace troupe {

/// What differs. Named by to_string in JSON: never rename.
enum class replay_subject {
  missing,  ///< A row that ought to be there.
  damaged,  ///< A row that cannot be read, or holds what nobody wrote.
  front,    ///< The steps and tasks that a superstep begins with.
  gates,    ///< The questions that it opens.
  request,  ///< What an attempt was asked.
  output,   ///< What an attempt printed, read again.
  outcome,  ///< How a task ended.
  deltas,   ///< What the superstep changes.
  state,    ///< What it leaves.
  key,      ///< Its idempotency key.
  end,      ///< What the run came to.
};

std::string_view to_string(replay_subject what) noexcept;

struct replay_mismatch {
  superstep_no superstep;
  std::optional<step_id> step{};
  std::optional<task_id> task{};
  std::optional<attempt_no> attempt{};
  replay_subject what = replay_subject::missing;
  std::string expected{};  ///< `sha256:` of what is recorded; empty where nothing is.
  std::string actual{};    ///< `sha256:` of what the replay has; empty where it has nothing.
  std::string message{};   ///< In a sentence, both values cut to a line.
};

/// REPLAY_MISMATCH, which names all of it.
error error_of(const replay_mismatch& found);

/// `sha256:` and the hex digest.
std::string text_hash(std::string_view text);

/// `text` on one line, cut in the middle of nothing: at most `bytes_max`, then `...`.
std::string cut(std::string_view text, std::size_t bytes_max = 120);

}  // namespace troupe

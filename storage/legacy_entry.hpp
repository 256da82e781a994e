// What a row of the older system says, as far as it can be used: whose it is, when, and what it would give.
#pragma once

#include "messages/base/time.hpp"
#include "storage/legacy_row.hpp"

#include <optional>
#include <string>
#include <variant>

namespace troupe {

/// Why a row is not taken over. In the report by name: never rename.
enum class legacy_skip {
  duplicate_id,  ///< An earlier row of its table has its id.
  no_spec_id,    ///< Missing, or nothing but white space; as the next two.
  no_stage,
  no_agent,
  no_time,     ///< No column says when, in a form that is known (legacy_time.hpp).
  no_content,  ///< An agent's row without any output, and no consensus that it could stand beside.
};

std::string_view to_string(legacy_skip why) noexcept;

/// A row without its text: that is read again when it is needed, since all texts together may not fit in memory.
struct legacy_entry {
  legacy_table table = legacy_table::artefacts;
  std::int64_t rowid = 0;
  std::string key;
  legacy_digest digest{};
  std::string spec_id;
  std::string stage;
  std::string agent;                      ///< Empty for a synthesis.
  std::string run;                        ///< run_id; may be empty.
  timestamp at;                           ///< created_at; of an execution completed_at, or else spawned_at.
  std::optional<legacy_digest> content;   ///< Of what it would give as an agent's output.
  std::optional<legacy_digest> response;  ///< Of response_text.
};

/// Pure. An execution without an output is an entry: only its company tells whether it can be kept.
std::variant<legacy_entry, legacy_skip> read_legacy_entry(const legacy_row& row);

/// The column that gives an agent's output: content_json of an artefact, or else response_text. Nothing: neither says
/// anything.
std::optional<std::string_view> content_column(const legacy_row& row);

/// What a synthesis says of its consensus. Ok is what calls itself `ok` or `degraded`, and nothing else; any other word
/// stays where it is, in synthesis_json.
struct legacy_verdict {
  enum class outcome { reached, not_reached };
  enum class attendance { complete, degraded };

  outcome reached = outcome::not_reached;
  attendance answered = attendance::complete;

  friend bool operator==(const legacy_verdict&, const legacy_verdict&) = default;
};

legacy_verdict verdict_of(const legacy_row& synthesis);

}  // namespace troupe

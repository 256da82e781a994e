// Workflows of every kind, small and deterministic, as TOML without a name and without limits on concurrency.
#pragma once

#include "messages/function.hpp"
#include "messages/gate.hpp"

#include <optional>
#include <string>
#include <vector>

namespace troupe {

/// What a person says to the gate `g`, as soon as it asks at this level.
struct corpus_vote {
  int level = 1;
  std::string by;
  gate_choice choice = gate_choice::approved;
  std::optional<json_text> edit{};
};

struct corpus_entry {
  std::string name;
  std::string toml;
  std::string code{};  ///< Of the error that it ends with; empty: it completes.
  std::vector<corpus_vote> votes{};
};

std::vector<corpus_entry> corpus();

/// Its part with agents, with people, and with workflows in workflows.
std::vector<corpus_entry> corpus_of_others();

/// The agents that those call, as TOML: each prints the same whenever it is asked; `broken` fails.
std::string corpus_agents();

/// What the workflows call beside probes: `mix` gives a number that depends on the whole state, on the attempt's seed and
/// on its element; `choose` goes to args.to; `boom` fails. Each takes a random time.
function_table corpus_functions();

}  // namespace troupe

// Workflows of every kind, small and deterministic, as TOML without a name and without limits on concurrency.
#pragma once

#include "messages/function.hpp"

#include <string>
#include <vector>

namespace troupe {

struct corpus_entry {
  std::string name;
  std::string toml;
  std::string code{};  ///< Of the error that it ends with; empty: it completes.
};

std::vector<corpus_entry> corpus();

/// What the workflows call beside probes: `mix` gives a number that depends on the whole state, on the attempt's seed and
/// on its element; `choose` goes to args.to; `boom` fails. Each takes a random time.
function_table corpus_functions();

}  // namespace troupe

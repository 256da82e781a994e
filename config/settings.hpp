// Every setting of troupe.toml but the workflows. Immutable once loaded: who needs settings holds a settings_ptr.
// Unit, range and meaning of each key: config/settings_keys.cpp, from which docs/configuration.md is made.
#pragma once

#include "messages/agent.hpp"
#include "messages/base/time.hpp"
#include "messages/cost.hpp"
#include "messages/provider.hpp"
#include "messages/retry_policy.hpp"

#include <cstddef>
#include <map>
#include <memory>
#include <string>

namespace troupe {

enum class storage_durability { full, normal };  ///< PRAGMA synchronous.
enum class cgroup_use { automatic, off };        ///< Stored by no row; `auto` and `off` in files.
enum class log_level { trace, debug, info, warn, error, off };
enum class log_format { human, json };

struct storage_settings {
  std::string path;  ///< Of the database; absolute once loaded.
  storage_durability durability = storage_durability::full;
  int readers_max = 10;                                ///< Read-only connections that may be open at once.
  std::size_t inline_limit = std::size_t{256} << 10U;  ///< Bytes of an output stream that its row holds at most.
};

struct writer_settings {
  int max_batch = 512;      ///< Commands in one transaction.
  int queue_depth = 4'096;  ///< Commands that may wait.
};

struct vacuum_settings {
  bool enabled = true;
  time_of_day at{std::chrono::minutes{3 * 60 + 30}};  ///< UTC.
  milliseconds check_every{60'000};
  milliseconds slice{10};
  int free_percent = 5;
  std::size_t free_bytes = std::size_t{1} << 20U;
};

struct runtime_settings {
  int workers = 0;           ///< Scheduler threads; 0: one for each processor, at least four.
  int max_throughput = 300;  ///< Messages that an actor handles before another one has its turn.
  milliseconds drain_timeout{5'000};
  milliseconds kill_grace{5'000};
  milliseconds drain_grace{2'000};
  int restart_intensity = 3;  ///< Restarts within restart_window that a supervisor makes before it gives up.
  milliseconds restart_window{5'000};
  milliseconds health_every{10'000};  ///< 0: nobody asks.
  int attempts_max = 1'024;           ///< Of all runs, at one time.
  cgroup_use cgroup = cgroup_use::automatic;
  std::string custodian;  ///< Absolute path; empty: beside the running program, else where it is installed.
};

struct log_settings {
  log_level level = log_level::info;
  log_format format = log_format::human;
  std::string file;  ///< Absolute path; empty: stderr.
};

struct retry_settings {
  retry_policy agent;
  retry_policy storage{5, milliseconds{100}, milliseconds{10'000}, 2.0, 0.5, std::nullopt};
};

/// What may be used up in all; 0: no limit. Of one run: its workflow's limits.
struct budget_settings {
  money subject_usd;
  std::int64_t subject_tokens = 0;
  milliseconds subject_time{0};
  money day_usd;
  std::int64_t day_tokens = 0;
  milliseconds day_time{0};
};

struct settings {
  storage_settings storage;
  writer_settings writer;
  vacuum_settings vacuum;
  runtime_settings runtime;
  log_settings log;
  retry_settings retry;
  budget_settings budget;
  price_table prices;
  std::map<provider_name, provider_spec> providers;
  std::map<agent_name, agent_spec> agents;
};

using settings_ptr = std::shared_ptr<const settings>;

/// The version of the file format; `config_version` in the file.
inline constexpr int config_version = 1;

}  // namespace troupe

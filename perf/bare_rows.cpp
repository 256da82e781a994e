#include "perf/bare_rows.hpp"

#include "storage/content_hash.hpp"
#include "storage/event_data.hpp"
#include "tests/storage/facts.hpp"

#include <SQLiteCpp/Database.h>
#include <sqlite3.h>

#include <algorithm>
#include <atomic>
#include <stdexcept>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <utility>

namespace troupe::perf {
namespace {

std::atomic<std::int64_t> commits{0};

int count_commits(sqlite3* connection, char** /*why*/, const struct sqlite3_api_routines* /*routines*/) {
  sqlite3_commit_hook(
      connection,
      [](void*) {
        ++commits;
        return 0;
      },
      nullptr);
  return SQLITE_OK;
}

struct bytes {
  std::string_view of;
};

}  // namespace

std::int64_t commits_so_far() {
  static const int registered = sqlite3_auto_extension(reinterpret_cast<void (*)()>(count_commits));
  return registered == SQLITE_OK ? commits.load() : -1;
}

std::vector<producer> producers_of_round(int round, int producers, int tasks, std::size_t output_bytes) {
  std::vector<producer> made;
  for (int p = 0; p < producers; ++p) {
    story told{"r-" + std::to_string(round) + '-' + std::to_string(p)};
    std::vector<std::pair<std::string, std::string>> front;
    front.reserve(static_cast<std::size_t>(tasks));
    for (int t = 0; t < tasks; ++t) {
      front.emplace_back("review", "agent-" + std::to_string(t));
    }
    producer one{told.created(front), {}};
    for (const auto& [step, agent] : front) {
      const auto task = told.task(step, agent);
      one.facts.push_back(std::make_shared<const write_command>(told.started(task)));
      one.facts.push_back(std::make_shared<const write_command>(told.printed(task, std::string(output_bytes, 'x'))));
      one.facts.push_back(std::make_shared<const write_command>(told.finished(task, R"({"decision":"yes"})")));
    }
    made.push_back(std::move(one));
  }
  return made;
}

std::vector<known_fact> known_facts(const producer& one) {
  std::vector<known_fact> known;
  known_fact now;
  now.last_seq = 1 + static_cast<std::int64_t>(one.created.front.size());  // run.started, and task.queued of each
  std::pair<std::int64_t, std::int64_t> printed;
  for (const auto& what : one.facts) {
    now.what = what;
    now.hash = content_hash(*what);
    now.data.clear();
    if (const auto* started = std::get_if<start_attempt>(what.get())) {
      ++now.last_seq;
      ++now.steps;
      now.data = task_started_data(*started);
    } else if (const auto* output = std::get_if<record_output>(what.get())) {
      printed = {output->standard_output_bytes, output->standard_error_bytes};
    } else if (const auto* finished = std::get_if<finish_attempt>(what.get())) {
      ++now.last_seq;
      now.input_tokens += finished->outcome.usage->input_tokens;
      now.output_tokens += finished->outcome.usage->output_tokens;
      now.data = task_completed_data(finished->outcome, printed);
    }
    known.push_back(now);
  }
  return known;
}

struct bare_rows::state {
  explicit state(database opened) : file(std::move(opened)) {}
  state(const state&) = delete;
  state& operator=(const state&) = delete;
  ~state() {
    for (const auto& [sql, statement] : kept) {
      sqlite3_finalize(statement);
    }
  }

  sqlite3* handle() { return file.connection().getHandle(); }

  void must(bool is_good) {
    if (!is_good) {
      throw std::runtime_error{sqlite3_errmsg(handle())};
    }
  }

  /// `sql` is a constant: statements are found by its address.
  template <class... Values>
  void run(const char* sql, const Values&... values) {
    auto& statement = kept[sql];
    if (statement == nullptr) {
      must(sqlite3_prepare_v3(handle(), sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr) == SQLITE_OK);
    }
    [[maybe_unused]] int at = 0;
    (bind(statement, ++at, values), ...);
    must(sqlite3_step(statement) == SQLITE_DONE);
    sqlite3_reset(statement);
  }

  static void bind(sqlite3_stmt* to, int at, std::int64_t number) { sqlite3_bind_int64(to, at, number); }
  static void bind(sqlite3_stmt* to, int at, std::string_view text) {
    sqlite3_bind_text(to, at, text.data(), static_cast<int>(text.size()), SQLITE_STATIC);
  }
  static void bind(sqlite3_stmt* to, int at, bytes blob) {
    sqlite3_bind_blob(to, at, blob.of.data(), static_cast<int>(blob.of.size()), SQLITE_STATIC);
  }
  static void bind(sqlite3_stmt* to, int at, timestamp time) { bind(to, at, time.time_since_epoch().count()); }
  template <class Tag>
  static void bind(sqlite3_stmt* to, int at, const text_id<Tag>& id) {
    bind(to, at, std::string_view{id.str()});
  }
  template <class Tag>
  static void bind(sqlite3_stmt* to, int at, const number_id<Tag>& id) {
    bind(to, at, std::int64_t{id.value()});
  }

  template <class Fact>
  void key(const Fact& told, const known_fact& known, std::string_view kind) {
    run("INSERT INTO write_keys (run_id, task_id, attempt, kind, content_hash, last_seq) VALUES (?, ?, ?, ?, ?, ?)",
        told.run,
        told.task,
        told.attempt,
        kind,
        bytes{{reinterpret_cast<const char*>(known.hash.data()), known.hash.size()}},
        known.last_seq);
  }

  template <class Fact>
  void event(const Fact& told, const known_fact& known, std::string_view kind) {
    const std::string_view task = told.task.str();  // RUN/1/review/AGENT
    run("INSERT INTO events (run_id, seq, time, kind, step_id, superstep, task_id, attempt, agent_name, data)"
        " VALUES (?, ?, ?, ?, 'review', 1, ?, ?, ?, ?)",
        told.run,
        known.last_seq,
        told.at,
        kind,
        task,
        told.attempt,
        task.substr(task.rfind('/') + 1),
        std::string_view{known.data});
  }

  void write(const start_attempt& told, const known_fact& known) {
    key(told, known, "start_attempt");
    run("INSERT INTO attempts (task_id, attempt, epoch, state, pid, pid_start_time, started_at)"
        " VALUES (?, ?, 1, 'running', ?, ?, ?)",
        told.task,
        told.attempt,
        told.pid,
        told.pid_start_time,
        told.at);
    run("UPDATE tasks SET state = 'running', attempt = ?2 WHERE task_id = ?1", told.task, told.attempt);
    event(told, known, "task.started");
    run("UPDATE runs SET last_seq = ?2, steps = ?3 WHERE run_id = ?1", told.run, known.last_seq, known.steps);
  }

  void write(const record_output& told, const known_fact& known) {
    key(told, known, "record_output");
    run("INSERT INTO attempt_output (task_id, attempt, stdout, stdout_kept, stdout_printed, stderr, stderr_kept,"
        " stderr_printed, recorded_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        told.task,
        told.attempt,
        bytes{*told.standard_output},
        told.standard_output_bytes,
        told.standard_output_bytes,
        bytes{*told.standard_error},
        told.standard_error_bytes,
        told.standard_error_bytes,
        told.at);
    run("UPDATE attempts SET state = 'validating', output_at = ?3, exit_code = 0, cpu_us = ?4, resident_bytes_max = ?5,"
        " tree_gone = 1 WHERE task_id = ?1 AND attempt = ?2",
        told.task,
        told.attempt,
        told.at,
        std::int64_t{told.exit.cpu_time.count()},
        told.exit.resident_bytes_max);
    run("UPDATE tasks SET state = 'validating' WHERE task_id = ?", told.task);
  }

  void write(const finish_attempt& told, const known_fact& known) {
    key(told, known, "finish_attempt");
    const auto& usage = *told.outcome.usage;
    run("UPDATE attempts SET state = 'completed', finished_at = ?3, model = ?4, input_tokens = ?5, output_tokens = ?6"
        " WHERE task_id = ?1 AND attempt = ?2",
        told.task,
        told.attempt,
        told.at,
        std::string_view{usage.model},
        usage.input_tokens,
        usage.output_tokens);
    run("UPDATE tasks SET state = 'completed', finished_at = ?2, value = ?3, found_by = ?4 WHERE task_id = ?1",
        told.task,
        told.at,
        std::string_view{told.outcome.value->str()},
        std::string_view{told.outcome.found_by});
    event(told, known, "task.completed");
    run("UPDATE runs SET last_seq = ?2, input_tokens = ?3, output_tokens = ?4 WHERE run_id = ?1",
        told.run,
        known.last_seq,
        known.input_tokens,
        known.output_tokens);
  }

  template <class Other>
  void write(const Other& /*told*/, const known_fact& /*known*/) {
    throw std::logic_error{"the rows of this fact are not known"};
  }

  /// Sleeps as long as SQLite's own handler would (sqliteDefaultBusyCallback in its main.c).
  static int wait_for_lock(void* self, int tries) {
    static constexpr std::array<int, 12> delays_ms{1, 2, 5, 10, 15, 20, 25, 25, 25, 50, 50, 100};
    if (std::chrono::steady_clock::now() >= static_cast<state*>(self)->closes) {
      return 0;
    }
    const auto at = std::min(static_cast<std::size_t>(tries), delays_ms.size() - 1);
    std::this_thread::sleep_for(std::chrono::milliseconds{delays_ms.at(at)});
    return 1;
  }

  bool begin_before(std::chrono::steady_clock::time_point wanted) {
    closes = wanted;
    sqlite3_busy_handler(handle(), wait_for_lock, this);
    const int code = sqlite3_exec(handle(), "BEGIN IMMEDIATE", nullptr, nullptr, nullptr);
    must(code == SQLITE_OK || code == SQLITE_BUSY);
    return code == SQLITE_OK;
  }

  database file;
  std::chrono::steady_clock::time_point closes;
  std::unordered_map<const char*, sqlite3_stmt*> kept;
};

bare_rows::bare_rows(const storage_options& options) {
  auto opened = database::open(options);
  if (!opened) {
    throw std::runtime_error{opened.error().message};
  }
  state_ = std::make_unique<state>(*std::move(opened));
}

bare_rows::bare_rows(bare_rows&&) noexcept = default;
bare_rows::~bare_rows() = default;

void bare_rows::begin() { state_->run("BEGIN IMMEDIATE"); }

bool bare_rows::begin_before(std::chrono::steady_clock::time_point closes) { return state_->begin_before(closes); }

void bare_rows::write(const known_fact& fact) {
  std::visit([&](const auto& told) { state_->write(told, fact); }, *fact.what);
}

void bare_rows::commit() { state_->run("COMMIT"); }

}  // namespace troupe::perf

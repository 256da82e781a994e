// A database as the older system left it, made row by row, with what can be wrong in one.
#pragma once

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>

#include <cstdint>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

namespace troupe {

class older_database {
 public:
  /// With the three tables, as the older system made them.
  explicit older_database(const std::filesystem::path& path)
      : file_(path.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE) {
    run("CREATE TABLE IF NOT EXISTS consensus_artifacts (id INTEGER PRIMARY KEY AUTOINCREMENT, spec_id TEXT, stage "
        "TEXT,"
        " agent_name TEXT, content_json TEXT, response_text TEXT, run_id TEXT, created_at)");
    run("CREATE TABLE IF NOT EXISTS consensus_synthesis (id INTEGER PRIMARY KEY AUTOINCREMENT, spec_id TEXT, stage "
        "TEXT,"
        " output_markdown TEXT, output_path TEXT, status TEXT, artifacts_count INTEGER, agreements TEXT, conflicts "
        "TEXT,"
        " degraded INTEGER, run_id TEXT, created_at)");
    run("CREATE TABLE IF NOT EXISTS agent_executions (agent_id TEXT PRIMARY KEY, spec_id TEXT, stage TEXT, phase_type"
        " TEXT, agent_name TEXT, run_id TEXT, branch_id TEXT, spawned_at, completed_at, response_text TEXT,"
        " extraction_error TEXT)");
  }

  void run(const std::string& sql) { file_.exec(sql); }

  /// `values` are SQL: 'text', 1, NULL, x'00'.
  void artefact(const std::string& values) {
    run("INSERT INTO consensus_artifacts (spec_id, stage, agent_name, content_json, response_text, run_id, created_at)"
        " VALUES (" +
        values + ")");
  }
  void synthesis(const std::string& values) {
    run("INSERT INTO consensus_synthesis (spec_id, stage, output_markdown, output_path, status, artifacts_count,"
        " agreements, conflicts, degraded, run_id, created_at) VALUES (" +
        values + ")");
  }
  void execution(const std::string& values) {
    run("INSERT INTO agent_executions (agent_id, spec_id, stage, phase_type, agent_name, run_id, branch_id, spawned_at,"
        " completed_at, response_text, extraction_error) VALUES (" +
        values + ")");
  }

  /// Rounds of three agents until there are `artefacts`, from the number `first` on: with and without run_id, times in
  /// each form, some without a synthesis, some executions that gave nothing.
  void fill(std::uint32_t seed, std::int64_t artefacts, std::int64_t first = 0) {
    std::mt19937 random{seed};
    const auto chance = [&](unsigned of) { return random() % of == 0; };
    SQLite::Statement artefact{file_,
                               "INSERT INTO consensus_artifacts (spec_id, stage, agent_name, content_json,"
                               " response_text, run_id, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)"};
    SQLite::Statement execution{file_,
                                "INSERT INTO agent_executions (agent_id, spec_id, stage, agent_name, run_id,"
                                " spawned_at, response_text, extraction_error) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"};
    run("BEGIN");
    const std::vector<std::string> agents{"gemini", "claude", "gpt"};
    const std::vector<std::string> stages{"plan", "tasks", "implement"};
    for (std::int64_t n = first; n < first + artefacts; n += 3) {
      const std::string spec = "SPEC-" + std::to_string(n % 17);
      const std::string& stage = stages[random() % 3];
      const std::string run_name = chance(3) ? "" : "run-" + std::to_string(n);
      const std::int64_t at = 1'760'000'000 + n * 1'500;
      for (std::int64_t i = 0; i < 3 && n + i < first + artefacts; ++i) {
        const std::string text =
            "answer " + std::to_string(n + i) + " \"quoted\"\n\xE2\x82\xAC " + std::string(random() % 200, 'x');
        const auto& agent = agents[static_cast<std::size_t>(i)];
        artefact.bind(1, spec);
        artefact.bind(2, stage);
        artefact.bind(3, agent);
        artefact.bind(4, "{\"answer\":" + std::to_string(n + i) + '}');
        bind_or_null(artefact, 5, chance(2) ? text : "");
        bind_or_null(artefact, 6, run_name);
        bind_time(artefact, 7, at + i, random() % 4);
        artefact.exec();
        artefact.reset();
        if (chance(4)) {
          execution.bind(1, "agent-" + std::to_string(n + i));
          execution.bind(2, spec);
          execution.bind(3, stage);
          execution.bind(4, agent);
          bind_or_null(execution, 5, run_name);
          bind_time(execution, 6, at + i, random() % 4);
          bind_or_null(execution, 7, chance(3) ? "" : text);
          bind_or_null(execution, 8, chance(3) ? "no JSON in it" : "");
          execution.exec();
          execution.reset();
        }
      }
      if (!chance(5)) {
        synthesis("'" + spec + "', '" + stage + "', '# Plan " + std::to_string(n) + "', NULL, '" +
                  (chance(4) ? "conflict" : "ok") + "', 3, '[\"a\"]', NULL, " + (chance(3) ? "1" : "0") + ", " +
                  (run_name.empty() ? "NULL" : "'" + run_name + "'") + ", " + std::to_string(at + 60));
      }
    }
    run("COMMIT");
  }

  SQLite::Database& file() { return file_; }

 private:
  static void bind_or_null(SQLite::Statement& statement, int index, const std::string& text) {
    if (text.empty()) {
      statement.bind(index);
    } else {
      statement.bind(index, text);
    }
  }

  void bind_time(SQLite::Statement& statement, int index, std::int64_t seconds, std::uint32_t form) {
    SQLite::Statement as_text{file_, "SELECT strftime(?, ?, 'unixepoch')"};
    switch (form) {
      case 0:
        statement.bind(index, seconds);
        return;
      case 1:
        statement.bind(index, seconds * 1'000);
        return;
      default:
        as_text.bind(1, form == 2 ? "%Y-%m-%d %H:%M:%S" : "%Y-%m-%dT%H:%M:%SZ");
        as_text.bind(2, seconds);
        as_text.executeStep();
        statement.bind(index, as_text.getColumn(0).getString());
        return;
    }
  }

  SQLite::Database file_;
};

}  // namespace troupe

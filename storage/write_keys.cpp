#include "storage/write_keys.hpp"

#include "storage/content_hash.hpp"
#include "storage/stored_names.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace troupe {
namespace {

struct key {
  task_id task;              ///< Empty for commands that are not about a task.
  std::int64_t attempt = 0;  ///< Or superstep, or `from`.
};

key key_of(const create_run&) { return {}; }

key key_of(const start_attempt& told) { return {told.task, told.attempt.value()}; }

key key_of(const record_output& told) { return {told.task, told.attempt.value()}; }

key key_of(const finish_attempt& told) { return {told.task, told.attempt.value()}; }

key key_of(const commit_superstep& told) { return {{}, told.superstep.value()}; }

key key_of(const end_run& told) { return {{}, told.from.value()}; }

key key_of(const resume_run& told) { return {{}, told.from.value()}; }

std::string text_of(const gate_place& place) {
  return std::to_string(place.superstep.value()) + '/' + place.step.str() + '/' + std::to_string(place.level) +
         (place.task ? '/' + place.task->str() : "");
}

key key_of(const open_gate& told) { return {task_id{text_of(told.gate.place)}}; }

key key_of(const decide_gate& told) { return {task_id{text_of(told.place) + " by " + told.decision.by}}; }

key key_of(const expire_gate& told) { return {task_id{text_of(told.place)}}; }

key key_of(const reserve_budget& told) { return {told.task, told.attempt.value()}; }

key key_of(const write_command& command) {
  return std::visit([](const auto& told) { return key_of(told); }, command);
}

std::string_view bytes_of(const std::array<std::uint8_t, 32>& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

error violation(const write_command& command, const key& taken) {
  std::string message{kind_of(command)};
  message += " of ";
  message += taken.task.empty() ? "run " + run_of(command).str() : "task " + taken.task.str();
  message += " (" + std::to_string(taken.attempt) + ") was committed before with other content, which stays";
  return {error_code::idempotency_violation,
          std::move(message),
          std::holds_alternative<create_run>(command) ? "choose another id with --run-id, or leave it out" : ""};
}

}  // namespace

bool take_key(statement_cache& sql, const write_command& command, event_seq last) {
  const auto wanted = key_of(command);
  const auto digest = content_hash(command);
  return sql.run(
             "INSERT INTO write_keys (run_id, task_id, attempt, kind, content_hash, last_seq) VALUES (?, ?, ?, ?, ?, ?)"
             " ON CONFLICT DO NOTHING",
             run_of(command),
             wanted.task,
             wanted.attempt,
             kind_of(command),
             borrowed_blob{bytes_of(digest)},
             last) > 0;
}

result<std::optional<write_receipt>> find_key(statement_cache& sql, const write_command& command) {
  const auto wanted = key_of(command);
  auto first = sql.use(
      "SELECT content_hash, last_seq FROM write_keys WHERE run_id = ? AND task_id = ? AND attempt = ? AND kind = ?",
      run_of(command),
      wanted.task,
      wanted.attempt,
      kind_of(command));
  if (!first.step()) {
    return std::optional<write_receipt>{};
  }
  if (first.text(0) != bytes_of(content_hash(command))) {
    return violation(command, wanted);
  }
  return std::optional{write_receipt{event_seq{first.number(1)}, true}};
}

}  // namespace troupe

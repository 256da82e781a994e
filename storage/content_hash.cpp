#include "storage/content_hash.hpp"

#include "messages/base/sha256.hpp"

#include <bit>
#include <cstddef>
#include <string>
#include <string_view>

namespace troupe {
namespace {

// Every field is `tag length bytes`, so that no two lists of fields have one encoding. Large fields go in by their
// digest: that spares a copy of megabytes.
class encoder {
 public:
  void add(std::string_view text) {
    if (text.size() > large) {
      const auto digest = sha256(text);
      put('h', {reinterpret_cast<const char*>(digest.data()), digest.size()});
    } else {
      put('t', text);
    }
  }

  void add(const std::string& text) { add(std::string_view{text}); }
  void add(std::int64_t number) {
    std::array<char, 8> bytes{};
    const auto bits = static_cast<std::uint64_t>(number);
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      bytes[i] = static_cast<char>(bits >> (8 * (7 - i)));
    }
    put('n', {bytes.data(), bytes.size()});
  }
  void add(int number) { add(std::int64_t{number}); }
  void add(bool truth) { add(std::int64_t{truth ? 1 : 0}); }
  void add(double number) { add(std::bit_cast<std::int64_t>(number)); }
  void add(std::chrono::microseconds length) { add(std::int64_t{length.count()}); }
  void add(const json_text& json) { add(json.str()); }
  template <class Tag>
  void add(const text_id<Tag>& id) {
    add(id.str());
  }
  template <class Tag>
  void add(const number_id<Tag>& id) {
    add(std::int64_t{id.value()});
  }
  // A stream that has a file was hashed when it was put there, and is not hashed again on the writer's thread. What
  // goes in is the same either way, so that a key does not depend on where its output is kept.
  void add(const std::shared_ptr<const std::string>& bytes, const std::optional<blob_ref>& blob) {
    const auto stream = bytes ? std::string_view{*bytes} : std::string_view{};
    if (blob && stream.size() > large) {
      put('h', {reinterpret_cast<const char*>(blob->digest.data()), blob->digest.size()});
    } else {
      add(stream);
    }
  }
  template <class T>
  void add(const std::optional<T>& value) {
    put(value ? 's' : '-', {});
    if (value) {
      add(*value);
    }
  }
  template <class T>
  void add(const std::vector<T>& list) {
    add(static_cast<std::int64_t>(list.size()));
    for (const auto& element : list) {
      add(element);
    }
  }

  void add(const error& why) { all(to_string(why.code), why.message, why.hint); }
  void add(const planned_task& task) { all(task.id, task.superstep, task.step, task.agent, task.order, task.item); }
  void add(const graph_path& path) { add(path.str()); }
  void add(const planned_step& each) { all(each.step, each.path); }
  void add(const join_arrival& each) { all(each.join, each.from, each.path); }
  void add(const superstep_standing& standing) { all(standing.steps, standing.arrivals, standing.idle); }
  void add(const gate_place& place) { all(place.superstep, place.step, place.level, place.task); }
  void add(const gate_opening& asked) {
    all(asked.place, to_string(asked.kind), asked.path, asked.prompt, asked.action_hash, asked.votes, asked.voters);
    all(asked.expires, to_string(asked.on_expiry));
  }
  void add(const gate_decision& decision) {
    all(decision.by, to_string(decision.choice), decision.comment, decision.state_edit);
  }
  void add(const attempt_cost& cost) {
    all(cost.model, cost.input_tokens, cost.output_tokens, cost.microusd, to_string(cost.source));
  }
  void add(const field_delta& delta) { all(delta.field, delta.value); }
  void add(const token_usage& usage) { all(usage.model, usage.input_tokens, usage.output_tokens); }
  void add(const attempt_exit& exit) {
    all(exit.exit_code, exit.signal, exit.cpu_time, exit.resident_bytes_max, exit.tree_gone, exit.http_status);
    all(exit.first_output_at, exit.last_output_at);
  }
  void add(const task_outcome& outcome) {
    all(to_string(outcome.state), outcome.value, outcome.found_by, outcome.deltas, outcome.usage, outcome.why);
    all(outcome.retry, outcome.session, outcome.route, outcome.cost, outcome.took);
  }
  void add(timestamp at) { add(at.time_since_epoch()); }
  void add(const retry_wait& wait) { all(wait.due, std::chrono::microseconds{wait.delay}); }
  void add(const given_up_task& task) { all(task.task, to_string(task.state), task.why); }
  void add(const agent_answer& answer) { all(answer.agent, answer.value, answer.why_missing, answer.model); }
  void add(const answer_group& group) { all(group.value, group.agents); }
  void add(const missing_agent& missing) { all(missing.agent, missing.why); }
  void add(const verdict& reached) {
    all(to_string(reached.status), reached.asked, reached.answered, reached.missing, reached.aggregator);
    all(reached.quorum, reached.winner, reached.agreement, reached.agreed, reached.dissent, reached.degraded);
    all(reached.emergency, reached.why);
  }
  void add(const step_verdict& verdict) { all(verdict.step, verdict.reached, verdict.answers); }
  void add(const run_end& end) {
    all(to_string(end.state), end.degraded, end.why, end.failed_step, end.until, to_string(end.cause));
  }

  void add(const create_run& told) {
    all(told.run, told.workflow_name, told.workflow_hash, told.subject, told.inputs);
    if (told.parent || told.forked_at) {  // rows of before there were children and forks have keys without them
      all(told.parent, told.parent_task, told.forked_at);
    }
  }
  void add(const start_attempt& told) { all(told.run, told.task, told.attempt, told.pid, told.pid_start_time); }
  void add(const record_output& told) {
    all(told.run, told.task, told.attempt, told.exit);
    add(told.standard_output, told.blobs.standard_output);
    add(told.standard_error, told.blobs.standard_error);
    all(told.standard_output_bytes, told.standard_error_bytes);
  }
  void add(const finish_attempt& told) { all(told.run, told.task, told.attempt, told.outcome); }
  void add(const commit_superstep& told) {
    all(told.run, told.superstep, told.verdicts, told.deltas, told.state, told.state_hash, told.idempotency_key);
    all(told.next_front, told.end, told.given_up, told.next, told.gates, told.taken);
  }
  void add(const end_run& told) { all(told.run, told.end, told.from); }
  void add(const resume_run& told) { all(told.run, told.from); }
  void add(const open_gate& told) { all(told.run, told.gate); }
  void add(const decide_gate& told) { all(told.run, told.place, told.decision); }
  void add(const expire_gate& told) { all(told.run, told.place); }

  // How much it is does not count: a later version, or other settings, may expect another amount of the same attempt.
  void add(const reserve_budget& told) { all(told.run, told.task, told.attempt); }

  const std::string& bytes() const noexcept { return bytes_; }

 private:
  template <class... Fields>
  void all(const Fields&... fields) {
    (add(fields), ...);
  }

  void put(char tag, std::string_view field) {
    bytes_ += tag;
    const auto length = static_cast<std::uint64_t>(field.size());
    for (int shift = 56; shift >= 0; shift -= 8) {
      bytes_ += static_cast<char>(length >> static_cast<unsigned>(shift));
    }
    bytes_ += field;
  }

  static constexpr std::size_t large = 4'096;

  std::string bytes_;
};

}  // namespace

std::array<std::uint8_t, 32> content_hash(const write_command& command) {
  encoder encoded;
  encoded.add(kind_of(command));
  std::visit([&](const auto& told) { encoded.add(told); }, command);
  return sha256(encoded.bytes());
}

}  // namespace troupe

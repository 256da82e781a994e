#include "runtime/cli/event_line.hpp"

#include "actors/json/json.hpp"
#include "messages/cost.hpp"
#include "messages/gate.hpp"
#include "messages/run.hpp"
#include "runtime/cli/human_time.hpp"
#include "runtime/cli/json_parts.hpp"
#include "runtime/cli/printed_text.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

namespace troupe {
namespace {

void add(std::string& text, const std::string& part) {
  if (!part.empty()) {
    text += (text.empty() ? "" : ", ") + part;
  }
}

bool truth_member(const boost::json::value& data, std::string_view name) noexcept {
  const boost::json::value* found = member(data, name);
  return found != nullptr && found->is_bool() && found->get_bool();
}

std::string error_words(const boost::json::value& data) {
  const std::string code = text_member(data, "code");
  const std::string message = text_member(data, "message");
  return code.empty() ? message : message.empty() ? code : code + ": " + message;
}

std::string started_words(const boost::json::value& data) {
  const auto pid = number_member(data, "pid");
  return pid ? "pid " + std::to_string(*pid) : std::string{};
}

std::string completed_words(const boost::json::value& data) {
  std::string text;
  if (const std::int64_t bytes = number_member(data, "stdout_bytes").value_or(0); bytes > 0) {
    add(text, human_bytes(bytes));
  }
  if (const boost::json::value* usage = member(data, "usage")) {
    const std::int64_t tokens =
        number_member(*usage, "input_tokens").value_or(0) + number_member(*usage, "output_tokens").value_or(0);
    add(text, counted(tokens, "token", "tokens"));
  }
  return text;
}

/// How it ended is told beside an error that does not say it itself.
std::string failed_words(const boost::json::value& data) {
  std::string text = error_words(data);
  const std::string why = text_member(data, "code");
  if (const auto code = number_member(data, "exit_code"); code && why != to_string(error_code::agent_exit)) {
    add(text, "exit " + std::to_string(*code));
  }
  if (const auto signal = number_member(data, "signal"); signal && why != to_string(error_code::agent_signal)) {
    add(text, "signal " + std::to_string(*signal));
  }
  return text;
}

std::string retrying_words(const boost::json::value& data) {
  std::string text = failed_words(data);
  const auto delay = number_member(data, "delay_ms");
  add(text,
      delay ? "again in " + human_duration(milliseconds{*delay}) : "again if the others of the step are a quorum");
  return text;
}

std::string run_paused_words(const boost::json::value& data) {
  std::string text = error_words(data);
  const std::string until = text_member(data, "until");
  add(text, until.empty() ? std::string{} : "goes on by itself");
  add(text, text_member(data, "cause") == to_string(pause_cause::approval) ? "waits for a decision" : "");
  return text;
}

/// `Merge?, 2 votes, expires in 24h`; of a prompt its first line.
std::string gate_opened_words(const boost::json::value& data) {
  const std::string prompt = text_member(data, "prompt");
  std::string text = prompt.substr(0, prompt.find('\n'));
  const std::int64_t votes = number_member(data, "votes").value_or(1);
  add(text, votes > 1 ? std::to_string(votes) + " votes" : std::string{});
  const auto wait = number_member(data, "wait_ms");
  add(text, wait ? "expires in " + human_duration(milliseconds{*wait}) : std::string{});
  return text;
}

/// `approved by ann, 1 of 2 votes: fine`, or `expired: rejected`.
std::string gate_decided_words(const boost::json::value& data) {
  const std::string who = text_member(data, "by");
  const std::string state = text_member(data, "state");
  if (who.empty()) {
    return state == to_string(gate_state::expired) ? "nobody decided in time" : "nobody decided in time: " + state;
  }
  std::string text = text_member(data, "decision") + " by " + who;
  const std::int64_t votes = number_member(data, "votes").value_or(1);
  add(text,
      votes > 1
          ? std::to_string(number_member(data, "approvals").value_or(0)) + " of " + std::to_string(votes) + " votes"
          : std::string{});
  const bool is_open = state == to_string(gate_state::open);
  add(text, votes > 1 && !is_open ? state : std::string{});
  add(text, truth_member(data, "edited") ? "with an edit" : "");
  const std::string comment = text_member(data, "comment");
  return comment.empty() ? text : text + ": " + comment;
}

/// `claude missing (AGENT_EXIT)`; who was not waited for is `stopped`.
std::string missing_words(const boost::json::value& data) {
  std::string text;
  const boost::json::value* missing = member(data, "missing");
  if (missing != nullptr && missing->is_array()) {
    for (const boost::json::value& each : missing->get_array()) {
      const std::string code = text_member(each, "code");
      const bool stopped = code == to_string(error_code::cancelled);
      add(text, text_member(each, "agent") + (stopped ? " stopped" : " missing (" + code + ')'));
    }
  }
  return text;
}

/// `degraded, 2 of 3 answered`; an aggregator is not among those who are counted.
std::string answered_words(const boost::json::value& data) {
  auto asked = texts_member(data, "asked");
  auto answered = texts_member(data, "answered");
  const std::string aggregator = text_member(data, "aggregator");
  const bool aggregated = std::erase(answered, aggregator) > 0;
  std::erase(asked, aggregator);
  const std::string count = std::to_string(answered.size()) + " of " + std::to_string(asked.size()) + " answered";
  std::string text;
  if (truth_member(data, "emergency")) {
    text = "emergency: " + count + ", the quorum is " + std::to_string(number_member(data, "quorum").value_or(0));
  } else {
    text = text_member(data, "status") + ", " + count;
  }
  add(text, aggregated ? "brought together by " + aggregator : std::string{});
  return text;
}

std::string consensus_words(const boost::json::value& data) {
  const bool several = texts_member(data, "asked").size() > 1;
  std::string text = several ? answered_words(data) : text_member(data, "status");
  if (several) {
    const std::int64_t dissent = number_member(data, "dissent").value_or(0);
    add(text, dissent > 0 ? std::to_string(dissent) + " in dissent" : std::string{});
    add(text, missing_words(data));
  }
  add(text, text_member(data, "code"));
  return text;
}

std::string superstep_words(const boost::json::value& data) {
  std::string text;
  if (const auto changed = texts_member(data, "changed"); !changed.empty()) {
    add(text, "wrote " + listed(changed));
  }
  if (const auto next = texts_member(data, "next"); !next.empty()) {
    add(text, "next " + listed(next));
  }
  return text;
}

std::string run_started_words(const boost::json::value& data) {
  std::string text = text_member(data, "workflow");
  const std::string subject = text_member(data, "subject");
  add(text, subject == text ? std::string{} : "about " + subject);
  return text;
}

std::string run_completed_words(const boost::json::value& data) {
  return truth_member(data, "degraded") ? "degraded" : "";
}

std::string run_resumed_words(const boost::json::value& data) {
  const std::int64_t interrupted = number_member(data, "interrupted").value_or(0);
  return interrupted == 0 ? std::string{} : counted(interrupted, "task", "tasks") + " had been interrupted";
}

std::string cost_words(const boost::json::value& data) {
  std::string text = text_member(data, "model");
  add(text,
      counted(number_member(data, "input_tokens").value_or(0) + number_member(data, "output_tokens").value_or(0),
              "token",
              "tokens"));
  const auto amount = number_member(data, "cost_microusd");
  add(text, amount ? usd_text(*amount) : "no price for this model (" + text_member(data, "code") + ')');
  const auto source = text_member(data, "source");
  add(text, source == to_string(cost_source::estimated) ? source : std::string{});
  return text;
}

std::string budget_amount(std::optional<budget_unit> unit, std::int64_t amount) {
  if (!unit) {
    return std::to_string(amount);  // of a later version
  }
  switch (*unit) {
    case budget_unit::microusd:
      return usd_text(amount);
    case budget_unit::tokens:
      return counted(amount, "token", "tokens");
    case budget_unit::microseconds:
      return human_duration(std::chrono::microseconds{amount});
  }
  return {};
}

std::string budget_words(const boost::json::value& data) {
  const auto unit = budget_unit_from(text_member(data, "unit"));
  const auto amount = [&](std::string_view name) { return budget_amount(unit, number_member(data, name).value_or(0)); };
  return std::to_string(number_member(data, "percent").value_or(0)) + " % of the budget of " +
         text_member(data, "scope") + ' ' + text_member(data, "key") + ": " + amount("spent") + " of " +
         amount("ceiling");
}

std::string words(event_kind kind, const boost::json::value& data) {
  switch (kind) {
    case event_kind::run_started:
      return run_started_words(data);
    case event_kind::run_resumed:
      return run_resumed_words(data);
    case event_kind::run_completed:
      return run_completed_words(data);
    case event_kind::run_paused:
      return run_paused_words(data);
    case event_kind::run_failed:
    case event_kind::run_cancelled:
      return error_words(data);
    case event_kind::superstep_committed:
      return superstep_words(data);
    case event_kind::gate_opened:
      return gate_opened_words(data);
    case event_kind::gate_decided:
      return gate_decided_words(data);
    case event_kind::task_queued:
      return {};
    case event_kind::task_started:
      return started_words(data);
    case event_kind::task_completed:
      return completed_words(data);
    case event_kind::task_retrying:
      return retrying_words(data);
    case event_kind::task_failed:
    case event_kind::task_cancelled:
    case event_kind::task_interrupted:
      return failed_words(data);
    case event_kind::consensus_reached:
      return consensus_words(data);
    case event_kind::budget_warned:
      return budget_words(data);
    case event_kind::cost_recorded:
      return cost_words(data);
    case event_kind::backpressure_on:
    case event_kind::backpressure_off:
    case event_kind::checkpoint_saved:
    case event_kind::config_reloaded:
      break;
  }
  const std::string whole = canonical(data).str();
  return whole == "{}" ? std::string{} : whole;
}

ink ink_of(event_kind kind) noexcept {
  switch (kind) {
    case event_kind::run_failed:
    case event_kind::task_failed:
      return ink::red;
    case event_kind::run_completed:
    case event_kind::task_completed:
      return ink::green;
    case event_kind::run_paused:
    case event_kind::run_cancelled:
    case event_kind::task_retrying:
    case event_kind::task_cancelled:
    case event_kind::task_interrupted:
    case event_kind::gate_opened:
    case event_kind::backpressure_on:
    case event_kind::budget_warned:
      return ink::yellow;
    case event_kind::run_started:
    case event_kind::run_resumed:
    case event_kind::consensus_reached:
    case event_kind::gate_decided:
      return ink::cyan;
    case event_kind::superstep_committed:
    case event_kind::task_queued:
    case event_kind::task_started:
    case event_kind::backpressure_off:
    case event_kind::cost_recorded:
    case event_kind::checkpoint_saved:
    case event_kind::config_reloaded:
      return ink::plain;
  }
  return ink::plain;
}

}  // namespace

std::string carrier_text(const event& what) {
  if (!what.agent) {
    return {};
  }
  std::string text = what.agent->str();
  if (what.task && what.step && what.superstep) {
    const auto whole = make_task_id(what.run, *what.superstep, *what.step, *what.agent).str() + '/';
    if (what.task->str().starts_with(whole)) {  // an element of a map
      text += '[' + what.task->str().substr(whole.size()) + ']';
    }
  }
  return text;
}

std::string event_place(const event& what) {
  if (!what.step) {
    return {};
  }
  return what.agent ? what.step->str() + '/' + carrier_text(what) : what.step->str();
}

std::optional<milliseconds> pause_length(const event& what) {
  const auto wait =
      what.kind == event_kind::run_paused ? number_member(parse(what.data), "wait_ms") : std::optional<std::int64_t>{};
  return wait ? std::optional{milliseconds{*wait}} : std::nullopt;
}

std::string event_summary(const event& what) {
  std::string text;
  if (what.attempt && what.attempt->value() > 1) {
    add(text, "attempt " + std::to_string(what.attempt->value()));
  }
  if (what.kind == event_kind::superstep_committed && what.superstep) {
    add(text, "no. " + std::to_string(what.superstep->value()));
  }
  add(text, words(what.kind, parse(what.data)));
  return printable(text);
}

std::string event_line(const event& what, int columns, const style& look) {
  constexpr int seq_width = 4;
  constexpr int kind_width = 19;
  constexpr int place_width = 20;
  std::string line = look.paint(ink::dim, local_clock(what.time)) + ' ';
  line += look.paint(ink::dim, pad_left(std::to_string(what.seq.value()), seq_width)) + "  ";
  line += look.paint(ink_of(what.kind), pad_right(to_string(what.kind), kind_width));
  line += "  " + pad_right(event_place(what), place_width) + "  " + event_summary(what);
  while (line.ends_with(' ')) {
    line.pop_back();
  }
  return columns == 0 ? line : fit(line, columns, look.unicode);
}

}  // namespace troupe

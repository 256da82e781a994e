#include "runtime/cli/progress_view.hpp"

#include "actors/json/json.hpp"
#include "messages/consensus.hpp"
#include "messages/gate.hpp"
#include "runtime/cli/event_line.hpp"
#include "runtime/cli/human_time.hpp"
#include "runtime/cli/json_parts.hpp"
#include "runtime/cli/printed_text.hpp"

#include <algorithm>
#include <cctype>
#include <utility>

namespace troupe {
namespace {

bool is_over(task_state state) noexcept { return is_final(state); }

task_state state_after(event_kind kind, task_state now) noexcept {
  switch (kind) {
    case event_kind::task_queued:
    case event_kind::task_interrupted:
      return task_state::queued;
    case event_kind::task_started:
      return task_state::running;
    case event_kind::task_retrying:
      return task_state::retrying;
    case event_kind::task_completed:
      return task_state::completed;
    case event_kind::task_failed:
      return task_state::failed;
    case event_kind::task_cancelled:
      return task_state::cancelled;
    case event_kind::run_started:
    case event_kind::run_paused:
    case event_kind::run_resumed:
    case event_kind::run_completed:
    case event_kind::run_failed:
    case event_kind::run_cancelled:
    case event_kind::superstep_committed:
    case event_kind::consensus_reached:
    case event_kind::gate_opened:
    case event_kind::gate_decided:
    case event_kind::backpressure_on:
    case event_kind::backpressure_off:
    case event_kind::budget_warned:
    case event_kind::cost_recorded:
    case event_kind::checkpoint_saved:
    case event_kind::config_reloaded:
      break;
  }
  return now;
}

/// A lone bracket of some JSON tells nobody anything.
bool says_something(std::string_view line) noexcept {
  return std::ranges::any_of(line, [](unsigned char each) { return std::isalnum(each) != 0 || each >= 0x80U; });
}

bool is_of_task(event_kind kind) noexcept { return state_after(kind, task_state::pending) != task_state::pending; }

/// The step as a whole: running while anything runs, good only if everything was.
template <class Agents>
task_state state_of(const Agents& agents) {
  const auto any = [&](auto test) { return std::ranges::any_of(agents, test); };
  for (const task_state each : {task_state::running, task_state::retrying, task_state::queued}) {
    if (any([&](const auto& agent) { return agent.state == each; })) {
      return each == task_state::queued && any([](const auto& agent) { return is_over(agent.state); })
                 ? task_state::running
                 : each;
    }
  }
  for (const task_state each : {task_state::completed, task_state::failed}) {
    if (any([&](const auto& agent) { return agent.state == each; })) {
      return each;
    }
  }
  return task_state::cancelled;
}

}  // namespace

// Silence that is worth a word: what agents do between two lines is not.
constexpr milliseconds silence_shown{5'000};

// `silent for 40s, busy (cpu 35s)`
std::string silence_text(const task_progress& told, timestamp now) {
  const auto length = told.silent + std::max(now - told.time, timestamp::duration{0});
  if (length < silence_shown) {
    return {};
  }
  const std::string text = "silent for " + whole_seconds(length);
  return told.busy ? text + ", busy (cpu " + whole_seconds(told.cpu_time) + ")" : text + ", idle";
}

struct progress_view::layout {
  const style& look;
  int name_width = 0;  ///< Of steps that one agent carries out.
};

void progress_view::apply(const event& what) {
  run_ = what.run;
  if (what.kind == event_kind::run_started) {
    workflow_ = text_member(parse(what.data), "workflow");
  }
  if (what.kind == event_kind::run_started || what.kind == event_kind::run_resumed) {
    started_ = what.time;
  }
  if (const auto length = pause_length(what)) {
    paused_until_ = what.time + *length;
  } else if (what.kind == event_kind::run_resumed || ends_run(what.kind)) {
    paused_until_.reset();
  }
  if (ends_run(what.kind)) {
    gates_.clear();
  }
  if (what.kind == event_kind::gate_opened || what.kind == event_kind::gate_decided) {
    apply_gate(what);
  } else if (what.kind == event_kind::consensus_reached) {
    apply_consensus(what);
  } else if (is_of_task(what.kind)) {
    apply_task(what);
  }
}

void progress_view::apply(const task_progress& what) {
  for (step_lines& step : steps_) {
    if (step.step != what.step) {
      continue;
    }
    for (agent_line& agent : step.agents) {
      const bool runs = agent.state == task_state::running && agent.attempt == what.attempt.value();
      if (agent.task != what.task || !runs) {
        continue;
      }
      agent.silence = what.silent > milliseconds{0} ? std::optional{what} : std::nullopt;
      if (says_something(what.last_line)) {
        agent.last_words = printable(what.last_line);
      }
    }
  }
}

progress_view::step_lines& progress_view::step_of(superstep_no superstep, const step_id& step) {
  // Events are about the newest steps.
  const auto found = std::find_if(steps_.rbegin(), steps_.rend(), [&](const step_lines& each) {
    return each.superstep == superstep && each.step == step;
  });
  if (found != steps_.rend()) {
    return *found;
  }
  return steps_.emplace_back(
      step_lines{.superstep = superstep, .step = step, .agents = {}, .verdict = {}, .judged_badly = false});
}

progress_view::agent_line* progress_view::agent_of(const event& what) {
  if (!what.superstep || !what.step || !what.agent || !what.task) {
    return nullptr;
  }
  auto& agents = step_of(*what.superstep, *what.step).agents;
  const auto found = std::ranges::find(agents, *what.task, &agent_line::task);
  if (found != agents.end()) {
    return &*found;
  }
  agents.emplace_back();
  agents.back().task = *what.task;
  agents.back().name = carrier_text(what);
  return &agents.back();
}

void progress_view::apply_task(const event& what) {
  agent_line* agent = agent_of(what);
  if (agent == nullptr) {
    return;
  }
  agent->state = state_after(what.kind, agent->state);
  if (what.attempt) {
    agent->attempt = what.attempt->value();
  }
  if (what.kind == event_kind::task_started) {
    agent->started = what.time;
    agent->finished.reset();
    agent->silence.reset();
    agent->last_words.clear();
  } else if (is_over(agent->state)) {
    agent->silence.reset();
    agent->finished = what.time;
    agent->last_words = agent->state == task_state::completed ? std::string{} : event_summary(what);
  } else if (what.kind == event_kind::task_retrying) {
    const auto delay = number_member(parse(what.data), "delay_ms");
    agent->due = delay ? std::optional{what.time + milliseconds{*delay}} : std::nullopt;
    agent->finished = what.time;
    agent->last_words = event_summary(what);
  }
}

void progress_view::apply_consensus(const event& what) {
  if (!what.superstep || !what.step) {
    return;
  }
  step_lines& step = step_of(*what.superstep, *what.step);
  step.judged_badly = text_member(parse(what.data), "status") != to_string(verdict_status::ok);
  step.verdict = step.agents.size() > 1 || step.judged_badly ? event_summary(what) : std::string{};
}

void progress_view::apply_gate(const event& what) {
  if (!what.superstep || !what.step) {
    return;
  }
  const auto data = parse(what.data);
  gate_line told{.superstep = *what.superstep,
                 .step = *what.step,
                 .level = number_member(data, "level").value_or(1),
                 .task = text_member(data, "task"),
                 .prompt = text_member(data, "prompt"),
                 .votes = number_member(data, "votes").value_or(1),
                 .approvals = number_member(data, "approvals").value_or(0),
                 .expires = {}};
  const auto found = std::ranges::find_if(gates_, [&](const gate_line& each) {
    return each.superstep == told.superstep && each.step == told.step && each.level == told.level &&
           each.task == told.task;
  });
  if (what.kind == event_kind::gate_opened && found == gates_.end()) {
    told.prompt = printable(told.prompt.substr(0, told.prompt.find('\n')));
    if (const auto wait = number_member(data, "wait_ms")) {
      told.expires = what.time + milliseconds{*wait};
    }
    gates_.push_back(std::move(told));
  } else if (what.kind == event_kind::gate_decided && found != gates_.end()) {
    found->approvals = told.approvals;
    if (text_member(data, "state") != to_string(gate_state::open)) {
      gates_.erase(found);
    }
  }
}

std::vector<std::string> progress_view::gate_lines(timestamp now, const style& look) const {
  std::vector<std::string> lines;
  for (const gate_line& gate : gates_) {
    std::string line = look.paint(ink::yellow, "?") + ' ' + gate.step.str() + "  " + gate.prompt;
    std::string rest;
    if (gate.votes > 1) {
      rest += "  " + std::to_string(gate.approvals) + " of " + std::to_string(gate.votes) + " votes";
    }
    if (gate.expires) {
      rest += *gate.expires > now ? "  expires in " + whole_seconds(*gate.expires - now) : "  expired";
    }
    lines.push_back(line + look.paint(ink::dim, rest));
  }
  return lines;
}

std::string progress_view::name_alone(const step_lines& step) {
  return step.step.str() + "  " + step.agents.front().name;
}

std::string progress_view::head(timestamp now, const style& look) const {
  std::string text = look.paint(ink::bold, workflow_.empty() ? "troupe" : workflow_);
  const std::string between = ' ' + std::string{look.dot()} + ' ';
  text += look.paint(ink::dim, between + run_.str());
  if (started_) {
    text += look.paint(ink::dim, between + whole_seconds(now - *started_));
  }
  if (paused_until_) {
    text += look.paint(ink::yellow, between + "waits for a quota, goes on in " + whole_seconds(*paused_until_ - now));
  }
  return text;
}

std::string progress_view::line_of(
    const agent_line& agent, timestamp now, const layout& with, int indent, int name_width) {
  constexpr int time_width = 6;
  std::string line = std::string(static_cast<std::size_t>(indent), ' ') + with.look.mark(sign_of(agent.state)) + ' ';
  line += pad_right(agent.name, name_width);
  std::string time;
  if (agent.started) {
    time = agent.finished ? human_duration(*agent.finished - *agent.started) : whole_seconds(now - *agent.started);
  }
  line += "  " + pad_left(time, time_width);
  if (agent.attempt > 1) {
    line += with.look.paint(ink::yellow, "  attempt " + std::to_string(agent.attempt));
  }
  if (agent.state == task_state::retrying && agent.due && *agent.due > now) {
    line += with.look.paint(ink::yellow, "  again in " + whole_seconds(*agent.due - now));
  }
  if (const auto silence = agent.silence ? silence_text(*agent.silence, now) : std::string{}; !silence.empty()) {
    line += "  " + with.look.paint(ink::yellow, silence);
  }
  if (!agent.last_words.empty()) {
    const bool failed = agent.state == task_state::failed;
    line += "  " + with.look.paint(failed ? ink::red : ink::dim, agent.last_words);
  }
  return line;
}

// All of a few; of many (the elements of a map) those that something is going on with.
std::vector<const progress_view::agent_line*> progress_view::worth_showing(const std::vector<agent_line>& agents) {
  constexpr std::size_t few = 8;
  std::vector<const agent_line*> shown;
  for (const agent_line& agent : agents) {
    const bool is_quiet = agent.state == task_state::queued || agent.state == task_state::completed;
    if (agents.size() <= few || (!is_quiet && shown.size() < few)) {
      shown.push_back(&agent);
    }
  }
  return shown;
}

std::vector<std::string> progress_view::lines_of(const step_lines& step, timestamp now, const layout& with) const {
  const task_state whole = state_of(step.agents);
  if (step.agents.size() == 1) {
    agent_line only = step.agents.front();
    only.name = name_alone(step);
    std::string line = line_of(only, now, with, 0, with.name_width);
    line += step.verdict.empty() || !only.last_words.empty() ? "" : "  " + with.look.paint(ink::red, step.verdict);
    return {std::move(line)};
  }
  const bool judged = !step.verdict.empty();
  const sign shown = judged && step.judged_badly ? sign::warned : sign_of(whole);
  std::string title = with.look.mark(shown) + ' ' + step.step.str();
  if (judged) {
    title += "  " + with.look.paint(ink::dim, step.verdict);
    return {std::move(title)};
  }
  const auto over = std::ranges::count_if(step.agents, [](const agent_line& each) { return is_over(each.state); });
  title += with.look.paint(ink::dim, "  " + std::to_string(over) + " of " + std::to_string(step.agents.size()));
  std::vector<std::string> lines{std::move(title)};
  const auto shown_agents = worth_showing(step.agents);
  int name_width = 0;
  for (const agent_line* agent : shown_agents) {
    name_width = std::max(name_width, printed_width(agent->name));
  }
  for (const agent_line* agent : shown_agents) {
    lines.push_back(line_of(*agent, now, with, 2, name_width));
  }
  return lines;
}

std::vector<std::string> progress_view::lines(timestamp now, view_size size, const style& look) const {
  layout with{.look = look};
  for (const step_lines& step : steps_) {
    const int width = step.agents.size() == 1 ? printed_width(name_alone(step)) : 0;
    with.name_width = std::max(with.name_width, std::min(width, size.columns / 2));
  }
  std::vector<std::vector<std::string>> blocks;
  std::size_t total = 0;
  for (const step_lines& step : steps_) {
    blocks.push_back(lines_of(step, now, with));
    total += blocks.back().size();
  }
  if (!gates_.empty()) {  // last: what is done gives way first
    blocks.push_back(gate_lines(now, look));
    total += blocks.back().size();
  }
  const std::size_t room = static_cast<std::size_t>(std::max(size.rows - 2, 1)) - (note_.empty() ? 0U : 1U);
  std::size_t hidden = 0;
  while (total + (hidden > 0 ? 1U : 0U) > room && hidden + 1 < blocks.size() && hidden < steps_.size() &&
         is_over(state_of(steps_[hidden].agents))) {
    total -= blocks[hidden++].size();
  }
  std::vector<std::string> all{head(now, look)};
  if (hidden > 0) {
    all.push_back(look.paint(ink::dim, counted(static_cast<std::int64_t>(hidden), "step", "steps") + " done before"));
  }
  for (std::size_t i = hidden; i < blocks.size(); ++i) {
    all.insert(all.end(), blocks[i].begin(), blocks[i].end());
  }
  if (all.size() > room + 1) {
    const std::size_t more = all.size() - room;
    all.resize(room);
    all.push_back(look.paint(ink::dim, std::to_string(more) + " more"));
  }
  if (!note_.empty()) {
    all.push_back(look.paint(ink::yellow, note_));
  }
  for (std::string& line : all) {
    line = fit(line, size.columns - 1, look.unicode);
  }
  return all;
}

}  // namespace troupe

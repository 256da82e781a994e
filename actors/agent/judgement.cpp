#include "actors/agent/judgement.hpp"

#include "actors/agent/http_outcome.hpp"
#include "actors/agent/liveness.hpp"
#include "actors/agent/outcome.hpp"
#include "actors/agent/output_parsing.hpp"
#include "actors/agent/recognition.hpp"
#include "actors/json/json.hpp"

#include <utility>

namespace troupe {

attempt_end end_of(process_end end) {
  attempt_end made;
  made.ran = !end.exit.start_failure;
  made.exit = {end.exit.exit_code, end.exit.signal, end.usage.cpu_time, end.usage.resident_bytes_max, end.tree_gone};
  made.exit.first_output_at = end.first_output_at;
  made.exit.last_output_at = end.last_output_at;
  made.standard_output = std::make_shared<const std::string>(std::move(end.standard_output));
  made.standard_error = std::make_shared<const std::string>(std::move(end.standard_error));
  made.standard_output_bytes = end.standard_output_bytes;
  made.standard_error_bytes = end.standard_error_bytes;
  made.custodian_lost = end.custodian_lost;
  made.failure = std::move(end.exit.start_failure);
  return made;
}

attempt_end end_of(result<function_reply> reply) {
  attempt_end made;
  if (!reply) {
    made.failure = reply.error();
    return made;
  }
  made.standard_output_bytes = static_cast<std::int64_t>(reply->printed.size());
  made.standard_output = std::make_shared<const std::string>(std::move(reply->printed));
  made.reply = *std::move(reply);
  return made;
}

attempt_end end_of(http_end end) {
  attempt_end made;
  made.exit.http_status = end.status;
  made.exit.first_output_at = end.first_output_at;
  made.exit.last_output_at = end.last_output_at;
  made.standard_output_bytes = end.body_bytes;
  made.standard_output = std::make_shared<const std::string>(std::move(end.body));
  made.standard_error = std::make_shared<const std::string>(head_of(end));
  made.standard_error_bytes = static_cast<std::int64_t>(made.standard_error->size());
  made.http = std::move(end);
  return made;
}

attempt_end end_of(error refused) {
  attempt_end made;
  made.ran = false;
  made.failure = std::move(refused);
  return made;
}

namespace {

task_outcome unsuccessful(task_state state, error why) {
  task_outcome outcome;
  outcome.state = state;
  outcome.why = std::move(why);
  return outcome;
}

// What a host gives is foreign: only JSON, and that in canonical form, becomes part of a state.
std::optional<error> make_canonical(json_text& given, const std::string& what) {
  const auto value = parse(std::string_view{given.str()});
  if (!value) {
    return error{error_code::output_invalid,
                 "the function gives " + what + " that is no JSON: " + value.error().message,
                 "give JSON text: a string is written with its quotes"};
  }
  given = canonical(*value);
  return std::nullopt;
}

task_outcome of_function(function_reply reply) {
  task_outcome outcome;
  outcome.value = reply.value.value_or(json_text{});
  outcome.found_by = "function";
  if (auto why = make_canonical(*outcome.value, "a value")) {
    return unsuccessful(task_state::failed, *std::move(why));
  }
  for (auto& delta : reply.deltas) {
    if (auto why = make_canonical(delta.value, "a value for field '" + delta.field.str() + "'")) {
      return unsuccessful(task_state::failed, *std::move(why));
    }
  }
  outcome.deltas = std::move(reply.deltas);
  outcome.usage = std::move(reply.usage);
  outcome.route = std::move(reply.route);
  return outcome;
}

task_outcome of_output(const attempt_order& order, const attempt_end& end, recognised_output told) {
  auto parsed = told.answer ? *std::move(told.answer) : parse_output(order.spec, *end.standard_output, order.prompt);
  if (!parsed) {
    return unsuccessful(task_state::failed, parsed.error());
  }
  task_outcome outcome;
  outcome.value = std::move(parsed->value);
  outcome.found_by = std::move(parsed->found_by);
  return outcome;
}

// A process that ended by itself may say in its output why it failed, whatever its status. What it used it used, however
// it went.
task_outcome of_process(const attempt_order& order, const attempt_end& end, bool output_too_large) {
  const exit_facts facts{end.exit, *end.standard_output, *end.standard_error, output_too_large};
  const bool ended_by_itself = !output_too_large && !end.exit.signal;
  auto told = ended_by_itself ? recognise(order.spec, facts, order.prompt) : recognised_output{};
  auto why = told.failure ? std::move(told.failure) : judge_exit(order.spec, facts);
  auto usage = std::move(told.usage);
  auto session = std::move(told.session);
  auto outcome = why ? unsuccessful(task_state::failed, *std::move(why)) : of_output(order, end, std::move(told));
  outcome.usage = std::move(usage);
  outcome.session = std::move(session);
  return outcome;
}

error interruption(const attempt_end& end) {
  return {error_code::cancelled,
          end.custodian_lost ? "the attempt was interrupted: the custodian of its process died"
                             : "the attempt was interrupted: the node is shutting down",
          ""};
}

}  // namespace

task_outcome judge(const attempt_order& order, const attempt_session& session, const attempt_end& end) {
  if (session.cause() == stop_cause::interrupted || (end.custodian_lost && !session.cause())) {
    return unsuccessful(task_state::interrupted, interruption(end));
  }
  if (session.cause() == stop_cause::cancelled) {
    return unsuccessful(task_state::cancelled, {error_code::cancelled, "the attempt was cancelled", ""});
  }
  if (session.cause() == stop_cause::lost_race) {
    return unsuccessful(task_state::cancelled, {error_code::cancelled, "another agent of the step answered first", ""});
  }
  if (session.cause() == stop_cause::too_late) {
    return unsuccessful(task_state::failed,
                        {error_code::task_timeout,
                         "the step waits no longer: its deadline has passed; what was printed is kept",
                         "raise the step's deadline"});
  }
  if (session.cause() == stop_cause::timed_out) {
    return unsuccessful(task_state::failed, tell_overrun(order, session.overrun(), end));
  }
  if (end.failure) {
    return unsuccessful(task_state::failed, *end.failure);
  }
  if (end.reply) {
    return of_function(*end.reply);
  }
  if (end.http) {
    return judge_http(order, *end.http, *end.standard_output);
  }
  return of_process(order, end, session.output_too_large());
}

}  // namespace troupe

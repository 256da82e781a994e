#include "actors/agent/read_again.hpp"

#include "actors/agent/judgement.hpp"

#include <memory>
#include <sstream>
#include <string>
#include <utility>

namespace troupe {
namespace {

// A clock, a person or a limit decided, or the network: none of it is in the output.
bool is_from_outside(error_code code) {
  return code == error_code::task_timeout || code == error_code::cancelled || code == error_code::output_too_large ||
         code == error_code::max_attempts_exceeded || code == error_code::internal;
}

// As head_of (http_outcome.hpp) wrote it.
http_end end_from(const recorded_attempt& recorded) {
  http_end end;
  end.status = recorded.http_status;
  std::istringstream lines{recorded.standard_error};
  for (std::string line; std::getline(lines, line);) {
    const auto colon = line.find(": ");
    if (colon != std::string::npos) {
      end.headers.push_back({line.substr(0, colon), line.substr(colon + 2)});
    }
  }
  end.body = recorded.standard_output;
  end.body_bytes = static_cast<std::int64_t>(end.body.size());
  return end;
}

// Whether the request failed on its way is not recorded: what a whole answer says, and a status that refuses, stand.
bool decides_over_http(const recorded_attempt& recorded) {
  const bool is_refused = recorded.http_status && (*recorded.http_status < 200 || *recorded.http_status > 299);
  return recorded.http_status && (recorded.state == task_state::completed || is_refused);
}

}  // namespace

std::optional<task_outcome> read_again(const attempt_order& order, const recorded_attempt& recorded) {
  const bool has_ended = recorded.state == task_state::completed ||
                         (recorded.state == task_state::failed && recorded.why && !is_from_outside(recorded.why->code));
  if (!recorded.has_output || !has_ended || order.refused) {
    return std::nullopt;
  }
  const attempt_session session{order.limits};
  switch (order.spec.kind) {
    case agent_kind::command: {
      attempt_end end;
      end.exit.exit_code = recorded.exit_code;
      end.exit.signal = recorded.signal;
      end.standard_output = std::make_shared<const std::string>(recorded.standard_output);
      end.standard_error = std::make_shared<const std::string>(recorded.standard_error);
      return judge(order, session, end);
    }
    case agent_kind::http:
      return decides_over_http(recorded) ? std::optional{judge(order, session, end_of(end_from(recorded)))}
                                         : std::nullopt;
    case agent_kind::function:
    case agent_kind::workflow:
      return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace troupe

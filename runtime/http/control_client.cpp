#include "runtime/http/control_client.hpp"

#include "runtime/http/control_door.hpp"
#include "runtime/http/http_exchange.hpp"
#include "runtime/json/error_json.hpp"
#include "runtime/json/json_writer.hpp"
#include "runtime/observe/log.hpp"
#include "runtime/os/local_socket.hpp"
#include "storage/lease.hpp"

#include <string_view>
#include <utility>

namespace troupe {
namespace {

constexpr milliseconds patience = command_patience + milliseconds{1'000};
constexpr int ok = 200;
constexpr int accepted = 202;
constexpr int not_found = 404;

error nobody(const std::filesystem::path& database) {
  if (is_lease_held(database)) {
    return {error_code::not_found,
            "the process that writes to " + database.string() + " cannot be asked",
            "it is a command that is over soon, or another version: troupe db info names it"};
  }
  return {error_code::not_found,
          "no process carries out runs in " + database.string() + " now",
          "troupe runs lists what is stored; troupe resume --all goes on with what is unfinished"};
}

// None: nobody has a door there.
std::optional<result<http_response>> ask_owner(const std::filesystem::path& database, const http_request& request) {
  const auto answer = ask_locally(control_path(database), write(request), patience);
  if (answer) {
    return read_response(*answer);
  }
  return answer.error().code == error_code::not_found ? std::nullopt
                                                      : std::optional{result<http_response>{answer.error()}};
}

result<http_response> ask(const std::filesystem::path& database, const http_request& request) {
  auto response = ask_owner(database, request);
  return response ? *std::move(response) : result<http_response>{nobody(database)};
}

// Of a command: it is on its way, and what became of it is not known.
error unanswered(error why, const std::string& what) {
  why.message += "; " + what + " may have been taken";
  why.hint = "say it again: twice is as once. " + why.hint;
  return why;
}

error refused(const http_response& response) {
  return {error_code::internal, "the running process refused: " + response.body, "see its log"};
}

template <class Told>
result<Told> get(const std::filesystem::path& database, const char* target, result<Told> (*read)(std::string_view)) {
  const auto response = ask(database, {"GET", target, ""});
  if (!response) {
    return response.error();
  }
  if (response->status != ok) {
    return refused(*response);
  }
  return read(response->body);
}

}  // namespace

result<node_tree> ask_tree(const std::filesystem::path& database) { return get(database, "/v1/tree", read_tree); }

result<told_limits> ask_limits(const std::filesystem::path& database) {
  return get(database, "/v1/limits", read_limits);
}

result<told_faults> ask_faults(const std::filesystem::path& database) {
  return get(database, "/v1/faults", read_faults);
}

result<health_view> ask_health(const std::filesystem::path& database) {
  const auto response = ask(database, {"GET", "/healthz", ""});
  if (!response) {
    return response.error();
  }
  if (response->status == not_found) {
    return error{error_code::not_found, "nobody looks whether the running process is well", ""};
  }
  const auto health = read_health(response->body);
  return health ? health : result<health_view>{refused(*response)};
}

std::optional<result<gate_receipt>> ask_decision(const std::filesystem::path& database,
                                                 const run_id& run,
                                                 const asked_decision& asked) {
  http_request request{"POST",
                       "/v1/runs/" + encode_segment(run.str()) + "/gates/" + encode_segment(asked.which.step.str()),
                       decision_json(asked)};
  if (request.body.size() > http_body_max) {
    return result<gate_receipt>{error{error_code::invalid_input,
                                      "the decision has " + std::to_string(request.body.size()) +
                                          " bytes, more than the " + std::to_string(http_body_max) +
                                          " that a running process can be told; nothing was decided",
                                      "let a step of the workflow make changes of this size"}};
  }
  const auto response = ask_owner(database, request);
  if (!response) {
    return std::nullopt;
  }
  if (!*response) {
    return result<gate_receipt>{unanswered(response->error(), "the decision")};
  }
  return (*response)->status == ok ? read_receipt((*response)->body)
                                   : result<gate_receipt>{read_error_document((*response)->body)};
}

std::optional<status> ask_cancel(const std::filesystem::path& database, const cancel_run& what) {
  const auto response = ask_owner(
      database,
      {"POST", "/v1/runs/" + encode_segment(what.run.str()) + "/cancel", what.at_once ? R"({"at_once":true})" : ""});
  if (!response) {
    return std::nullopt;
  }
  if (!*response) {
    return status{unanswered(response->error(), "the order")};
  }
  return (*response)->status == accepted ? status{done} : status{read_error_document((*response)->body)};
}

status ask_log_level(const std::filesystem::path& database, log_level level) {
  const auto response = ask(database, {"PUT", "/v1/log-level", object_writer{}.text("level", to_string(level)).str()});
  if (!response) {
    return response.error();
  }
  return response->status == ok ? status{done} : status{refused(*response)};
}

}  // namespace troupe

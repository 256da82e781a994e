#include "runtime/http/control_door.hpp"

#include "actors/json/json.hpp"
#include "runtime/json/error_json.hpp"
#include "runtime/json/gate_json.hpp"
#include "runtime/json/json_writer.hpp"
#include "runtime/json/limits_json.hpp"
#include "runtime/json/node_json.hpp"
#include "runtime/observe/log.hpp"
#include "runtime/os/local_socket.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe {
namespace {

constexpr int ok = 200;
constexpr int accepted = 202;
constexpr int bad_request = 400;
constexpr int not_found = 404;
constexpr int method_not_allowed = 405;
constexpr int conflict = 409;
constexpr int service_unavailable = 503;

http_response refused(int status, const error& why) { return {status, error_document(why)}; }

http_response get_tree(const control_ports& node) {
  const auto tree = node.tree();
  return tree ? http_response{ok, tree_json(*tree, node.pid)} : refused(service_unavailable, tree.error());
}

http_response get_health(const control_ports& node) {
  const auto health = node.health();
  if (!health) {
    const bool nobody_looks = health.error().code == error_code::not_found;
    return refused(nobody_looks ? not_found : service_unavailable, health.error());
  }
  return {health->healthy() ? ok : service_unavailable, health_json(*health)};
}

http_response get_limits(const control_ports& node) {
  const auto limits = node.limits();
  return limits ? http_response{ok, limits_json(*limits, node.pid)} : refused(service_unavailable, limits.error());
}

http_response get_faults(const control_ports& node) { return {ok, faults_json(node.faults(), node.pid)}; }

std::optional<log_level> level_in(std::string_view body) {
  const auto value = parse(body);
  const auto* const name = value ? find(*value, "/level") : nullptr;
  if (name == nullptr || !name->is_string()) {
    return std::nullopt;
  }
  return log_level_from(std::string_view{name->get_string()});
}

http_response put_log_level(const http_request& request, const control_ports& node) {
  const auto level = level_in(request.body);
  if (!level) {
    return refused(bad_request,
                   {error_code::invalid_input,
                    "the body names no level; nothing was changed",
                    R"(send {"level":"debug"}, or trace, info, warn, error, off)"});
  }
  node.set_log_level(*level);
  return {ok, object_writer{}.text("level", to_string(*level)).str()};
}

int status_of(error_code code) {
  if (code == error_code::not_found) {
    return not_found;
  }
  if (code == error_code::invalid_input) {
    return bad_request;
  }
  const bool came_too_late = code == error_code::cancelled || code == error_code::idempotency_violation;
  return came_too_late ? conflict : service_unavailable;
}

http_response get_pending(const control_ports& node) {
  const auto pending = node.pending();
  return pending ? http_response{ok, pending_json(*pending)}
                 : refused(status_of(pending.error().code), pending.error());
}

http_response post_decision(const run_id& run,
                            const step_id& step,
                            const http_request& request,
                            const control_ports& node) {
  auto asked = read_decision(request.body);
  if (!asked) {
    return refused(bad_request, asked.error());
  }
  asked->which.step = step;
  const auto receipt = node.decide(run, asked->which, asked->decision);
  return receipt ? http_response{ok, receipt_json(*receipt)}
                 : refused(status_of(receipt.error().code), receipt.error());
}

http_response post_cancel(const run_id& run, const http_request& request, const control_ports& node) {
  const auto body = parse(request.body.empty() ? "{}" : request.body);
  const auto* const at_once = body ? find(*body, "/at_once") : nullptr;
  if (!body || !body->is_object() || (at_once != nullptr && !at_once->is_bool())) {
    return refused(bad_request,
                   {error_code::invalid_input, "the body is not understood", R"(send {"at_once":true}, or nothing)"});
  }
  const auto before = node.cancel({run, at_once != nullptr && at_once->get_bool()});
  if (!before) {
    return refused(status_of(before.error().code), before.error());
  }
  const std::string state{to_string(before->state)};
  if (is_final(before->state)) {
    return refused(conflict,
                   {error_code::invalid_input,
                    "run " + run.str() + " has ended: " + state,
                    "only a run that is unfinished can be cancelled"});
  }
  return {accepted, object_writer{}.text("run", run.str()).text("state", state).str()};
}

// The decoded segments of `/v1/runs/...`; none where the target is another, or not encoded well.
std::vector<std::string> segments_below_runs(std::string_view target) {
  constexpr std::string_view runs = "/v1/runs/";
  std::vector<std::string> segments;
  if (!target.starts_with(runs)) {
    return segments;
  }
  target.remove_prefix(runs.size());
  for (;;) {
    const auto slash = target.find('/');
    auto segment = decode_segment(target.substr(0, slash));
    if (!segment || segment->empty()) {
      return {};
    }
    segments.push_back(*std::move(segment));
    if (slash == std::string_view::npos) {
      return segments;
    }
    target.remove_prefix(slash + 1);
  }
}

http_response wrong_method(const http_request& request, std::string_view right) {
  return refused(
      method_not_allowed,
      {error_code::invalid_input, request.target + " does not know " + request.method, "use " + std::string{right}});
}

// What is done to one run; nothing where the target means none.
std::optional<http_response> act_on_run(const http_request& request, const control_ports& node) {
  const auto segments = segments_below_runs(request.target);
  const bool cancels = segments.size() == 2 && segments[1] == "cancel";
  const bool decides = segments.size() == 3 && segments[1] == "gates";
  if (!cancels && !decides) {
    return std::nullopt;
  }
  if (request.method != "POST") {
    return wrong_method(request, "POST");
  }
  const run_id run{segments[0]};
  return cancels ? post_cancel(run, request, node) : post_decision(run, step_id{segments[2]}, request, node);
}

struct route {
  std::string_view target;
  std::string_view method;
  http_response (*answer)(const http_request&, const control_ports&);
};

constexpr route routes[] = {
    {"/v1/tree", "GET", [](const http_request&, const control_ports& node) { return get_tree(node); }},
    {"/healthz", "GET", [](const http_request&, const control_ports& node) { return get_health(node); }},
    {"/v1/limits", "GET", [](const http_request&, const control_ports& node) { return get_limits(node); }},
    {"/v1/faults", "GET", [](const http_request&, const control_ports& node) { return get_faults(node); }},
    {"/v1/log-level", "PUT", put_log_level},
    {"/v1/pending", "GET", [](const http_request&, const control_ports& node) { return get_pending(node); }},
};

std::optional<std::string> answer(std::string_view so_far, const control_ports& node) {
  http_request request;
  switch (read_request(so_far, request)) {
    case http_progress::needs_more:
      return std::nullopt;
    case http_progress::malformed:
      return write(refused(bad_request, {error_code::invalid_input, "this is no request that is understood here", ""}));
    case http_progress::whole:
      return write(respond(request, node));
  }
  return std::nullopt;
}

}  // namespace

http_response respond(const http_request& request, const control_ports& node) {
  for (const auto& each : routes) {
    if (request.target != each.target) {
      continue;
    }
    if (request.method != each.method) {
      return wrong_method(request, each.method);
    }
    return each.answer(request, node);
  }
  if (auto done_to_run = act_on_run(request, node)) {
    return *std::move(done_to_run);
  }
  std::string known;
  for (const auto& each : routes) {
    known += (known.empty() ? "try " : ", ") + std::string{each.target};
  }
  known += ", /v1/runs/ID/cancel, /v1/runs/ID/gates/STEP";
  return refused(not_found, {error_code::not_found, "there is nothing at " + request.target, std::move(known)});
}

std::filesystem::path control_path(const std::filesystem::path& database) {
  std::filesystem::path path = database;
  path += ".control";
  return path;
}

control_door::control_door(std::unique_ptr<local_server> server) : server_(std::move(server)) {}

control_door::~control_door() = default;

result<std::unique_ptr<control_door>> control_door::open(const std::filesystem::path& database, control_ports node) {
  auto server = local_server::listen(
      control_path(database), [node = std::move(node)](std::string_view so_far) { return answer(so_far, node); });
  if (!server) {
    return server.error();
  }
  return std::unique_ptr<control_door>{new control_door{*std::move(server)}};
}

}  // namespace troupe

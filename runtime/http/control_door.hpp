// The door of a running node for other processes of its user: a Unix socket beside the database, `<database>.control`,
// that speaks HTTP.
//
//   GET /v1/tree        the live tree: runtime/json/node_json.hpp
//   GET /healthz        whether every part answers: 200, or 503 (404: runtime.health_every is 0); the same header
//   GET /v1/limits      what is let begin, and what waits: runtime/json/limits_json.hpp
//   GET /v1/faults      the failures that it was ordered to have, and how many it had; the same header
//   PUT /v1/log-level   {"level":"debug"}: from now on, until the process ends
//   GET /v1/pending     what waits for people: runtime/json/gate_json.hpp
//   POST /v1/runs/{id}/gates/{step}   a decision; the same header. 404, 400, 409: it was refused
//   POST /v1/runs/{id}/cancel         {"at_once":true}, or nothing: 202; its end is told by its rows. 409: it has ended
#pragma once

#include "actors/fault_plan.hpp"
#include "config/settings.hpp"
#include "messages/base/result.hpp"
#include "messages/base/time.hpp"
#include "messages/control.hpp"
#include "messages/health.hpp"
#include "messages/limits.hpp"
#include "messages/supervision.hpp"
#include "messages/views.hpp"
#include "runtime/gate_question.hpp"
#include "runtime/http/http_exchange.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <vector>

namespace troupe {

class local_server;

/// Within so long a command has its answer, or the word that nobody knows. Who asks waits longer.
inline constexpr milliseconds command_patience{3'000};

/// What the door opens to. Called on threads of its own, several at once; each may block for a moment.
struct control_ports {
  std::int64_t pid = 0;
  std::function<result<tree_view>()> tree;
  std::function<result<health_view>()> health;
  std::function<result<node_limits>()> limits;
  std::function<std::vector<fault_view>()> faults;
  std::function<void(log_level)> set_log_level;
  std::function<result<std::vector<pending_view>>()> pending;
  std::function<result<gate_receipt>(const run_id&, const gate_question&, const gate_decision&)> decide;
  std::function<result<run_view>(const cancel_run&)>
      cancel;  ///< The run as it was. Nothing happens to one that has ended.
};

/// The answer to one request; an error is the document of the contract, section 5.
http_response respond(const http_request& request, const control_ports& node);

std::filesystem::path control_path(const std::filesystem::path& database);

class control_door {
 public:
  /// Only for the holder of the database's lease: a socket that is there is a dead process's. Errors of local_server.
  static result<std::unique_ptr<control_door>> open(const std::filesystem::path& database, control_ports node);

  ~control_door();
  control_door(const control_door&) = delete;
  control_door& operator=(const control_door&) = delete;

 private:
  explicit control_door(std::unique_ptr<local_server> server);
  std::unique_ptr<local_server> server_;
};

}  // namespace troupe

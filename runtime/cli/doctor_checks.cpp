#include "runtime/cli/doctor_checks.hpp"

#include "runtime/cli/faults.hpp"
#include "runtime/cli/human_time.hpp"
#include "runtime/cli/printed_text.hpp"
#include "runtime/cli/stored_runs.hpp"
#include "runtime/http/control_client.hpp"
#include "runtime/os/process_reactor.hpp"
#include "storage/check.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <future>
#include <sstream>

namespace troupe {
namespace {

namespace fs = std::filesystem;

checkup good(std::string name, std::string found) {
  return {.name = std::move(name), .state = health::ok, .found = std::move(found), .advice = {}};
}

checkup bad(std::string name, health state, std::string found, std::string advice, exit_code code = exit_code::failed) {
  return {.name = std::move(name),
          .state = state,
          .found = std::move(found),
          .advice = std::move(advice),
          .if_failed = code};
}

/// The folder, or the nearest one above it that is there.
fs::path nearest_folder(fs::path folder) {
  std::error_code unknown;
  while (!fs::is_directory(folder, unknown) && folder.has_relative_path()) {
    folder = folder.parent_path();
  }
  return folder;
}

/// By doing it: permissions alone do not say it (read-only file systems, quotas).
bool can_write_in(const fs::path& folder) {
  const fs::path probe = folder / ".troupe-doctor";
  std::ofstream file{probe};
  file << "x";
  file.close();
  std::error_code unknown;
  fs::remove(probe, unknown);
  return !file.fail();
}

checkup check_existing_database(const settings& values) {
  constexpr std::int64_t quick_bytes = std::int64_t{256} << 20U;
  const auto info = describe_database(storage_of(values));
  if (!info) {
    return bad("database", health::fail, info.error().message, info.error().hint, exit_code::storage);
  }
  const std::string facts =
      values.storage.path + ", " + human_bytes(info->file_bytes) + ", schema " + std::to_string(info->schema_version);
  if (info->file_bytes > quick_bytes) {
    return good("database", facts + "; too large to read it all here: troupe db check");
  }
  const auto findings = check_database(storage_of(values));
  if (!findings) {
    return bad("database", health::fail, findings.error().message, findings.error().hint, exit_code::storage);
  }
  if (!findings->empty()) {
    return bad("database",
               health::fail,
               facts + ": " + counted(static_cast<std::int64_t>(findings->size()), "fault", "faults") +
                   ", the first: " + printable(findings->front().text),
               "troupe db check lists them; keep a copy of the file before anything else",
               exit_code::storage);
  }
  return good("database", facts + ", intact");
}

std::string all_of(const std::vector<fault_view>& faults) {
  std::string text;
  for (const auto& each : faults) {
    text += (text.empty() ? "" : "; ") + to_text(each);
  }
  return text;
}

}  // namespace

checkup check_configuration(context& with) {
  if (const auto refused = with.load()) {
    return bad("configuration",
               health::fail,
               refused->what.message,
               refused->what.hint.empty() ? "troupe config check tells where" : refused->what.hint,
               exit_code::usage);
  }
  std::string files;
  for (const config_file& each : with.sources().files) {
    std::error_code unknown;
    if (fs::exists(each.path, unknown)) {
      files += (files.empty() ? "" : ", ") + each.path;
    }
  }
  return good("configuration", files.empty() ? "no file; the defaults" : files);
}

checkup check_database_file(const settings& values) {
  const fs::path path = values.storage.path;
  std::error_code unknown;
  const fs::path folder = nearest_folder(path.parent_path());
  if (!can_write_in(folder)) {
    return bad("database",
               health::fail,
               "cannot write in " + folder.string(),
               "make it writable, or name another place with --db or storage.path",
               exit_code::storage);
  }
  return fs::exists(path, unknown) ? check_existing_database(values)
                                   : good("database", path.string() + " will be made by the first run");
}

checkup check_vacuum(const settings& values, timestamp now) {
  const std::string name = "vacuum";
  std::error_code unknown;
  if (!fs::exists(values.storage.path, unknown)) {
    return good(name, "there is no database yet");
  }
  const auto info = describe_database(storage_of(values));
  if (!info) {
    return bad(name, health::warn, "unknown: the database cannot be read", "see the line of the database");
  }
  const database_size size{info->page_size, info->page_count, info->free_pages};
  const auto percent = size.page_count > 0 ? 100 * size.free_pages / size.page_count : 0;
  const auto& last = info->vacuum.last_success;
  const std::string found =
      (last ? "last success " + local_time(*last) : "none yet") + ", " + std::to_string(percent) + " % free";
  if (!values.vacuum.enabled) {
    return good(name, found + "; switched off");
  }
  // Nobody can have vacuumed while nobody was there: what counts is how long a writer has been.
  const bool overdue =
      info->is_held && now - std::max(last.value_or(timestamp{}), info->last_holder->since) > 2 * vacuum_period;
  if (overdue) {
    return bad(name,
               health::fail,
               found + "; two daily passes are missing",
               info->vacuum.last && info->vacuum.last->failure ? info->vacuum.last->failure->message
                                                               : "the log of the process that writes says why",
               exit_code::storage);
  }
  constexpr std::int64_t many = 4;  // times what a pass begins at
  const bool neglected = percent > many * values.vacuum.free_percent &&
                         size.free_bytes() > many * static_cast<std::int64_t>(values.vacuum.free_bytes);
  if (neglected && !info->is_held) {
    return bad(name, health::warn, found + ", " + human_bytes(size.free_bytes()), "troupe db vacuum gives it back");
  }
  return good(name, found);
}

std::optional<checkup> check_node(const settings& values) {
  const std::string name = "running process";
  const auto told = ask_health(values.storage.path);
  if (!told) {
    if (told.error().code == error_code::not_found) {
      return std::nullopt;
    }
    return bad(name, health::fail, told.error().message, told.error().hint);
  }
  if (told->healthy()) {
    return good(name, "its " + std::to_string(told->actors.size()) + " lasting actors answer");
  }
  std::vector<std::string> ill;
  for (const auto& each : told->actors) {
    if (!each.well) {
      ill.push_back(each.name + " does not answer");
    }
  }
  for (const auto& each : told->jobs) {
    if (!each.well) {
      ill.push_back(each.name + " is overdue");
    }
  }
  return bad(name, health::fail, listed(ill), "its log says more; troupe doctor --actors shows what waits");
}

std::optional<checkup> check_running_faults(const settings& values) {
  const auto told = ask_faults(values.storage.path);
  if (!told || told->faults.empty()) {
    return std::nullopt;
  }
  return bad("running faults",
             health::warn,
             all_of(told->faults),
             "runs of process " + std::to_string(told->pid) + " fail so on purpose, as " + faults_variable +
                 " ordered when it started");
}

checkup check_disk_space(const settings& values) {
  constexpr std::uintmax_t little = std::uintmax_t{1} << 30U;
  constexpr std::uintmax_t too_little = std::uintmax_t{64} << 20U;
  std::error_code fault;
  const fs::path folder = nearest_folder(fs::path{values.storage.path}.parent_path());
  const fs::space_info space = fs::space(folder, fault);
  if (fault) {
    return bad("disk", health::warn, "cannot ask how much is free in " + folder.string(), fault.message());
  }
  const std::string found = human_bytes(static_cast<std::int64_t>(space.available)) + " free in " + folder.string();
  if (space.available >= little) {
    return good("disk", found);
  }
  const health state = space.available < too_little ? health::fail : health::warn;
  return bad("disk", state, found, "make room, or name another place with storage.path", exit_code::storage);
}

checkup check_custodian(const settings& values) {
  constexpr milliseconds patience{5'000};
  const std::string advice = "it is installed beside troupe as troupe-custodian; runtime.custodian names another place";
  const auto ended = std::make_shared<std::promise<process_end>>();
  auto end = ended->get_future();
  const auto groups = values.runtime.cgroup == cgroup_use::off ? control_groups::none : control_groups::where_possible;
  process_reactor reactor{{.custodian = values.runtime.custodian, .groups = groups}};
  process_request what;
  what.argv = {"/bin/true"};
  const auto since = std::chrono::steady_clock::now();
  process_listener listener;
  listener.ended = [ended](process_end reached) { ended->set_value(std::move(reached)); };
  reactor.start(what, std::move(listener));
  if (end.wait_for(patience) != std::future_status::ready) {
    return bad("custodian", health::fail, "it did not start a process within 5 s", advice);
  }
  const process_end reached = end.get();
  if (reached.exit.start_failure) {
    return bad("custodian", health::fail, reached.exit.start_failure->message, advice);
  }
  if (reached.exit.exit_code != 0) {
    return bad("custodian", health::fail, "a process that it started did not end well", advice);
  }
  const auto took = std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - since);
  return good("custodian", "started a process and saw its end in " + to_text(took));
}

std::vector<checkup> check_agents(context& with) {
  const std::vector<problem> missing = check_needs(with.config(), with.environment());
  std::vector<checkup> all;
  for (const auto& [name, spec] : with.settings()->agents) {
    const bool is_command = spec.kind == agent_kind::command;
    if (is_command && spec.command.empty()) {
      continue;
    }
    const std::string key = "agents." + name.str() + ".";
    const auto found = std::ranges::find_if(missing, [&](const problem& each) { return each.key.starts_with(key); });
    const std::string label = "agent " + name.str();
    all.push_back(found == missing.end() ? good(label, is_command ? spec.command.front() : spec.endpoint)
                                         : bad(label, health::warn, found->message, found->hint));
  }
  return all;
}

checkup check_faults(context& with) {
  const std::string name = "faults";
  const auto plan = ordered_faults(with);
  if (!plan) {
    return bad(name, health::fail, plan.error().message, plan.error().hint, exit_code::usage);
  }
  if (*plan == nullptr) {
    return good(name, "none are injected");
  }
  return bad(
      name,
      health::warn,
      all_of((*plan)->view()),
      "runs that are started from here fail so on purpose; unset " + std::string{faults_variable} + " for the truth");
}

checkup check_open_files() {
  constexpr long wanted = 4'096;
  std::ifstream limits{"/proc/self/limits"};
  const std::string prefix = "Max open files";
  for (std::string line; std::getline(limits, line);) {
    if (!line.starts_with(prefix)) {
      continue;
    }
    std::istringstream numbers{line.substr(prefix.size())};
    std::string soft;
    std::string hard;
    numbers >> soft >> hard;
    const std::string found = hard + " at most (four for each agent that runs)";
    return hard != "unlimited" && std::stol(hard) < wanted
               ? bad("open files", health::warn, found, "raise it for many agents at once: ulimit -Hn 65536")
               : good("open files", found);
  }
  return bad("open files", health::warn, "unknown: /proc is not there", "agents cannot be kept without /proc");
}

checkup check_terminal(context& with) {
  const output& err = with.err();
  if (!err.is_terminal()) {
    return good("terminal", "none; runs tell their progress line by line");
  }
  std::string found = std::to_string(err.width()) + " columns, ";
  found += err.look().colour ? "colours" : "no colours";
  if (err.look().unicode) {
    return good("terminal", found + ", Unicode");
  }
  return bad("terminal", health::warn, found + ", ASCII only", "a UTF-8 locale (LANG=C.UTF-8) has better signs");
}

}  // namespace troupe

// troupe doctor
#include "runtime/cli/arguments.hpp"
#include "runtime/cli/commands.hpp"
#include "runtime/cli/doctor_checks.hpp"
#include "runtime/cli/limits_text.hpp"
#include "runtime/cli/printed_text.hpp"
#include "runtime/cli/tree_text.hpp"
#include "runtime/http/control_client.hpp"
#include "runtime/json/json_writer.hpp"
#include "runtime/observe/log.hpp"

#include <CLI/Option.hpp>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace troupe {
namespace {

std::string_view name_of(health state) noexcept {
  switch (state) {
    case health::ok:
      return "ok";
    case health::warn:
      return "warn";
    case health::fail:
      return "fail";
  }
  return "fail";
}

sign sign_of(health state) noexcept {
  switch (state) {
    case health::ok:
      return sign::good;
    case health::warn:
      return sign::warned;
    case health::fail:
      return sign::failed;
  }
  return sign::failed;
}

std::string json_of(const std::vector<checkup>& all, bool healthy) {
  list_writer list;
  for (const checkup& each : all) {
    list.raw(object_writer{}
                 .text("name", each.name)
                 .text("state", name_of(each.state))
                 .text("found", each.found)
                 .text_or_null("advice", each.advice)
                 .str());
  }
  return object_writer{}.boolean("healthy", healthy).raw("checks", list.str()).str();
}

void print(output& out, const std::vector<checkup>& all, bool quiet) {
  constexpr int name_width = 16;
  for (const checkup& each : all) {
    if (quiet && each.state == health::ok) {
      continue;
    }
    out.line(out.look().mark(sign_of(each.state)) + ' ' + pad_right(name_of(each.state), 5) +
             pad_right(each.name, name_width) + printable(each.found));
    if (!each.advice.empty()) {
      out.line(std::string(8, ' ') + out.look().paint(ink::cyan, "hint:") + ' ' + printable(each.advice));
    }
  }
}

timestamp time_of_day_now() { return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now()); }

std::vector<checkup> examine(context& with) {
  std::vector<checkup> all{check_configuration(with)};
  if (with.settings() != nullptr) {
    const settings& values = *with.settings();
    all.push_back(check_database_file(values));
    all.push_back(check_vacuum(values, time_of_day_now()));
    for (auto&& of_node : {check_node(values), check_running_faults(values)}) {
      if (of_node) {
        all.push_back(*of_node);
      }
    }
    all.push_back(check_disk_space(values));
    all.push_back(check_custodian(values));
    std::ranges::move(check_agents(with), std::back_inserter(all));
  }
  all.push_back(check_faults(with));
  all.push_back(check_open_files());
  all.push_back(check_terminal(with));
  return all;
}

struct doctor_options {
  bool actors = false;
  bool limits = false;
  std::optional<std::string> log_level;
};

/// The whole tree of the process that has the database.
exit_code print_actors(context& with) {
  const auto live = ask_tree(with.settings()->storage.path);
  if (!live) {
    return refuse(with, live.error());
  }
  if (with.options().json) {
    with.print_json(tree_json(live->tree, live->pid));
    return exit_code::completed;
  }
  with.note("process " + std::to_string(live->pid));
  with.out().write(tree_text(live->tree.children, with.out().width(), with.out().look()));
  return exit_code::completed;
}

exit_code print_limits(context& with) {
  const auto live = ask_limits(with.settings()->storage.path);
  if (!live) {
    return refuse(with, live.error());
  }
  if (with.options().json) {
    with.print_json(limits_json(live->limits, live->pid));
    return exit_code::completed;
  }
  with.note("process " + std::to_string(live->pid));
  with.out().write(limits_text(live->limits, time_of_day_now(), with.out().width(), with.out().look()));
  return exit_code::completed;
}

exit_code change_log_level(context& with, const std::string& name) {
  const auto level = log_level_from(name).value_or(log_level::info);  // one of the choices
  if (const auto changed = ask_log_level(with.settings()->storage.path, level); !changed) {
    return refuse(with, changed.error());
  }
  if (with.options().json) {
    with.print_json(object_writer{}.text("level", name).str());
  }
  with.note("the running process logs from " + name + " on, until it ends");
  return exit_code::completed;
}

exit_code look_into_node(context& with, const doctor_options& options) {
  if (const auto refused = with.load()) {
    return refuse(with, *refused);
  }
  if (options.log_level) {
    const auto changed = change_log_level(with, *options.log_level);
    if (changed != exit_code::completed || !(options.actors || options.limits)) {
      return changed;
    }
  }
  return options.limits ? print_limits(with) : print_actors(with);
}

exit_code doctor(context& with, const doctor_options& options) {
  if (options.actors || options.limits || options.log_level) {
    return look_into_node(with, options);
  }
  const std::vector<checkup> all = examine(with);
  const auto failed = std::ranges::find(all, health::fail, &checkup::state);
  if (with.options().json) {
    with.print_json(json_of(all, failed == all.end()));
  } else {
    print(with.out(), all, with.options().quiet);
  }
  return failed == all.end() ? exit_code::completed : failed->if_failed;
}

}  // namespace

void add_doctor(command_tree& tree) {
  const auto options = std::make_shared<doctor_options>();
  CLI::App& command = tree.add(
      tree.root(),
      {.name = "doctor",
       .summary = "look whether this machine has all that troupe needs, and tell what to do",
       .details =
           "Exits with 0 unless something fails: 2 for the configuration or TROUPE_FAULTS, 7 for the "
           "database or the disk, 1 for anything else. With -q only what is not well. The options below look into the "
           "process that carries out runs now; where there is none, they exit with 2.",
       .examples = {"troupe doctor",
                    "troupe doctor --config review.config.toml",
                    "troupe doctor --actors",
                    "troupe doctor --limits --json",
                    "troupe doctor --log-level debug"}});
  CLI::Option& actors =
      add_flag(command,
               "--actors",
               options->actors,
               "the live actors of the process that has the database: restarts, what waits, how long they live");
  add_flag(command,
           "--limits",
           options->limits,
           "what that process lets begin: use and limits of each provider, breakers, retries and what waits until when")
      .excludes(&actors);
  add_choice(command,
             "--log-level",
             options->log_level,
             log_level_names(),
             "the least severe line that this process logs from now on, until it ends");
  tree.on(command, [options](context& with) { return doctor(with, *options); });
}

}  // namespace troupe

// troupe doctor
#include "runtime/cli/commands.hpp"
#include "runtime/cli/doctor_checks.hpp"
#include "runtime/cli/printed_text.hpp"
#include "runtime/json/json_writer.hpp"

#include <algorithm>
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

std::vector<checkup> examine(context& with) {
  std::vector<checkup> all{check_configuration(with)};
  if (with.settings() != nullptr) {
    const settings& values = *with.settings();
    all.push_back(check_database_file(values));
    all.push_back(
        check_vacuum(values, std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now())));
    all.push_back(check_disk_space(values));
    all.push_back(check_custodian(values));
    std::ranges::move(check_agents(with), std::back_inserter(all));
  }
  all.push_back(check_open_files());
  all.push_back(check_terminal(with));
  return all;
}

exit_code doctor(context& with) {
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
  tree.on(
      tree.add(tree.root(),
               {.name = "doctor",
                .summary = "look whether this machine has all that troupe needs, and tell what to do",
                .details = "Exits with 0 unless something fails: 2 for the configuration, 7 for the database or the "
                           "disk, 1 for anything else. With -q only what is not well.",
                .examples = {"troupe doctor", "troupe doctor --config review.config.toml"}}),
      doctor);
}

}  // namespace troupe

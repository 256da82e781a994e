// troupe db check
#include "runtime/cli/db_commands.hpp"
#include "runtime/cli/printed_text.hpp"
#include "runtime/cli/stored_runs.hpp"
#include "runtime/json/json_writer.hpp"
#include "storage/check.hpp"

namespace troupe {
namespace {

std::string findings_json(const std::vector<finding>& found) {
  list_writer list;
  for (const finding& each : found) {
    list.raw(object_writer{}.text("rule", each.rule).text("text", each.text).str());
  }
  return object_writer{}.boolean("intact", found.empty()).raw("findings", list.str()).str();
}

exit_code check(context& with) {
  if (const auto refused = with.load()) {
    return refuse(with, *refused);
  }
  if (const auto missing = missing_database(*with.settings())) {
    return refuse(with, *missing);
  }
  const auto found = check_database(storage_of(*with.settings()));
  if (!found) {
    return refuse(with, found.error());
  }
  output& out = with.out();
  if (with.options().json) {
    with.print_json(findings_json(*found));
  } else {
    for (const finding& each : *found) {
      out.line(out.look().mark(sign::failed) + ' ' + each.rule + ": " + printable(each.text));
    }
    if (found->empty() && !with.options().quiet) {
      out.line(out.look().mark(sign::good) + " the database is intact");
    }
  }
  return found->empty() ? exit_code::completed : exit_code::storage;
}

}  // namespace

void add_db_check(command_tree& tree, CLI::App& group) {
  tree.on(tree.add(group,
                   {.name = "check",
                    .summary = "read all of the database and look for damage",
                    .details =
                        "SQLite's own checks, then troupe's: every end has its event, event numbers have no gap, every "
                        "large output is there and is what it was. "
                        "Exits with 7 where something is found. Changes nothing.",
                    .examples = {"troupe db check", "troupe db check --db copy.db"}}),
          check);
}

}  // namespace troupe

// troupe db info
#include "runtime/cli/db_commands.hpp"
#include "runtime/cli/human_time.hpp"
#include "runtime/cli/printed_text.hpp"
#include "runtime/cli/stored_runs.hpp"
#include "runtime/json/json_writer.hpp"
#include "storage/check.hpp"

namespace troupe {
namespace {

std::string vacuum_json(const vacuum_history& history) {
  object_writer json;
  json.time("last_success", history.last_success);
  if (!history.last) {
    return json.null("last").str();
  }
  const vacuum_report& last = *history.last;
  object_writer pass;
  pass.text("reason", to_string(last.reason))
      .time("finished_at", last.finished_at)
      .boolean("succeeded", !last.failure.has_value())
      .number("bytes_before", last.bytes_before)
      .number("bytes_after", last.bytes_after)
      .number("reclaimed_bytes", last.reclaimed_bytes)
      .text_or_null("error", last.failure ? last.failure->message : "");
  return json.raw("last", pass.str()).str();
}

std::string vacuum_text(const vacuum_history& history) {
  if (!history.last) {
    return "never";
  }
  const vacuum_report& last = *history.last;
  const std::string when = local_time(last.finished_at) + " (" + std::string{to_string(last.reason)} + "), ";
  return when + (last.failure ? "failed: " + printable(last.failure->message)
                              : human_bytes(last.reclaimed_bytes) + " given back");
}

std::string info_json(const database_info& info) {
  object_writer pragmas;
  for (const auto& [name, value] : info.pragmas) {
    pragmas.text(name, value);
  }
  object_writer runs;
  for (const auto& [state, count] : info.runs) {
    runs.number(to_string(state), count);
  }
  object_writer rows;
  for (const auto& [table_name, count] : info.rows) {
    rows.number(table_name, count);
  }
  object_writer holder;
  if (info.last_holder) {
    holder.number("pid", info.last_holder->pid)
        .text("host", info.last_holder->host)
        .time("since", info.last_holder->since)
        .boolean("alive", info.is_held);
  }
  return object_writer{}
      .text("path", info.path.string())
      .number("file_bytes", info.file_bytes)
      .number("wal_bytes", info.wal_bytes)
      .number("page_size", info.page_size)
      .number("page_count", info.page_count)
      .number("free_pages", info.free_pages)
      .number("schema_version", info.schema_version)
      .number("latest_schema_version", info.latest_schema_version)
      .raw("pragmas", pragmas.str())
      .raw("runs", runs.str())
      .raw("rows", rows.str())
      .number("blobs", info.blobs)
      .number("blob_bytes", info.blob_bytes)
      .raw("vacuum", vacuum_json(info.vacuum))
      .number("epoch", info.epoch.value())
      .raw("last_holder", info.last_holder ? holder.str() : "null")
      .str();
}

std::string info_text(const database_info& info, const style& look) {
  std::string text;
  const auto fact = [&](std::string_view name, const std::string& value) {
    text += look.paint(ink::dim, pad_right(name, 10)) + value + '\n';
  };
  fact("file", info.path.string());
  fact("size",
       human_bytes(info.file_bytes) + ", log " + human_bytes(info.wal_bytes) + ", free " +
           human_bytes(info.free_pages * info.page_size));
  fact("vacuum", vacuum_text(info.vacuum));
  fact("schema",
       std::to_string(info.schema_version) + (info.schema_version == info.latest_schema_version
                                                  ? std::string{}
                                                  : ", this build has " + std::to_string(info.latest_schema_version)));
  std::string runs;
  for (const auto& [state, count] : info.runs) {
    if (count > 0) {
      runs += (runs.empty() ? "" : ", ") + std::to_string(count) + ' ' + std::string{to_string(state)};
    }
  }
  fact("runs", runs.empty() ? "none" : runs);
  fact("blobs",
       info.blobs == 0
           ? std::string{"none"}
           : std::to_string(info.blobs) + (info.blobs == 1 ? " file, " : " files, ") + human_bytes(info.blob_bytes));
  if (info.last_holder) {
    fact("writer",
         "process " + std::to_string(info.last_holder->pid) + " on " + info.last_holder->host + " since " +
             local_time(info.last_holder->since) + " (epoch " + std::to_string(info.epoch.value()) + ')' +
             (info.is_held ? "" : ", which has ended"));
  }
  return text;
}

exit_code info(context& with) {
  if (const auto refused = with.load()) {
    return refuse(with, *refused);
  }
  if (const auto missing = missing_database(*with.settings())) {
    return refuse(with, *missing);
  }
  const auto found = describe_database(storage_of(*with.settings()));
  if (!found) {
    return refuse(with, found.error());
  }
  if (with.options().json) {
    with.print_json(info_json(*found));
  } else {
    with.out().write(info_text(*found, with.out().look()));
  }
  return exit_code::completed;
}

}  // namespace

void add_db_info(command_tree& tree, CLI::App& group) {
  tree.on(tree.add(group,
                   {.name = "info",
                    .summary = "tell where the database is, how large, and what is in it",
                    .details = "",
                    .examples = {"troupe db info", "troupe db info --db old.db --json"}}),
          info);
}

}  // namespace troupe

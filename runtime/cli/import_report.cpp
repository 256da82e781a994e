#include "runtime/cli/import_report.hpp"

#include "runtime/cli/human_time.hpp"
#include "runtime/cli/printed_text.hpp"
#include "runtime/cli/table.hpp"
#include "runtime/json/json_writer.hpp"

#include <filesystem>

namespace troupe {
namespace {

constexpr std::size_t examples_max = 5;

std::string_view in_words(legacy_skip why) noexcept {
  switch (why) {
    case legacy_skip::duplicate_id:
      return "an earlier row has the same id";
    case legacy_skip::no_spec_id:
      return "no spec_id";
    case legacy_skip::no_stage:
      return "no stage";
    case legacy_skip::no_agent:
      return "no agent_name";
    case legacy_skip::no_time:
      return "no time that can be read";
    case legacy_skip::no_content:
      return "no output";
  }
  return "unknown";
}

std::int64_t skipped_in(const legacy_table_facts& facts) {
  std::int64_t sum = 0;
  for (const auto& [why, keys] : facts.skipped) {
    sum += static_cast<std::int64_t>(keys.size());
  }
  return sum;
}

const legacy_table_facts& facts_of(const import_report& report, legacy_table each) {
  return report.tables.at(static_cast<std::size_t>(each));
}

bool is_rehearsal(const import_report& report) { return report.is == import_report::kind::rehearsal; }

std::string table_text(const import_report& report, int width, const style& look) {
  table rows{{{"TABLE", false, true},
              {"READ", true},
              {is_rehearsal(report) ? "TO IMPORT" : "IMPORTED", true},
              {"ALREADY", true},
              {"CHANGED", true},
              {"SKIPPED", true}}};
  for (const auto each : legacy_tables) {
    const auto& facts = facts_of(report, each);
    const auto& tally = report.counts.of(each);
    if (facts.is == legacy_table_facts::presence::missing) {
      rows.add({std::string{to_string(each)}, "none", "", "", "", ""});
    } else {
      rows.add({std::string{to_string(each)},
                std::to_string(facts.read),
                std::to_string(tally.imported),
                std::to_string(tally.already),
                std::to_string(tally.changed),
                std::to_string(skipped_in(facts))});
    }
  }
  return rows.text(width, look);
}

std::string examples_text(const std::vector<std::string>& keys) {
  std::string text;
  for (std::size_t i = 0; i < keys.size() && i < examples_max; ++i) {
    text += (i == 0 ? "" : ", ") + printable(keys[i]);
  }
  return text + (keys.size() > examples_max ? ", ..." : "");
}

std::string skips_text(const import_report& report, const style& look) {
  std::string text;
  for (const auto each : legacy_tables) {
    for (const auto& [why, keys] : facts_of(report, each).skipped) {
      text += look.mark(sign::warned) + ' ' + counted(static_cast<std::int64_t>(keys.size()), "row", "rows") + " of " +
              std::string{to_string(each)} + " skipped, " + std::string{in_words(why)} + ": " + examples_text(keys) +
              '\n';
    }
  }
  return text;
}

std::string oddities_text(const import_report& report, const style& look) {
  std::string text;
  for (const auto each : legacy_tables) {
    const auto& facts = facts_of(report, each);
    const auto tell = [&](std::int64_t count, std::string_view what) {
      if (count > 0) {
        text += look.mark(sign::warned) + ' ' + counted(count, "row", "rows") + " of " + std::string{to_string(each)} +
                ' ' + std::string{what} + '\n';
      }
    };
    tell(facts.ill_formed_utf8, "with text that is not UTF-8: kept as it is");
    tell(facts.invalid_json, "with content_json that is no JSON: kept as it is");
    tell(facts.other_types, "with a number or a blob in the place of a text: stored as text");
  }
  return text;
}

/// What a person has to look at; before an import nothing is expected to be there.
std::vector<legacy_difference> differences_in(const import_report& report) {
  auto all = report.compared.differences;
  if (!is_rehearsal(report)) {
    all.insert(all.end(), report.compared.missing.begin(), report.compared.missing.end());
  }
  return all;
}

std::string differences_text(const import_report& report, const style& look) {
  std::string text;
  const auto told = differences_in(report);
  for (const auto& each : told) {
    text += look.mark(sign::failed) + ' ' + std::string{to_string(each.table)} + ' ' + printable(each.key) + ": " +
            printable(each.what) + '\n';
  }
  const auto untold = mismatches_in(report) - static_cast<std::int64_t>(told.size());
  return untold > 0 ? text + "  and " + counted(untold, "row", "rows") + " more\n" : text;
}

}  // namespace

std::int64_t mismatches_in(const import_report& report) noexcept {
  return report.compared.different() + (is_rehearsal(report) ? 0 : report.compared.absent());
}

std::string import_text(const import_report& report, int width, const style& look) {
  const auto mismatches = mismatches_in(report);
  std::string text = table_text(report, width, look) + skips_text(report, look) + oddities_text(report, look) +
                     differences_text(report, look);
  text += look.mark(mismatches == 0 ? sign::good : sign::failed) + ' ';
  if (is_rehearsal(report)) {
    text += "nothing was written";
  } else {
    text += counted(report.counts.consensuses, "consensus", "consensuses") + " and " +
            counted(report.counts.outputs, "output", "outputs") + " added; every row read again and compared";
  }
  return text + ": " + counted(mismatches, "mismatch", "mismatches") + ", in " + human_duration(report.took) + '\n';
}

std::string import_json(const import_report& report) {
  list_writer tables;
  for (const auto each : legacy_tables) {
    const auto& facts = facts_of(report, each);
    const auto& tally = report.counts.of(each);
    list_writer skipped;
    for (const auto& [why, keys] : facts.skipped) {
      list_writer examples;
      for (std::size_t i = 0; i < keys.size() && i < examples_max; ++i) {
        examples.text(keys[i]);
      }
      skipped.raw(object_writer{}
                      .text("reason", to_string(why))
                      .number("count", static_cast<std::int64_t>(keys.size()))
                      .raw("examples", examples.str())
                      .str());
    }
    tables.raw(object_writer{}
                   .text("table", to_string(each))
                   .boolean("present", facts.is == legacy_table_facts::presence::there)
                   .number("read", facts.read)
                   .number("imported", tally.imported)
                   .number("already", tally.already)
                   .number("changed", tally.changed)
                   .number("skipped", skipped_in(facts))
                   .raw("skipped_by_reason", skipped.str())
                   .number("ill_formed_utf8", facts.ill_formed_utf8)
                   .number("invalid_json", facts.invalid_json)
                   .number("other_types", facts.other_types)
                   .str());
  }
  list_writer differences;
  for (const auto& each : differences_in(report)) {
    differences.raw(
        object_writer{}.text("table", to_string(each.table)).text("row", each.key).text("what", each.what).str());
  }
  return object_writer{}
      .text("source", report.source)
      .text("database", report.target)
      .boolean("dry_run", is_rehearsal(report))
      .raw("tables", tables.str())
      .number("consensuses", report.counts.consensuses)
      .number("outputs", report.counts.outputs)
      .number("mismatches", mismatches_in(report))
      .raw("differences", differences.str())
      .number("duration_ms", std::chrono::duration_cast<milliseconds>(report.took).count())
      .str();
}

json_text import_summary(const import_report& report) {
  legacy_tally all;
  std::int64_t read = 0;
  std::int64_t skipped = 0;
  for (const auto each : legacy_tables) {
    const auto& tally = report.counts.of(each);
    all.imported += tally.imported;
    all.already += tally.already;
    all.changed += tally.changed;
    read += facts_of(report, each).read;
    skipped += skipped_in(facts_of(report, each));
  }
  return json_text{object_writer{}
                       .number("already", all.already)
                       .number("changed", all.changed)
                       .number("imported", all.imported)
                       .number("mismatches", mismatches_in(report))
                       .number("read", read)
                       .number("skipped", skipped)
                       .text("source", std::filesystem::path{report.source}.filename().string())
                       .str()};
}

}  // namespace troupe

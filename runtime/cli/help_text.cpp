// The text of --help.
#include "runtime/cli/command_tree.hpp"
#include "runtime/cli/printed_text.hpp"
#include "runtime/cli/usage_error.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>

namespace troupe {
namespace {

struct entry {
  std::string name;
  std::string what;
};

constexpr int widest_name = 28;  // A longer one stands on a line of its own.

class help_page {
 public:
  help_page(int width, const style& look) : width_(width == 0 ? 100 : std::clamp(width, 40, 100)), look_(look) {}

  void paragraph(std::string_view text) {
    for (const std::string& line : wrap(text, width_)) {
      page_ += line + '\n';
    }
  }

  void heading(std::string_view title) { page_ += '\n' + look_.paint(ink::bold, title) + '\n'; }

  void entries(const std::vector<entry>& all) {
    int indent = 0;
    for (const entry& each : all) {
      indent = std::max(indent, std::min(printed_width(each.name), widest_name));
    }
    indent += 4;
    for (const entry& each : all) {
      add(each, indent);
    }
  }

  void verbatim(std::string_view line) { page_ += "  " + std::string{line} + '\n'; }

  std::string text() && { return std::move(page_); }

 private:
  void add(const entry& each, int indent) {
    std::string line = pad_right("  " + each.name, indent);
    if (printed_width(each.name) > widest_name) {
      page_ += line + '\n';
      line = std::string(static_cast<std::size_t>(indent), ' ');
    }
    for (const std::string& part : wrap(each.what, width_ - indent)) {
      page_ += line + part + '\n';
      line = std::string(static_cast<std::size_t>(indent), ' ');
    }
  }

  int width_;
  const style& look_;
  std::string page_;
};

std::string name_of(const CLI::Option& option) {
  std::string name;
  for (const std::string& each : option.get_snames()) {
    name += (name.empty() ? "-" : ", -") + each;
  }
  for (const std::string& each : option.get_lnames()) {
    name += (name.empty() ? "    --" : ", --") + each;
  }
  if (option.get_items_expected_max() > 0) {
    name += ' ' + option.get_type_name();
  }
  return name;
}

std::vector<entry> arguments_of(const CLI::App& command) {
  std::vector<entry> all;
  for (const CLI::Option* each : command.get_options()) {
    if (each->get_positional()) {
      all.push_back({each->get_name(true), each->get_description()});
    }
  }
  return all;
}

std::vector<entry> options_of(const CLI::App& command, const std::string& group) {
  std::vector<entry> all;
  for (const CLI::Option* each : command.get_options()) {
    if (!each->get_positional() && each->get_group() == group) {
      all.push_back({name_of(*each), each->get_description()});
    }
  }
  return all;
}

std::vector<entry> commands_of(const CLI::App& command) {
  std::vector<entry> all;
  for (const CLI::App* each : command.get_subcommands([](const CLI::App*) { return true; })) {
    all.push_back({each->get_name(), each->get_description()});
  }
  return all;
}

}  // namespace

std::string help_text(const command_tree& tree, const CLI::App& command, int width, const style& look) {
  help_page page{width, look};
  page.paragraph(full_name(command) + ": " + command.get_description());
  if (!command.get_footer().empty()) {
    page.paragraph("\n" + command.get_footer());
  }
  page.heading("Usage");
  page.verbatim(usage_line(tree, command));
  const auto section = [&](const char* title, const std::vector<entry>& entries) {
    if (!entries.empty()) {
      page.heading(title);
      page.entries(entries);
    }
  };
  section("Commands", commands_of(command));
  section("Arguments", arguments_of(command));
  section("Options", options_of(command, "Options"));
  section("Common options", options_of(command, "Common options"));
  if (const auto& examples = tree.examples_of(command); !examples.empty()) {
    page.heading("Examples");
    for (const std::string& each : examples) {
      page.verbatim(each);
    }
  }
  return std::move(page).text();
}

}  // namespace troupe

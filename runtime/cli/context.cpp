#include "runtime/cli/context.hpp"

#include "runtime/cli/printed_text.hpp"
#include "runtime/json/indented.hpp"
#include "runtime/os/terminal.hpp"

#include <algorithm>
#include <cctype>
#include <utility>

namespace troupe {
namespace {

std::string_view value_of(const std::map<std::string, std::string>& environment, const std::string& name) {
  const auto found = environment.find(name);
  return found == environment.end() ? std::string_view{} : std::string_view{found->second};
}

/// Of the locale that the user asked for: the first of these that is set counts (setlocale(3)).
bool speaks_unicode(const std::map<std::string, std::string>& environment) {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    std::string value{value_of(environment, name)};
    if (!value.empty()) {
      std::ranges::transform(value, value.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
      return value.find("utf-8") != std::string::npos || value.find("utf8") != std::string::npos;
    }
  }
  return false;
}

/// https://no-color.org: set and not empty.
bool wants_colour(const std::map<std::string, std::string>& environment, bool no_color, bool terminal) {
  return terminal && !no_color && value_of(environment, "NO_COLOR").empty() && value_of(environment, "TERM") != "dumb";
}

/// In red or yellow the word that says what this line is.
std::string painted(const problem& found, const style& look) {
  std::string text = to_text(found);
  const bool error = found.weight == problem::severity::error;
  const std::string_view word = error ? "error:" : "warning:";
  if (const std::size_t at = text.find(word); at != std::string::npos) {
    text.replace(at, word.size(), look.paint(error ? ink::red : ink::yellow, word));
  }
  return text;
}

}  // namespace

output::output(int descriptor, const std::map<std::string, std::string>& environment, bool no_color)
    : descriptor_(descriptor),
      terminal_(troupe::is_terminal(descriptor)),
      look_{.colour = wants_colour(environment, no_color, terminal_), .unicode = speaks_unicode(environment)} {}

void output::write(std::string_view text) {
  if (gone_ || failed_) {
    return;
  }
  switch (write_all(descriptor_, text)) {
    case write_outcome::written:
      break;
    case write_outcome::reader_gone:
      gone_ = true;
      break;
    case write_outcome::failed:
      failed_ = true;
      break;
  }
}

void output::line(std::string_view text) { write(std::string{text} + '\n'); }

int output::width() const noexcept {
  const auto size = size_of_terminal(descriptor_);
  return size ? size->columns : 0;
}

context::context(const common_options& given,
                 std::map<std::string, std::string> environment,
                 std::string working_directory)
    : options_(given),
      environment_(std::move(environment)),
      working_directory_(std::move(working_directory)),
      out_(standard_output, environment_, given.no_color),
      err_(standard_error, environment_, given.no_color) {}

config_sources context::sources(const std::vector<std::string>& more) const {
  config_sources from;
  from.files = find_config_files(environment_, working_directory_, options_.config_file);
  from.environment = environment_;
  from.working_directory = working_directory_;
  from.assignments = options_.assignments;
  if (options_.database_file) {
    from.assignments.push_back("storage.path=" + json_string(*options_.database_file));
  }
  from.assignments.insert(from.assignments.end(), more.begin(), more.end());
  return from;
}

std::optional<refusal> context::load(const std::vector<std::string>& more) { return load(sources(more)); }

std::optional<refusal> context::load_without_database() { return load({"storage.path=\"/unused/troupe.db\""}); }

std::optional<refusal> context::load(const config_sources& from) {
  config_ = load_config(from);
  if (auto why = first_error(config_.problems)) {
    return refusal{.what = std::move(*why), .where = {}, .problems = config_.problems};
  }
  print(config_.problems);
  return std::nullopt;
}

void context::print_json(std::string_view document) { out_.line(out_.is_terminal() ? indented(document) : document); }

void context::note(std::string_view text) {
  if (!options_.quiet && !options_.json) {
    err_.line(text);
  }
}

void context::print(std::span<const problem> problems) {
  for (const problem& each : problems) {
    err_.line(painted(each, err_.look()));
  }
}

void context::warn(std::string_view text) {
  err_.line(err_.look().paint(ink::yellow, "warning:") + ' ' + std::string{text});
}

exit_code refuse(context& with, const refusal& why) {
  output& err = with.err();
  if (with.options().json) {
    error what = why.what;
    what.hint = named_hint(std::move(what.hint), why.where);
    with.print_json(error_document(what, why.where, why.problems));
    return exit_code_of(why.what.code);
  }
  with.print(why.problems);
  if (why.problems.empty()) {
    err.line(err.look().paint(ink::red, "error:") + ' ' + why.what.message);
    if (!why.what.hint.empty()) {
      err.line(err.look().paint(ink::cyan, "hint:") + ' ' + named_hint(why.what.hint, why.where));
    }
  }
  return exit_code_of(why.what.code);
}

exit_code refuse(context& with, const error& what, const error_place& where) {
  return refuse(with, refusal{.what = what, .where = where, .problems = {}});
}

std::string named_hint(std::string hint, const error_place& where) {
  const auto put = [&](std::string_view word, const std::string& name) {
    const std::size_t at = hint.find(word);
    const bool whole =
        at != std::string::npos && (at == 0 || hint[at - 1] == ' ') &&
        (at + word.size() == hint.size() || std::isalnum(static_cast<unsigned char>(hint[at + word.size()])) == 0);
    if (whole) {
      hint.replace(at, word.size(), name);
    }
  };
  if (where.run) {
    put("RUN", where.run->str());
  }
  if (where.step) {
    put("STEP", where.step->str());
  }
  return hint;
}

}  // namespace troupe

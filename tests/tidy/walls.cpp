#include "tests/tidy/walls.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <map>
#include <optional>

namespace troupe::tidy {
namespace {

using names = std::vector<std::string_view>;

constexpr std::size_t lines_max = 700;

bool starts_with_any(std::string_view text, const names& prefixes) {
  return std::any_of(prefixes.begin(), prefixes.end(), [&](std::string_view p) { return text.starts_with(p); });
}

bool is_header(std::string_view path) { return path.ends_with(".hpp"); }

// The folder of one actor: `actors/run/`; empty for files of actors/ itself and for everything else.
std::string_view actor_folder(std::string_view path) {
  constexpr std::string_view floor = "actors/";
  if (!path.starts_with(floor)) {
    return {};
  }
  const auto slash = path.find('/', floor.size());
  return slash == std::string_view::npos ? std::string_view{} : path.substr(0, slash + 1);
}

// A folder without an actor file holds pure functions (JSON, consensus) that several actors use.
bool has_an_actor(std::string_view folder, const file_set& all) {
  for (auto at = all.lower_bound(folder); at != all.end() && at->starts_with(folder); ++at) {
    if (at->ends_with("_actor.hpp")) {
      return true;
    }
  }
  return false;
}

// --- Floors ----------------------------------------------------------------------------------------------------------

struct floor {
  std::string_view where;  // The longest prefix of a path decides.
  names may_include;       // Prefixes of paths.
};

const std::vector<floor>& floors() {
  static const std::vector<floor> table{
      {"messages/", {"messages/"}},
      {"config/", {"messages/", "config/"}},
      {"storage/", {"messages/", "config/settings.hpp", "storage/"}},
      {"actors/",
       {"messages/", "config/settings.hpp", "config/template_text.hpp", "config/workflow_inputs.hpp", "actors/"}},
      {"actors/blob_writer/", {"messages/", "config/settings.hpp", "storage/", "actors/"}},
      {"actors/database_writer/", {"messages/", "config/settings.hpp", "storage/", "actors/"}},
      {"actors/database_reader/", {"messages/", "config/settings.hpp", "storage/", "actors/"}},
      {"actors/log_checkpointer/", {"messages/", "config/settings.hpp", "storage/", "actors/"}},
      {"runtime/", {"messages/", "config/", "storage/", "actors/", "runtime/", "troupe/"}},
      // Adapters implement ports; they know no actor. The custodian is a program of its own, with nothing beneath it.
      {"runtime/os/", {"messages/", "runtime/os/", "actors/*_port.hpp"}},
      {"runtime/os/custodian/", {"runtime/os/"}},
      {"runtime/http_client/", {"messages/", "runtime/http_client/", "runtime/os/", "actors/*_port.hpp"}},
      {"runtime/include/", {"troupe/"}},
      {"tests/", {"messages/", "config/", "storage/", "actors/", "runtime/", "troupe/", "tests/"}},
      {"perf/", {"messages/", "config/", "storage/", "actors/", "runtime/", "troupe/", "tests/", "perf/"}},
  };
  return table;
}

const floor* floor_of(std::string_view path) {
  const floor* best = nullptr;
  for (const auto& one : floors()) {
    if (path.starts_with(one.where) && (best == nullptr || one.where.size() > best->where.size())) {
      best = &one;
    }
  }
  return best;
}

// `folder/`, a whole path, or `folder/*suffix`.
bool matches(std::string_view name, std::string_view pattern) {
  const auto star = pattern.find('*');
  if (star != std::string_view::npos) {
    return name.starts_with(pattern.substr(0, star)) && name.ends_with(pattern.substr(star + 1));
  }
  return pattern.ends_with('/') ? name.starts_with(pattern) : name == pattern;
}

bool is_ours(const include_line& include) {
  static const names roots{"messages/", "config/", "storage/", "actors/", "runtime/", "tests/", "perf/", "troupe/"};
  return !include.angled || starts_with_any(include.name, roots);
}

// --- Third parties ---------------------------------------------------------------------------------------------------

struct library {
  std::string_view name;
  names headers;      // Prefixes of what stands between the angles.
  names where;        // Prefixes of the paths that may include them.
  names but_not;      // ... except these.
  bool sources_only;  // Never in a header of the product.
};

const std::vector<library>& libraries() {
  static const std::vector<library> table{
      {"OpenSSL", {"openssl/"}, {"messages/base/", "tests/"}, {}, true},
      {"CAF",
       {"caf/"},
       {"messages/interfaces/", "messages/type_ids", "actors/", "runtime/", "tests/", "perf/"},
       {"runtime/os/", "runtime/cli/", "runtime/json/", "runtime/include/"},
       false},
      {"toml++", {"toml++/"}, {"config/", "tests/"}, {}, true},
      {"SQLite", {"SQLiteCpp/", "sqlite3.h", "sqlite3ext.h"}, {"storage/", "tests/", "perf/"}, {}, true},
      {"Boost.JSON",
       {"boost/json"},
       {"actors/", "runtime/", "tests/", "perf/"},
       {"runtime/os/", "runtime/include/"},
       false},
      {"spdlog",
       {"spdlog/", "fmt/"},
       {"actors/", "runtime/", "tests/", "perf/"},
       {"runtime/os/", "runtime/include/"},
       false},
      {"CLI11", {"CLI/"}, {"runtime/cli/", "tests/", "perf/"}, {}, false},
      {"libcurl", {"curl/"}, {"runtime/http_client/", "tests/"}, {}, true},
      {"cpp-httplib", {"httplib.h"}, {"runtime/http/", "tests/", "perf/"}, {}, false},
      {"GoogleTest", {"gtest/", "gmock/"}, {"tests/", "perf/"}, {}, false},
      {"Google Benchmark", {"benchmark/"}, {"perf/"}, {}, false},
  };
  return table;
}

// The operating system: the process seam, the terminal, and storage's locks and free space.
const names& system_headers_in() {
  static const names where{"runtime/os/", "runtime/cli/", "tests/", "perf/"};
  return where;
}

bool is_standard(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char letter) {
    return (letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9') || letter == '_';
  });
}

// --- Text ------------------------------------------------------------------------------------------------------------

struct line_of_text {
  std::size_t number;
  std::string_view text;
};

std::vector<line_of_text> lines_of(std::string_view text) {
  std::vector<line_of_text> lines;
  while (!text.empty()) {
    const auto end = text.find('\n');
    lines.push_back({lines.size() + 1, text.substr(0, end)});
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
  }
  return lines;
}

bool is_word_character(char letter) { return std::isalnum(static_cast<unsigned char>(letter)) != 0 || letter == '_'; }

bool holds_word(std::string_view line, std::string_view word) {
  for (auto at = line.find(word); at != std::string_view::npos; at = line.find(word, at + 1)) {
    const auto end = at + word.size();
    if ((at == 0 || !is_word_character(line[at - 1])) && (end == line.size() || !is_word_character(line[end]))) {
      return true;
    }
  }
  return false;
}

// A string literal that starts as a statement does.
bool holds_sql(std::string_view line) {
  static const names statements{"SELECT ",
                                "INSERT ",
                                "UPDATE ",
                                "DELETE FROM ",
                                "CREATE ",
                                "DROP ",
                                "ALTER ",
                                "PRAGMA ",
                                "SAVEPOINT ",
                                "BEGIN ",
                                "WITH "};
  for (auto at = line.find('"'); at != std::string_view::npos; at = line.find('"', at + 1)) {
    auto rest = line.substr(at + 1);
    if (rest.starts_with('(')) {
      rest.remove_prefix(1);  // of R"(
    }
    if (starts_with_any(rest, statements)) {
      return true;
    }
  }
  return false;
}

struct forbidden_word {
  std::string_view word;
  names where;
  std::string_view why;
};

const std::vector<forbidden_word>& forbidden_words() {
  static const names product{"messages/", "config/", "storage/", "actors/", "runtime/"};
  static const names below{"messages/", "config/", "storage/", "actors/"};
  static const std::vector<forbidden_word> table{
      {"TODO", product, "unfinished work is an issue, not a comment"},
      {"FIXME", product, "unfinished work is an issue, not a comment"},
      {"XXX", product, "unfinished work is an issue, not a comment"},
      {"system_clock::now", below, "reads a clock: take time as a value or from clock_port"},
      {"steady_clock::now", below, "reads a clock: take time as a value or from clock_port"},
      {"sleep_for", below, "sleeps: a timer is a message"},
      {"sleep_until", below, "sleeps: a timer is a message"},
      {"random_device", below, "draws by chance: take a seed"},
  };
  return table;
}

// `code` without what follows a `//` outside of a string; block comments are not used in this repository.
std::string_view without_comment(std::string_view line) {
  bool in_string = false;
  for (std::size_t at = 0; at < line.size(); ++at) {
    if (line[at] == '\\') {
      ++at;
    } else if (line[at] == '"') {
      in_string = !in_string;
    } else if (!in_string && line.substr(at).starts_with("//")) {
      return line.substr(0, at);
    }
  }
  return line;
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r");
  return first == std::string_view::npos ? std::string_view{}
                                         : text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

struct decision_name {
  int number;
  std::string_view slug;
};

std::optional<decision_name> decision_of(std::string_view file_name) {
  constexpr std::string_view end = ".md";
  if (file_name.size() <= 5 + end.size() || !file_name.ends_with(end) || file_name[4] != '-') {
    return std::nullopt;
  }
  int number = 0;
  for (const char digit : file_name.substr(0, 4)) {
    if (digit < '0' || digit > '9') {
      return std::nullopt;
    }
    number = number * 10 + (digit - '0');
  }
  return decision_name{number, file_name.substr(5, file_name.size() - 5 - end.size())};
}

std::string_view base_name(std::string_view path) { return path.substr(path.rfind('/') + 1); }

std::size_t count_of(std::string_view text, std::string_view part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != std::string_view::npos; at = text.find(part, at + part.size())) {
    ++count;
  }
  return count;
}

}  // namespace

std::string to_string(const finding& found) {
  return found.path + (found.line == 0 ? "" : ':' + std::to_string(found.line)) + ": " + found.what;
}

std::vector<include_line> includes_of(std::string_view text) {
  std::vector<include_line> found;
  for (const auto& line : lines_of(text)) {
    auto rest = trimmed(line.text);
    if (!rest.starts_with('#')) {
      continue;
    }
    rest = trimmed(rest.substr(1));
    if (!rest.starts_with("include")) {
      continue;
    }
    rest = trimmed(rest.substr(std::string_view{"include"}.size()));
    if (rest.empty() || (rest.front() != '"' && rest.front() != '<')) {
      continue;
    }
    const bool angled = rest.front() == '<';
    const auto end = rest.find(angled ? '>' : '"', 1);
    if (end != std::string_view::npos) {
      found.push_back({line.number, std::string{rest.substr(1, end - 1)}, angled});
    }
  }
  return found;
}

std::vector<finding> check_floors(const source_file& file, const file_set& all) {
  std::vector<finding> found;
  const auto* const here = floor_of(file.path);
  if (here == nullptr) {
    return {{file.path, 0, "stands on no floor: messages, config, storage, actors, runtime, tests or perf"}};
  }
  const auto report = [&](const include_line& include, const std::string& what) {
    found.push_back({file.path, include.line, '\'' + include.name + "' " + what});
  };
  for (const auto& include : includes_of(file.text)) {
    if (!is_ours(include)) {
      continue;
    }
    const bool is_public = include.name.starts_with("troupe/");
    if (include.angled && !is_public) {
      report(include, "is ours: with quotes");
    }
    if (!all.contains(is_public ? "runtime/include/" + include.name : include.name)) {
      report(include, "is not a path from the root of the repository");
      continue;
    }
    if (std::none_of(here->may_include.begin(), here->may_include.end(), [&](std::string_view pattern) {
          return matches(include.name, pattern);
        })) {
      report(include, "may not be included from " + std::string{here->where});
      continue;
    }
    const auto mine = actor_folder(file.path);
    const auto theirs = actor_folder(include.name);
    if (file.path.starts_with("actors/") && !theirs.empty() && theirs != mine && has_an_actor(theirs, all)) {
      report(include, "is another actor's folder: speak to it by its interface in messages/interfaces/");
    }
  }
  return found;
}

std::vector<finding> check_third_parties(const source_file& file) {
  std::vector<finding> found;
  for (const auto& include : includes_of(file.text)) {
    if (is_ours(include) || is_standard(include.name)) {
      continue;
    }
    const auto report = [&](const std::string& what) {
      found.push_back({file.path, include.line, '<' + include.name + "> " + what});
    };
    const auto library = std::find_if(libraries().begin(), libraries().end(), [&](const auto& one) {
      return starts_with_any(include.name, one.headers);
    });
    if (library != libraries().end()) {
      if (!starts_with_any(file.path, library->where) || starts_with_any(file.path, library->but_not)) {
        report("is " + std::string{library->name} + ", which has no place here");
      } else if (library->sources_only && is_header(file.path) && !starts_with_any(file.path, {"tests/", "perf/"})) {
        report("is " + std::string{library->name} + ", which belongs in a .cpp");
      } else if (include.name.ends_with("/all.hpp") && is_header(file.path)) {
        report("is a whole library in a header");
      }
    } else if (include.name.ends_with(".h")) {
      const bool in_storage = file.path.starts_with("storage/") && !is_header(file.path);
      if (!in_storage && !starts_with_any(file.path, system_headers_in())) {
        report("is the operating system's: runtime/os is the one seam to it");
      }
    } else {
      report("is of a library that no floor names");
    }
  }
  return found;
}

std::vector<finding> check_text(const source_file& file) {
  std::vector<finding> found;
  const auto lines = lines_of(file.text);
  if (is_header(file.path) && std::none_of(lines.begin(), lines.end(), [](const line_of_text& line) {
        return trimmed(line.text) == "#pragma once";
      })) {
    found.push_back({file.path, 0, "has no #pragma once"});
  }
  if (lines.size() > lines_max) {
    found.push_back({file.path,
                     0,
                     "has " + std::to_string(lines.size()) + " lines, more than " + std::to_string(lines_max) +
                         ": it holds more than one idea"});
  }
  static const names may_hold_sql{"storage/", "tests/", "perf/"};
  for (const auto& line : lines) {
    for (const auto& one : forbidden_words()) {
      if (starts_with_any(file.path, one.where) && holds_word(line.text, one.word)) {
        found.push_back({file.path, line.number, std::string{one.word} + ": " + std::string{one.why}});
      }
    }
    if (!starts_with_any(file.path, may_hold_sql) && holds_sql(without_comment(line.text))) {
      found.push_back({file.path, line.number, "SQL outside of storage/"});
    }
  }
  return found;
}

std::vector<finding> check_paths(const source_file& file, std::string_view checkout) {
  // Spelled in two parts, so that this file does not find itself.
  static const std::array<std::string, 3> homes{
      std::string{"/ho"} + "me/", std::string{"/ro"} + "ot/", std::string{"/Us"} + "ers/"};
  // Tests and documents name homes as examples.
  const bool is_example = starts_with_any(file.path, {"tests/", "docs/"}) || file.path.ends_with(".md");
  std::vector<finding> found;
  for (const auto& line : lines_of(file.text)) {
    if (checkout.size() > 1 && line.text.find(checkout) != std::string_view::npos) {
      found.push_back({file.path, line.number, "names the folder of this checkout"});
    }
    for (const auto& home : homes) {
      if (!is_example && line.text.find(home) != std::string_view::npos) {
        found.push_back({file.path, line.number, "names a home folder: " + home});
      }
    }
  }
  return found;
}

std::vector<finding> check_decisions(std::span<const source_file> records) {
  std::vector<finding> found;
  const source_file* index = nullptr;
  std::map<int, std::string_view> by_number;
  for (const auto& record : records) {
    const auto name = base_name(record.path);
    if (name == "README.md") {
      index = &record;
      continue;
    }
    const auto decision = decision_of(name);
    if (!decision) {
      found.push_back({record.path, 0, "is not named NNNN-what-was-decided.md"});
      continue;
    }
    const auto [before, is_new] = by_number.emplace(decision->number, record.path);
    if (!is_new) {
      found.push_back({record.path, 0, "has the number of " + std::string{before->second}});
    }
    if (!record.text.starts_with("# " + std::to_string(decision->number) + ". ")) {
      found.push_back({record.path, 1, "is not headed '# " + std::to_string(decision->number) + ". Title'"});
    }
  }
  int expected = 0;
  for (const auto& [number, path] : by_number) {
    if (number != ++expected) {
      found.push_back({std::string{path}, 0, "leaves out number " + std::to_string(expected)});
      expected = number;
    }
  }
  if (index != nullptr) {
    for (const auto& [number, path] : by_number) {
      const auto times = count_of(index->text, base_name(path));
      if (times != 1) {
        found.push_back(
            {index->path, 0, std::string{base_name(path)} + " is listed " + std::to_string(times) + " times"});
      }
    }
  }
  return found;
}

}  // namespace troupe::tidy

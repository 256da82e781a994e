// The walls of the house, as data and as pure functions over texts: who may include what, and what no file may hold.
// Distribution packages put every header into one place, where a private link hides nothing; so this reads the includes.
#pragma once

#include <cstddef>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::tidy {

/// A file of the repository. `path` is relative to its root, with slashes.
struct source_file {
  std::string path;
  std::string text;
};

struct finding {
  std::string path;
  std::size_t line = 0;  ///< From 1; 0 is the whole file.
  std::string what;

  friend bool operator==(const finding&, const finding&) = default;
};

/// `path:line: what`, as compilers write it.
std::string to_string(const finding& found);

struct include_line {
  std::size_t line = 0;
  std::string name;
  bool angled = false;
};

/// The includes outside of comments, in order.
std::vector<include_line> includes_of(std::string_view text);

/// Every path of the repository, and the headers that the build generates.
using file_set = std::set<std::string, std::less<>>;

/// Includes of ours against the floors: only downward, never another actor's folder, never tests or benchmarks, and only
/// what exists.
std::vector<finding> check_floors(const source_file& file, const file_set& all);

/// Includes of other people's headers, against the table of who may use which library.
std::vector<finding> check_third_parties(const source_file& file);

/// `#pragma once`, the length, marks of unfinished work, SQL above storage, clocks, chance and sleep below runtime.
std::vector<finding> check_text(const source_file& file);

/// Paths of the machine that the file was written on: homes, and `checkout` (absolute, of the repository).
std::vector<finding> check_paths(const source_file& file, std::string_view checkout);

/// Decision records: `NNNN-what.md`, numbered from 1 without a gap or a number used twice, headed `# N. Title`; and where
/// there is an index (docs/adr/README.md), each is listed there exactly once.
std::vector<finding> check_decisions(std::span<const source_file> records);

}  // namespace troupe::tidy

// What a benchmark says: a table while it runs, its goals at the end, and a line of JSON for who compares runs.
#pragma once

#include "perf/statistics.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace troupe::perf {

/// Processor time so far, in seconds.
struct processor_use {
  double all = 0;    ///< Of every processor, busy or not.
  double busy = 0;   ///< With whatever program.
  double ours = 0;   ///< With this program, and its children that have ended.
  double taken = 0;  ///< By the machine below this one, where this one is virtual.
};

processor_use processor_use_so_far();

struct options {
  std::string json;    ///< File to which one line is appended; empty: none.
  std::string svg;     ///< Folder for plots, of the benchmarks that have some; empty: none.
  bool quick = false;  ///< A tenth of the rounds: shows that it works, and no more.

  /// Rounds to measure where `full` are usual.
  std::size_t rounds(std::size_t full) const { return quick ? full / 10 + 2 : full; }
};

/// `--json FILE`, `--svg DIR`, `--quick`. Nothing for anything else, after a line on stderr.
std::optional<options> parse_options(int count, char** arguments);

class report {
 public:
  report(std::string program, options with);

  const options& with() const noexcept { return options_; }

  void section(const std::string& title);
  void figure(const std::string& name, const std::string& unit, const sample& values);
  void remark(const std::string& text) const;

  /// `value` of `requirement` has to be at most `limit`.
  void at_most(const std::string& requirement, const std::string& what, double value, double limit, const char* unit);

  /// slow[i] / fast[i] has to be at least `goal`: by the median, and by Welch's test of the means at p < 0.05.
  void at_least(
      const std::string& requirement, const std::string& what, const sample& slow, const sample& fast, double goal);

  /// The same where nobody asked for a figure.
  void compare(const std::string& what, const sample& slow, const sample& fast);

  /// The goals, how much of the machine others had, and the line of JSON. To be called when every child has ended.
  /// 0, or 1 where the line could not be written. A missed goal is no failure.
  int finish() const;

 private:
  struct ratio {
    double median;
    interval between;
    double p_slower;
  };
  static ratio ratio_of(const sample& slow, const sample& fast);
  void keep(std::string line, std::string json);

  std::string program_;
  options options_;
  processor_use begun_ = processor_use_so_far();
  std::string section_;
  std::vector<std::string> figures_;  ///< JSON
  std::vector<std::string> ratios_;   ///< JSON, as the lines beside them
  std::vector<std::string> lines_;
};

/// The whole of a benchmark's main(): reads the options, lets `measure` fill the report, and ends it. The exit status: of
/// finish(), 1 after an exception, which is told on stderr, 2 where the options are none.
int run_benchmark(const std::string& program, int count, char** arguments, void (*measure)(report&));

}  // namespace troupe::perf

#include "perf/report.hpp"

#include "runtime/json/json_writer.hpp"

#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdarg>
#include <cstdio>
#include <exception>
#include <fstream>
#include <string_view>
#include <thread>
#include <utility>

namespace troupe::perf {
namespace {

constexpr double shown_below = 0.05;

[[gnu::format(printf, 1, 2)]] std::string text(const char* format, ...) {
  std::array<char, 400> line{};
  va_list values;
  va_start(values, format);
  std::vsnprintf(line.data(), line.size(), format, values);
  va_end(values);
  return line.data();
}

bool is_real_time() {
  const int policy = ::sched_getscheduler(0);
  return policy == SCHED_RR || policy == SCHED_FIFO;
}

std::string list_of(const std::vector<std::string>& elements) {
  list_writer list;
  for (const auto& element : elements) {
    list.raw(element);
  }
  return list.str();
}

}  // namespace

// proc_stat(5): user, nice, system, idle, iowait, irq, softirq, steal in ticks; rusage of us and of those we waited for.
processor_use processor_use_so_far() {
  processor_use use;
  std::ifstream file{"/proc/stat"};
  std::string name;
  std::array<double, 8> ticks{};
  file >> name;
  for (auto& value : ticks) {
    file >> value;
    value /= static_cast<double>(::sysconf(_SC_CLK_TCK));
    use.all += value;
  }
  use.taken = ticks[7];
  use.busy = use.all - ticks[3] - ticks[4] - use.taken;
  for (const auto whose : {RUSAGE_SELF, RUSAGE_CHILDREN}) {
    rusage used{};
    ::getrusage(whose, &used);
    for (const auto& part : {used.ru_utime, used.ru_stime}) {
      use.ours += static_cast<double>(part.tv_sec) + static_cast<double>(part.tv_usec) / 1e6;
    }
  }
  return use;
}

std::optional<options> parse_options(int count, char** arguments) {
  options chosen;
  for (int i = 1; i < count; ++i) {
    const std::string_view argument = arguments[i];
    if (argument == "--quick") {
      chosen.quick = true;
    } else if (argument == "--json" && i + 1 < count) {
      chosen.json = arguments[++i];
    } else if (argument == "--svg" && i + 1 < count) {
      chosen.svg = arguments[++i];
    } else {
      std::fprintf(stderr, "%s: usage: [--quick] [--json FILE] [--svg DIR]\n", arguments[0]);
      return std::nullopt;
    }
  }
  return chosen;
}

report::report(std::string program, options with) : program_(std::move(program)), options_(std::move(with)) {
  std::printf("%s, %u processors%s%s\n",
              program_.c_str(),
              std::thread::hardware_concurrency(),
              is_real_time() ? ", before other programs (real-time policy)" : "",
              options_.quick ? ", quick: the figures say little" : "");
}

void report::section(const std::string& title) {
  section_ = title;
  std::printf("\n%-58s %6s %10s %10s %10s\n", title.c_str(), "n", "median", "p95", "p99");
  std::fflush(stdout);
}

void report::figure(const std::string& name, const std::string& unit, const sample& values) {
  const auto told = summarize(values);
  std::printf(
      "  %-56s %6zu %10.3f %10.3f %10.3f %s\n", name.c_str(), told.n, told.median, told.p95, told.p99, unit.c_str());
  std::fflush(stdout);
  object_writer json;
  json.text("section", section_).text("name", name).text("unit", unit);
  json.number("n", static_cast<std::int64_t>(told.n)).real("median", told.median).real("p95", told.p95);
  json.real("p99", told.p99).real("mean", told.mean).real("deviation", told.deviation);
  figures_.push_back(json.str());
}

void report::remark(const std::string& text) const {
  std::printf("  %s\n", text.c_str());
  std::fflush(stdout);
}

void report::keep(std::string line, std::string json) {
  lines_.push_back(std::move(line));
  ratios_.push_back(std::move(json));
}

void report::at_most(
    const std::string& requirement, const std::string& what, double value, double limit, const char* unit) {
  const bool met = value <= limit;
  object_writer json;
  json.text("requirement", requirement).text("what", what).real("value", value).real("at_most", limit);
  json.text("unit", unit).boolean("met", met);
  keep(text("%-6s %-62s %8.3f %s; at most %g: %s",
            requirement.c_str(),
            what.c_str(),
            value,
            unit,
            limit,
            met ? "met" : "MISSED"),
       json.str());
}

report::ratio report::ratio_of(const sample& slow, const sample& fast) {
  const auto rounds = ratios(slow, fast);
  return {median(rounds), median_interval(rounds), welch_p(slow, fast)};
}

void report::at_least(
    const std::string& requirement, const std::string& what, const sample& slow, const sample& fast, double goal) {
  const auto is = ratio_of(slow, fast);
  const double p = welch_p(slow, scaled(fast, goal));
  const bool reached = is.median >= goal;
  const bool met = reached && p < shown_below;
  object_writer json;
  json.text("requirement", requirement).text("what", what).real("ratio", is.median).real("low", is.between.low);
  json.real("high", is.between.high).real("p_slower", is.p_slower).real("at_least", goal).real("p_goal", p);
  json.boolean("met", met);
  keep(text("%-6s %-62s %7.2fx [%.2f, %.2f]; at least %g: %s (p = %.2g)",
            requirement.c_str(),
            what.c_str(),
            is.median,
            is.between.low,
            is.between.high,
            goal,
            met       ? "met"
            : reached ? "NOT SHOWN"
                      : "MISSED",
            p),
       json.str());
}

void report::compare(const std::string& what, const sample& slow, const sample& fast) {
  const auto is = ratio_of(slow, fast);
  object_writer json;
  json.text("what", what).real("ratio", is.median).real("low", is.between.low).real("high", is.between.high);
  json.real("p_slower", is.p_slower);
  keep(text("%-6s %-62s %7.2fx [%.2f, %.2f]", "", what.c_str(), is.median, is.between.low, is.between.high),
       json.str());
}

int report::finish() const {
  std::printf("\nratios: median of the rounds [its 95 %% interval]; p: Welch's test that the goal is exceeded\n");
  for (const auto& line : lines_) {
    std::printf("  %s\n", line.c_str());
  }
  const auto now = processor_use_so_far();
  const double all = now.all - begun_.all;
  const double others = std::max(0.0, now.busy - begun_.busy - (now.ours - begun_.ours)) / all;
  const double taken = (now.taken - begun_.taken) / all;
  std::printf("  other programs had %.0f %% of the processors, the machine below %.0f %%%s\n",
              100 * others,
              100 * taken,
              others + taken > 0.1 && !is_real_time() ? ": too much to trust these figures" : "");
  std::fflush(stdout);
  if (options_.json.empty()) {
    return 0;
  }
  object_writer line;
  line.text("program", program_);
  line.time("at", std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now()));
  line.number("processors", std::thread::hardware_concurrency()).boolean("quick", options_.quick);
  line.boolean("real_time", is_real_time());
  line.real("others", others).real("taken", taken);
  line.raw("figures", list_of(figures_)).raw("ratios", list_of(ratios_));
  std::ofstream file{options_.json, std::ios::app};
  file << line.str() << '\n' << std::flush;
  if (!file) {
    std::fprintf(stderr, "%s: cannot write %s\n", program_.c_str(), options_.json.c_str());
    return 1;
  }
  return 0;
}

int run_benchmark(const std::string& program, int count, char** arguments, void (*measure)(report&)) {
  const auto chosen = parse_options(count, arguments);
  if (!chosen) {
    return 2;
  }
  try {
    report to{program, *chosen};
    measure(to);
    return to.finish();
  } catch (const std::exception& thrown) {
    std::fprintf(stderr, "%s: %s\n", program.c_str(), thrown.what());
    return 1;
  }
}

}  // namespace troupe::perf

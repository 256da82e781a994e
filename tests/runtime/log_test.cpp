// The log: each line whole, and what it belongs to in fields (OB-3).
#include "runtime/observe/log.hpp"

#include "actors/json/json.hpp"
#include "actors/log_place.hpp"
#include "messages/base/time.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace troupe {
namespace {

using testing::ContainsRegex;
using testing::EndsWith;
using testing::IsEmpty;
using testing::SizeIs;

class log_test : public testing::Test {
 protected:
  ~log_test() override { start_log({}, {}); }

  void start(log_format format, log_level level = log_level::info) {
    log_settings settings;
    settings.format = format;
    settings.level = level;
    start_log(settings, [this](std::string_view line) {
      const std::scoped_lock lock{guard_};
      lines_.emplace_back(line);
    });
  }

  // Of one line; `nothing` where the field is not there.
  static std::string field(const std::string& line, const std::string& name) {
    const auto value = parse(line);
    EXPECT_TRUE(value.has_value()) << line;
    const auto* const found = value ? find(*value, "/" + name) : nullptr;
    if (found == nullptr) {
      return "nothing";
    }
    return found->is_string() ? std::string{found->get_string()} : canonical(*found).str();
  }

  const log_place place_{run_id{"r-1"}, step_id{"ask"}, task_id{"r-1/2/ask/claude"}, attempt_no{3}};
  std::mutex guard_;
  std::vector<std::string> lines_;
};

TEST_F(log_test, every_json_line_parses_and_has_time_level_and_message) {
  start(log_format::json, log_level::trace);
  spdlog::trace("small");
  spdlog::warn("with \"quotes\", a \\ and a line\nbreak");
  spdlog::error("and \xff bytes that are no UTF-8, \x01 and \t");
  log_at(place_, spdlog::level::err, "{} things", 2);
  ASSERT_THAT(lines_, SizeIs(4));
  for (const auto& line : lines_) {
    EXPECT_THAT(line, EndsWith("}\n"));
    EXPECT_EQ(line.find('\n'), line.size() - 1) << "one line";
    EXPECT_THAT(field(line, "time"), ContainsRegex("^20[0-9-]+T[0-9:.]+Z$"));
    EXPECT_NE(field(line, "level"), "nothing");
    EXPECT_NE(field(line, "message"), "nothing");
  }
  EXPECT_EQ(field(lines_[0], "run"), "nothing");
}

TEST_F(log_test, what_is_known_of_the_place_is_in_fields_of_its_own) {
  start(log_format::json);
  log_at(place_, spdlog::level::warn, "late");
  log_at({run_id{"r-2"}, {}, {}, {}}, spdlog::level::warn, "late");
  spdlog::warn("elsewhere");
  ASSERT_THAT(lines_, SizeIs(3));
  EXPECT_EQ(field(lines_[0], "run"), "r-1");
  EXPECT_EQ(field(lines_[0], "step"), "ask");
  EXPECT_EQ(field(lines_[0], "task"), "r-1/2/ask/claude");
  EXPECT_EQ(field(lines_[0], "attempt"), "3");
  EXPECT_EQ(field(lines_[1], "run"), "r-2");
  EXPECT_EQ(field(lines_[1], "step"), "nothing");
  EXPECT_EQ(field(lines_[2], "run"), "nothing");
}

TEST_F(log_test, people_read_the_place_behind_the_text) {
  start(log_format::human);
  log_at(place_, spdlog::level::warn, "late");
  log_at({run_id{"r-2"}, {}, {}, {}}, spdlog::level::warn, "late");
  spdlog::warn("elsewhere");
  ASSERT_THAT(lines_, SizeIs(3));
  EXPECT_THAT(lines_[0], EndsWith("warning: late (r-1/2/ask/claude, attempt 3)\n"));
  EXPECT_THAT(lines_[1], EndsWith("warning: late (r-2)\n"));
  EXPECT_THAT(lines_[2], EndsWith("warning: elsewhere\n"));
}

TEST_F(log_test, the_level_changes_while_others_log) {
  start(log_format::json, log_level::off);
  spdlog::error("not heard");
  EXPECT_THAT(lines_, IsEmpty());
  set_log_level(log_level::debug);
  std::thread other{[] { spdlog::debug("heard"); }};
  other.join();
  EXPECT_THAT(lines_, SizeIs(1));
  set_log_level(log_level::error);
  spdlog::warn("not heard");
  EXPECT_THAT(lines_, SizeIs(1));
}

TEST_F(log_test, where_lines_go_changes_while_others_log) {
  constexpr int lines = 100'000;
  log_settings human;
  human.level = log_level::info;
  start_log(human, [](std::string_view) {});
  std::atomic<int> said = 0;
  std::vector<std::thread> others(2);
  for (auto& each : others) {
    each = std::thread{[&] {
      while (++said < lines) {
        log_at(place_, spdlog::level::info, "said by somebody");
      }
    }};
  }
  while (said < lines) {
    const auto only_now = std::make_unique<std::vector<std::string>>();  // so that a line after its time is a fault
    start_log(human, [&only_now](std::string_view line) { only_now->emplace_back(line); });
    start_log(human, [](std::string_view) {});
    for (const auto& line : *only_now) {
      EXPECT_THAT(line, EndsWith("info: said by somebody (r-1/2/ask/claude, attempt 3)\n"));
    }
  }
  for (auto& each : others) {
    each.join();
  }
}

}  // namespace
}  // namespace troupe

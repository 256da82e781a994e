// EN-10: a state of 10 MB through the real program: killed, resumed, and bounded in memory and on disk.
#include "messages/base/sha256.hpp"
#include "tests/support/cli_fixture.hpp"
#include "tests/support/processes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>

namespace troupe {
namespace {

constexpr int elements = 900'000;

// What a process had resident at most so far.
std::size_t peak_bytes_of(pid_t pid) {
  std::ifstream status{"/proc/" + std::to_string(pid) + "/status"};
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) {
      return std::stoull(line.substr(6)) * 1'024;
    }
  }
  return 0;
}

class large_state_test : public cli_fixture {
 protected:
  void SetUp() override {
    // Many small values: a parsed list of them is the largest form of such a state.
    write("troupe.toml",
          "[storage]\ndurability = 'normal'\n[agents.large]\nparse = 'json'\noutput_limit = '64MiB'\n"
          "command = ['sh', '-c', '''printf '[\"a\"'; yes ',\"abcdefg\"' | head -n " +
              std::to_string(elements) + " | tr -d '\\n'; printf ']' ''']\n[agents.held]\n" + held_.command());
    std::string toml = R"(
name = "large"
[state.n]
initial = 0
reduce = "sum"
[[step]]
id = "begin"
agent = "large"
output = "list"
next = "s1"
)";
    for (const auto* id : {"s1", "s2", "s3", "s4"}) {
      const std::string next = id[1] == '2'   ? "hold"
                               : id[1] == '4' ? ""
                                              : std::string{'s', static_cast<char>(id[1] + 1)};
      toml += std::string{"[[step]]\nid = '"} + id + "'\nfunction = 'probe.add'\nargs = { field = 'n', value = 1 }\n" +
              (next.empty() ? "" : "next = '" + next + "'\n");
    }
    write("large.toml", toml + "[[step]]\nid = 'hold'\nagent = 'held'\nnext = 's3'\n");
  }

  static std::string list() {
    std::string text = "[\"a\"";
    for (int i = 0; i < elements; ++i) {
      text += ",\"abcdefg\"";
    }
    return text + ']';
  }

  std::uintmax_t database_bytes() const {
    std::uintmax_t bytes = 0;
    for (const auto* end : {"", "-wal"}) {
      std::error_code none;
      const auto size = std::filesystem::file_size(database_path() + end, none);
      bytes += none ? 0 : size;
    }
    return bytes;
  }

  const latch held_{path("held")};
};

TEST_F(large_state_test, survives_a_kill_and_takes_a_bounded_multiple_of_itself) {
  const std::size_t state_bytes = list().size();
  ASSERT_GT(state_bytes, 9'000'000U);
  auto running = start({"run", "large.toml", "--run-id", "r1"});
  ASSERT_TRUE(running.wait_for("hold/held"));
  const auto first_peak = peak_bytes_of(running.pid());
  running.signal(SIGKILL);
  running.wait();
  const auto bytes = database_bytes();

  auto resumed = start({"resume", "r1"});
  // What was killed takes nothing from the latch any more once its successor runs.
  ASSERT_TRUE(becomes_true([&] {
    return std::ranges::any_of(tasks_of("r1"), [](const task_view& task) {
      return task.step.str() == "hold" && task.attempt == attempt_no{2} && task.state == task_state::running;
    });
  }));
  const auto second_peak = peak_bytes_of(resumed.pid());
  held_.let_go();
  const auto result = resumed.wait();
  ASSERT_EQ(result.code, 0) << result.err;
  const auto ended = run_of("r1");
  EXPECT_EQ(ended.state_hash, "sha256:" + sha256_hex(R"({"hold":"go","list":)" + list() + R"(,"n":4})"));
  EXPECT_EQ(ended.state, run_state::completed);
  EXPECT_EQ(tasks_of("r1").size(), 6U);

  // docs/guarantees.md, "How much it may be".
  EXPECT_LT(first_peak, 32 * state_bytes) << static_cast<double>(first_peak) / static_cast<double>(state_bytes);
  EXPECT_LT(second_peak, 32 * state_bytes) << static_cast<double>(second_peak) / static_cast<double>(state_bytes);
  EXPECT_LT(bytes, 16 * state_bytes) << "with the log";
  EXPECT_LT(database_bytes(), 8 * state_bytes);
  EXPECT_LT(database_bytes(), bytes + state_bytes / 2) << "what follows changes little, and is stored as that";
  EXPECT_EQ(run({"db", "check"}).code, 0);
}

}  // namespace
}  // namespace troupe

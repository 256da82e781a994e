// A file that has grown comes down by itself, beside runs and readers; and by command, where nobody writes.
#include "storage/check.hpp"
#include "storage/lease.hpp"
#include "tests/storage/whole_database.hpp"
#include "tests/support/bloated_database.hpp"
#include "tests/support/cli_fixture.hpp"
#include "tests/support/node_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <thread>

namespace troupe {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr std::int64_t mib = std::int64_t{1} << 20U;

class vacuum_node_test : public node_fixture {
 protected:
  void bloat(std::int64_t bytes) {
    storage_options options;
    options.path = database_path();
    make_bloated_database(options, bytes);
  }
  std::int64_t file_bytes() const { return static_cast<std::int64_t>(std::filesystem::file_size(database_path())); }
};

TEST_F(vacuum_node_test, a_bloated_file_comes_down_while_a_run_goes_on_and_others_read) {
  bloat(40 * mib);
  std::int64_t smallest = file_bytes();
  function_table functions;
  functions["test.watch"] = [&](const function_request& request) {
    // A reader of another connection, in and out of transactions as the file shrinks under it.
    SQLite::Database reader{database_path(), SQLite::OPEN_READONLY};
    for (int i = 0; i < 400 && smallest > 5 * mib; ++i) {
      reader.exec("BEGIN");
      EXPECT_EQ(reader.execAndGet("SELECT count(*) FROM archives WHERE length(manifest) > 2").getInt(), 3);
      reader.exec("COMMIT");
      smallest = file_bytes();
      request.sleep(50ms);
    }
    return function_reply{};
  };
  const auto running = start_node("[vacuum]\ncheck_every = '100ms'\n", functions);
  ASSERT_TRUE(running);
  const auto run = run_to_end(*running, "name = 'w'\n[[step]]\nid = 'a'\nfunction = 'test.watch'\n");
  EXPECT_EQ(run.state, run_state::completed);
  EXPECT_LE(smallest, 5 * mib);
  const auto pass = running->vacuum_database();
  ASSERT_TRUE(pass) << pass.error().message;
  EXPECT_EQ(pass->reason, vacuum_reason::manual);
  EXPECT_LT(file_bytes(), mib);
  const auto health = running->vacuum_health();
  ASSERT_TRUE(health);
  EXPECT_TRUE(health->healthy);
  EXPECT_TRUE(health->history.last_success);
  EXPECT_FALSE(health->last_error);
  running->stop(stop_mode::drain);
  storage_options options;
  options.path = database_path();
  EXPECT_TRUE(check_database(options)->empty());
}

TEST_F(vacuum_node_test, vacuum_that_is_switched_off_leaves_the_file_alone) {
  bloat(4 * mib);
  const auto running = start_node("[vacuum]\nenabled = false\n");
  ASSERT_TRUE(running);
  EXPECT_EQ(running->vacuum_database().error().code, error_code::not_found);
  EXPECT_EQ(running->vacuum_health().error().code, error_code::not_found);
  const auto tree = running->tree();
  ASSERT_TRUE(tree);
  EXPECT_EQ(find_child(tree->children, "vacuum"), nullptr);
}

TEST_F(vacuum_node_test, is_part_of_the_tree) {
  const auto running = start_node();
  ASSERT_TRUE(running);
  const auto tree = running->tree();
  ASSERT_TRUE(tree);
  const auto* const vacuum = find_child(tree->children, "vacuum");
  ASSERT_NE(vacuum, nullptr);
  EXPECT_EQ(vacuum->state, child_state::running);
}

class db_vacuum_test : public cli_fixture {
 protected:
  storage_options bloat(std::int64_t bytes) const {
    storage_options options;
    options.path = database_path();
    std::filesystem::create_directories(options.path.parent_path());
    make_bloated_database(options, bytes);
    return options;
  }
  std::int64_t file_bytes() const { return static_cast<std::int64_t>(std::filesystem::file_size(database_path())); }
};

TEST_F(db_vacuum_test, gives_free_space_back_and_tells_how_much) {
  EXPECT_EQ(run({"db", "vacuum"}).code, 2) << "there is none yet";
  bloat(12 * mib);
  EXPECT_THAT(run({"db", "info"}).out, HasSubstr("vacuum    never"));
  EXPECT_THAT(run({"doctor"}).out, AllOf(HasSubstr("none yet"), HasSubstr("troupe db vacuum gives it back")));
  const auto told = run({"db", "vacuum", "--json"});
  EXPECT_EQ(told.code, 0) << told.err;
  const auto json = json_of(told.out);
  EXPECT_GT(std::stoll(at(json, "/bytes_before")), 12 * mib);
  EXPECT_GT(std::stoll(at(json, "/reclaimed_bytes")), 11 * mib);
  EXPECT_EQ(std::stoll(at(json, "/file_bytes")), file_bytes());
  EXPECT_EQ(at(json, "/reason"), "manual");
  EXPECT_EQ(at(json, "/interrupted"), "false");
  EXPECT_LT(file_bytes(), 400'000);
  EXPECT_EQ(run({"db", "check"}).code, 0);
  const auto info = json_of(run({"db", "info", "--json"}).out);
  EXPECT_EQ(at(info, "/vacuum/last/reason"), "manual");
  EXPECT_EQ(at(info, "/vacuum/last/reclaimed_bytes"), at(json, "/reclaimed_bytes"));
  EXPECT_NE(at(info, "/vacuum/last_success"), "null");
  EXPECT_THAT(run({"db", "info"}).out, HasSubstr("given back"));
  EXPECT_THAT(run({"doctor"}).out, HasSubstr("last success"));
  const auto again = run({"db", "vacuum"});
  EXPECT_EQ(again.code, 0);
  EXPECT_THAT(again.out, AllOf(HasSubstr("before"), HasSubstr("0 B given back")));
  EXPECT_EQ(run({"db", "vacuum", "-q"}).out, "");
}

TEST_F(db_vacuum_test, is_refused_while_another_process_writes) {
  const auto options = bloat(2 * mib);
  const auto before = file_bytes();
  const auto held = lease::acquire(options, {::getpid(), "here", timestamp{}});
  ASSERT_TRUE(held);
  const auto told = run({"db", "vacuum"});
  EXPECT_EQ(told.code, 8);
  EXPECT_THAT(told.err, AllOf(HasSubstr("writes to"), HasSubstr("it vacuums by itself")));
  EXPECT_EQ(at(json_of(run({"db", "vacuum", "--json"}).out), "/error/code"), "LEASE_HELD");
  EXPECT_EQ(file_bytes(), before);
}

TEST_F(db_vacuum_test, shows_how_far_it_is_on_a_terminal) {
  bloat(4 * mib);
  const auto told = run_on_terminal({"db", "vacuum"});
  EXPECT_EQ(told.code, 0);
  EXPECT_THAT(told.out, AllOf(HasSubstr("to go"), HasSubstr("given back in")));
}

// A terminal shows when it is at work; the file is large enough for several slices.
TEST_F(db_vacuum_test, ctrl_c_stops_between_two_slices_and_keeps_what_was_freed) {
  bloat(150 * mib);
  auto running = start_on_terminal({"db", "vacuum"});
  ASSERT_TRUE(running.wait_for("to go"));
  running.signal(SIGINT);
  const auto told = running.wait();
  EXPECT_EQ(told.code, 5) << told.out;
  EXPECT_THAT(told.out, HasSubstr("stopped: "));
  const auto between = file_bytes();
  EXPECT_LT(between, 150 * mib) << "what was freed is cut off";
  EXPECT_GT(between, mib);
  EXPECT_EQ(run({"db", "check"}).code, 0);
  EXPECT_THAT(run({"db", "info"}).out, HasSubstr("vacuum    never"));
  EXPECT_EQ(run({"db", "vacuum", "-q"}).code, 0);
  EXPECT_LT(file_bytes(), 400'000);
}

}  // namespace
}  // namespace troupe

// Commits that fail because somebody ordered it, as those would that the disk fails.
#include "storage/check.hpp"
#include "storage/write_session.hpp"
#include "tests/storage/facts.hpp"
#include "tests/support/temporary_database.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace troupe {
namespace {

class ordered_faults_test : public testing::Test {
 protected:
  std::unique_ptr<write_session> open() {
    auto options = place_.options();
    options.before_commit = [this]() -> std::optional<error> {
      ++asked_;
      return due_ ? std::optional{error{*std::exchange(due_, std::nullopt), "ordered", ""}} : std::nullopt;
    };
    auto opened = write_session::open(options, lease_epoch{1});
    EXPECT_TRUE(opened);
    return *std::move(opened);
  }

  // The run's creation in a transaction of its own: the code of its commit.
  std::string create(write_session& session) {
    EXPECT_TRUE(session.begin());
    EXPECT_TRUE(session.apply(command_));
    const auto committed = session.commit();
    return committed ? "done" : std::string{to_string(committed.error().code)};
  }

  temporary_database place_;
  std::optional<error_code> due_;
  int asked_ = 0;
  write_command command_ = story{"r-1"}.created();
};

TEST_F(ordered_faults_test, busy_takes_the_transaction_back_and_leaves_the_session_whole) {
  const auto session = open();
  asked_ = 0;
  due_ = error_code::storage_busy;
  EXPECT_EQ(create(*session), "STORAGE_BUSY");
  EXPECT_FALSE(session->broken());
  ASSERT_TRUE(session->begin());
  const auto again = session->apply(command_);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_FALSE(again->receipt.repeated) << "nothing of it was there";
  EXPECT_TRUE(session->commit());
  EXPECT_EQ(asked_, 2);
  EXPECT_TRUE(check_database(place_.options())->empty());
}

TEST_F(ordered_faults_test, errors_of_the_disk_break_the_session_and_the_next_one_goes_on) {
  for (const auto code : {error_code::storage_full, error_code::storage_unavailable}) {
    auto session = open();
    due_ = code;
    EXPECT_EQ(create(*session), to_string(code));
    EXPECT_TRUE(session->broken());
    EXPECT_FALSE(session->begin());
  }
  EXPECT_EQ(create(*open()), "done");
  EXPECT_TRUE(check_database(place_.options())->empty());
}

}  // namespace
}  // namespace troupe

// Runs that are carried out by a step of another run: their configuration, their lists, and that they do not outlive it.
#include "storage/check.hpp"
#include "storage/read_session.hpp"
#include "tests/storage/facts.hpp"
#include "tests/support/temporary_database.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace troupe {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class children_test : public testing::Test {
 protected:
  void SetUp() override { must_write(*session, root.created({{"each", "child"}})); }

  void TearDown() override { EXPECT_EQ(check_database(place.options())->size(), 0U); }

  /// A run of `by`, without a configuration of its own.
  create_run born(story& which, const story& by) {
    auto told = which.created();
    told.config_hash.clear();
    told.config_source.clear();
    told.parent = by.run;
    told.parent_task = by.task("each", "child");
    return told;
  }

  std::unique_ptr<read_session> rows() { return *read_session::open(place.options()); }

  std::vector<std::string> names(const std::vector<run_view>& runs) {
    std::vector<std::string> all;
    for (const auto& each : runs) {
      all.push_back(each.run.str());
    }
    return all;
  }

  std::vector<std::string> unfinished(run_scope scope = run_scope::all) {
    std::vector<std::string> all;
    const auto found = rows()->list_unfinished(scope);
    for (const auto& each : *found) {
      all.push_back(each.str());
    }
    return all;
  }

  temporary_database place;
  std::unique_ptr<write_session> session = writer_on(place.options());
  story root{"r-root"};
  story one{"r-one", 100};
  story two{"r-two", 200};
  story deep{"r-deep", 300};
};

TEST_F(children_test, a_child_is_pinned_to_the_configuration_of_its_parent) {
  must_write(*session, born(one, root));
  EXPECT_EQ(rows()->load_recovery(one.run)->config_source, rows()->load_recovery(root.run)->config_source);
}

TEST_F(children_test, a_run_without_a_configuration_and_without_a_parent_is_refused) {
  auto told = one.created();
  told.config_hash.clear();
  EXPECT_FALSE(write_one(*session, told).has_value());
  EXPECT_THAT(unfinished(), ElementsAre("r-root"));
}

TEST_F(children_test, lists_tell_roots_from_children) {
  must_write(*session, born(one, root));
  must_write(*session, born(two, root));
  must_write(*session, born(deep, one));
  EXPECT_THAT(names(*rows()->list_runs({})), ElementsAre("r-deep", "r-two", "r-one", "r-root"));
  run_filter roots;
  roots.scope = run_scope::roots;
  EXPECT_THAT(names(*rows()->list_runs(roots)), ElementsAre("r-root"));
  run_filter of_root;
  of_root.child_of = root.run;
  EXPECT_THAT(names(*rows()->list_runs(of_root)), ElementsAre("r-one", "r-two"));
  EXPECT_EQ(rows()->find_run(root.run)->children, 2);
  EXPECT_EQ(rows()->find_run(one.run)->children, 1);
  EXPECT_EQ(rows()->find_run(two.run)->children, 0);
}

TEST_F(children_test, a_fork_is_no_child) {
  auto told = one.created();
  told.parent = root.run;
  must_write(*session, told);
  EXPECT_EQ(rows()->find_run(root.run)->children, 0);
  EXPECT_THAT(unfinished(run_scope::roots), ElementsAre("r-root", "r-one"));
}

TEST_F(children_test, of_the_unfinished_a_child_is_its_parents) {
  must_write(*session, born(one, root));
  EXPECT_THAT(unfinished(), ElementsAre("r-root", "r-one"));
  EXPECT_THAT(unfinished(run_scope::roots), ElementsAre("r-root"));
}

TEST_F(children_test, an_end_takes_all_that_is_unfinished_below_with_it) {
  must_write(*session, born(one, root));
  must_write(*session, born(two, root));
  must_write(*session, born(deep, one));
  must_write(*session, deep.started(deep.task("survey", "claude")));
  must_write(*session, two.ended(run_state::failed, 2));
  const auto applied = must_write(*session, root.ended(run_state::cancelled, 2));
  EXPECT_EQ(applied.receipt.last, rows()->find_run(root.run)->last_seq) << "of the run that was told of";
  EXPECT_THAT(unfinished(), IsEmpty());
  EXPECT_EQ(rows()->find_run(one.run)->state, run_state::cancelled);
  EXPECT_EQ(rows()->find_run(deep.run)->state, run_state::cancelled);
  EXPECT_EQ(rows()->find_run(two.run)->state, run_state::failed) << "that had ended";
  EXPECT_EQ(rows()->list_tasks(deep.run)->at(0).state, task_state::cancelled);
  for (const auto* run : {&root.run, &one.run, &deep.run}) {
    EXPECT_EQ(std::ranges::count_if(
                  applied.events,
                  [&](const event& each) { return each.run == *run && each.kind == event_kind::run_cancelled; }),
              1)
        << *run;
  }
}

TEST_F(children_test, a_superstep_that_ends_the_run_does_the_same) {
  must_write(*session, born(one, root));
  must_write(*session, root.started(root.task("each", "child")));
  must_write(*session, root.failed(root.task("each", "child"), error_code::task_timeout));
  auto closed = root.committed(1, R"({"findings":[]})");
  closed.end = run_end{run_state::failed, false, error{error_code::task_timeout, "too long", ""}, step_id{"each"}};
  must_write(*session, closed);
  EXPECT_EQ(rows()->find_run(one.run)->state, run_state::cancelled);
}

TEST_F(children_test, a_pause_leaves_them) {
  must_write(*session, born(one, root));
  must_write(*session, root.ended(run_state::paused, 2));
  EXPECT_EQ(rows()->find_run(one.run)->state, run_state::running);
}

TEST_F(children_test, what_a_child_tells_after_that_is_refused) {
  must_write(*session, born(one, root));
  const auto task = one.task("survey", "claude");
  must_write(*session, one.started(task));
  must_write(*session, root.ended(run_state::cancelled, 2));
  EXPECT_EQ(code_of(write_one(*session, one.finished(task, "1"))), error_code::cancelled);
  EXPECT_EQ(code_of(write_one(*session, one.ended(run_state::cancelled, 3))), error_code::cancelled);
}

TEST_F(children_test, a_paused_parent_of_a_child_is_taken_up_with_it) {
  must_write(*session, born(one, root));
  must_write(*session, root.ended(run_state::paused, 2));
  EXPECT_THAT(*rows()->list_running(lease_epoch{1}), ElementsAre(root.run, one.run));
  must_write(*session, one.ended(run_state::cancelled, 2));
  EXPECT_THAT(*rows()->list_running(lease_epoch{1}), IsEmpty()) << "it was paused by somebody";
}

}  // namespace
}  // namespace troupe

// ST-8: a process dies between every two steps from the first byte of a large output to its removal.
#include "storage/check.hpp"
#include "tests/storage/blob_material.hpp"
#include "tests/support/fault_vfs.hpp"
#include "tests/support/temporary_database.hpp"

#include <gtest/gtest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <functional>
#include <limits>
#include <string>

namespace troupe {
namespace {

constexpr std::int64_t all = std::numeric_limits<std::int64_t>::max();

// Two runs print, one of the outputs is the same; then one goes, then the other, with a collection after each. `step` is
// called between the steps that are not those of the store. Again from the start it is the same facts under the same
// keys. Gives false where something is refused.
bool live(const storage_options& options, const std::function<void()>& step) {
  const std::string shared(20'000, 's');
  auto opened = write_session::open(options, lease_epoch{1});
  if (!opened) {
    return false;
  }
  auto& session = **opened;
  blob_store store{options};
  store.remove_partial();
  for (const auto* const id : {"r-1", "r-2"}) {
    story told{id};
    const auto task = told.task("survey", "claude");
    auto printed = told.printed(task, shared, 1, std::string(10'000, id[2]));
    step();
    const auto out = store.put(*printed.standard_output);
    step();
    const auto err = store.put(*printed.standard_error);
    if (!out || !err || !session.begin()) {
      return false;
    }
    printed.blobs = {*out, *err};
    for (const write_command& command : {write_command{told.created()}, write_command{told.started(task)}}) {
      if (!session.apply(command)) {
        return false;
      }
    }
    step();
    if (!session.apply(printed)) {
      return false;
    }
    step();
    if (!session.commit()) {
      return false;
    }
    step();
  }
  for (const auto* const id : {"r-1", "r-2"}) {
    remove_run(options.path, run_id{id});
    step();
    if (!session.collect_blobs(all)) {
      return false;
    }
    step();
  }
  return true;
}

TEST(killed_blobs, leave_no_row_without_its_file_wherever_the_process_dies) {
  // Death takes no page cache along: without the database's syncs the same is seen in a fraction of the time.
  const fault_vfs without_syncs{"no_syncs_under_blobs"};
  int deaths = 0;
  for (bool ran_to_its_end = false; !ran_to_its_end;) {
    ASSERT_LT(deaths, 500);
    const temporary_database place;
    auto options = place.options();
    options.vfs = without_syncs.name();
    auto mortal = options;
    int steps_left = deaths + 1;
    const auto die = [&] {
      if (--steps_left == 0) {
        ::kill(::getpid(), SIGKILL);
      }
    };
    mortal.before_blob_step = [&](blob_step) {
      die();
      return 0;
    };
    const pid_t child = ::fork();
    if (child == 0) {
      ::_exit(live(mortal, die) ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    SCOPED_TRACE("died before step " + std::to_string(deaths + 1));
    ran_to_its_end = WIFEXITED(status);
    if (ran_to_its_end) {
      ASSERT_EQ(WEXITSTATUS(status), 0);
    } else {
      ASSERT_EQ(WTERMSIG(status), SIGKILL);
      ++deaths;
    }
    const auto findings = check_database(options);
    ASSERT_TRUE(findings) << findings.error().message;
    for (const auto& finding : *findings) {
      ADD_FAILURE() << finding.rule << ": " << finding.text;
    }
    {
      auto session = writer_on(options);
      blob_store{options}.remove_partial();
      const auto collected = session->collect_blobs(all);
      ASSERT_TRUE(collected) << collected.error().message;
    }
    const auto folder = blob_folder_of(place.path());
    EXPECT_EQ(file_names(folder), blob_rows(place.path())) << "the next collection takes what has no row";
    EXPECT_TRUE(live(options, [] {})) << "what is left must not be in the way";
    EXPECT_TRUE(file_names(folder).empty());
    EXPECT_TRUE(blob_rows(place.path()).empty());
  }
  EXPECT_GT(deaths, 40) << "these are too few steps to say anything";
  RecordProperty("deaths", deaths);
}

}  // namespace
}  // namespace troupe

#include "actors/run/order.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

namespace troupe {
namespace {

std::string key(const char* run, std::int64_t superstep, const std::vector<std::string>& front, const char* state) {
  return superstep_key(run_id{run}, superstep_no{superstep}, front, json_text{state});
}

// Frozen: computed by Python's hashlib. A change here changes what runs that are on disk do.
TEST(order_test, the_seed_of_a_run_is_frozen) {
  EXPECT_EQ(run_seed(run_id{}), 16406829232824261652U);  // SHA-256 of nothing begins with e3b0c44298fc1c14
  EXPECT_EQ(run_seed(run_id{"r-0"}), 16549702940422842154U);
  EXPECT_EQ(run_seed(run_id{"r-abcdefghij0123456789"}), 12863260818834943749U);
  EXPECT_EQ(run_seed(run_id{"\xD0\xB4\xD0\xB5\xD0\xBD\xD1\x8C"}), 10281314316471546940U);
}

TEST(order_test, the_seed_of_an_attempt_is_frozen) {
  const task_id task{"r-0/1/plan/claude"};
  EXPECT_EQ(task_seed(run_id{"r-0"}, task, attempt_no{1}), 6754537273823315051U);
  EXPECT_EQ(task_seed(run_id{"r-0"}, task, attempt_no{2}), 1557395149394081954U);
  EXPECT_EQ(task_seed(run_id{}, task_id{}, attempt_no{}), 11146352811591944085U);
}

TEST(order_test, the_key_of_a_superstep_is_frozen) {
  EXPECT_EQ(key("r-0", 1, {}, "{}"), "sha256:5f1bea986149a9ca0bb2fe18ce26acb7f22d2dc39f5e7e658b93188e747499cc");
  EXPECT_EQ(key("r-0", 12, {"plan/claude", "plan/gpt"}, "{\"a\":1}"),
            "sha256:33bfb819b868977e633951cb019debf70d6ed8bcc81e7b56409154d28c682cbc");
  EXPECT_EQ(key("r-0", 12, {"plan/gpt", "plan/claude"}, "{\"a\":1}"),
            "sha256:817fcaa7ecee70bccb857d80098de9c867ce4e6fcb2989d7033086a845cc3ee9");
}

TEST(order_test, parts_do_not_run_into_each_other) {
  const std::set<std::string> keys{
      key("r", 1, {"ab"}, "{}"),
      key("r", 1, {"a", "b"}, "{}"),
      key("r", 1, {"a"}, "b{}"),
      key("r1", 1, {"ab"}, "{}"),
      key("r", 11, {"ab"}, "{}"),
      key("r", 1, {}, "ab{}"),
      key("r", 1, {"ab", ""}, "{}"),
      key("r", 1, {"", "ab"}, "{}"),
      key("r", 1, {"ab{}"}, ""),
  };
  EXPECT_EQ(keys.size(), 9U);
  EXPECT_NE(task_seed(run_id{"r"}, task_id{"1x"}, attempt_no{1}), task_seed(run_id{"r1"}, task_id{"x"}, attempt_no{1}));
  EXPECT_NE(task_seed(run_id{"r"}, task_id{"x"}, attempt_no{11}), task_seed(run_id{"r"}, task_id{"x1"}, attempt_no{1}));
}

}  // namespace
}  // namespace troupe

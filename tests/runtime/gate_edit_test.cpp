// What a person may change with a decision, and what is a slip.
#include "runtime/gate_edit.hpp"

#include "config/workflow_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace troupe {
namespace {

using testing::AllOf;
using testing::HasSubstr;

workflow_ptr flow_of(const std::string& function) {
  const auto loaded = parse_workflow(R"(
name = "review"
[state.n]
initial = 0
reduce = "sum"
[state.low]
reduce = "min"
[state.list]
reduce = "append"
[state.set]
reduce = "union"
[state.notes]
reduce = "merge"
[state.anything]
reduce = "last"
[[step]]
id = "survey"
function = ")" + function + R"("
args = { field = "title", value = "Draft" }
next = "approve"
[[step]]
id = "approve"
gate = { prompt = "Merge?" }
)",
                                     "review.toml",
                                     "");
  EXPECT_TRUE(loaded.flow);
  return loaded.flow;
}

status edited(const std::string& edit, const std::string& function = "probe.set") {
  return check_edit(*flow_of(function), R"({"there":1})", json_text{edit});
}

TEST(gate_edit, what_is_declared_written_or_there_may_be_changed) {
  for (const std::string fine : {R"({})",
                                 R"({"title":"Better"})",
                                 R"({"approve":{"decision":"approved"}})",
                                 R"({"there":"else"})",
                                 R"({"last_error":null})",
                                 R"({"n":2.5,"low":-1,"list":[1],"set":[],"notes":{"by":"ann"},"anything":[true]})",
                                 R"({"n":null,"list":null,"notes":null})"}) {
    EXPECT_TRUE(edited(fine)) << fine;
  }
}

TEST(gate_edit, a_slip_is_refused_with_the_nearest_name) {
  const auto slip = edited(R"({"tittle":"Better"})");
  ASSERT_FALSE(slip);
  EXPECT_EQ(slip.error().code, error_code::invalid_input);
  EXPECT_THAT(slip.error().message, AllOf(HasSubstr("'tittle'"), HasSubstr("nothing was decided")));
  EXPECT_EQ(slip.error().hint, "did you mean 'title'?");
  EXPECT_THAT(edited(R"({"wholly_new":1})").error().hint, HasSubstr("known: anything, "));
  EXPECT_FALSE(edited(R"({"wholly_new":null})"));
}

TEST(gate_edit, what_a_function_of_the_host_may_write_is_not_known) {
  EXPECT_TRUE(edited(R"({"wholly_new":1})", "host.survey"));
  EXPECT_FALSE(edited(R"({"thre":1})", "host.survey")) << "but a slip is one";
}

TEST(gate_edit, a_value_has_to_suit_the_reducer) {
  for (const std::string wrong :
       {R"({"n":"abc"})", R"({"n":{"x":1}})", R"({"low":[1]})", R"({"list":1})", R"({"set":"a"})", R"({"notes":[]})"}) {
    const auto refused = edited(wrong);
    ASSERT_FALSE(refused) << wrong;
    EXPECT_THAT(refused.error().message, HasSubstr("its reducer wants a")) << wrong;
  }
}

}  // namespace
}  // namespace troupe

#include "actors/run/merge.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

namespace troupe {
namespace {

std::vector<state_field> field(reducer how) {
  state_field declared;
  declared.name = field_name{"f"};
  declared.reduce = how;
  return {declared};
}

task_delta delta(const char* step, std::string value, const char* name = "f", const char* agent = "x") {
  return {step_id{step}, agent_name{agent}, field_name{name}, json_text{std::move(value)}};
}

std::vector<task_delta> deltas(const std::vector<std::string>& values) {
  std::vector<task_delta> all;
  for (const auto& value : values) {
    all.push_back(delta(std::string(1, static_cast<char>('a' + all.size())).c_str(), value));
  }
  return all;
}

// The state after it, or `CODE step: message`.
std::string merged_deltas(const std::string& state, reducer how, const std::vector<task_delta>& all) {
  const auto result = merge(json_fields::from(json_text{state}).value(), field(how), all);
  if (const auto* refused = std::get_if<merge_refusal>(&result)) {
    return std::string{to_string(refused->why.code)} + ' ' + refused->step.str() + ": " + refused->why.message;
  }
  return std::get<json_fields>(result).text().str();
}

std::string merged(const std::string& state, reducer how, const std::vector<std::string>& values) {
  return merged_deltas(state, how, deltas(values));
}

struct sample {
  reducer how;
  std::string state;
  std::vector<std::string> values;
  std::string after;
};

TEST(merge_test, each_reducer_takes_values_as_the_contract_says) {
  const std::vector<sample> samples{
      {reducer::fail, "{}", {}, "{}"},
      {reducer::fail, "{}", {"1"}, R"({"f":1})"},
      {reducer::fail, R"({"f":[0],"g":2})", {"1"}, R"({"f":1,"g":2})"},
      {reducer::last, R"({"f":0})", {"1", "\"x\"", "null"}, R"({"f":null})"},
      {reducer::append, "{}", {"1"}, R"({"f":[1]})"},
      {reducer::append, R"({"f":[0]})", {"1", "[2,3]", "null", "1"}, R"({"f":[0,1,[2,3],null,1]})"},
      {reducer::set_union, "{}", {"1", "[1,2]", "2", "[[3]]"}, R"({"f":[1,2,[3]]})"},
      {reducer::set_union, R"({"f":[{"a":1,"b":2}]})", {R"({"a":1,"b":2})"}, R"({"f":[{"a":1,"b":2}]})"},
      {reducer::set_union, R"({"f":[1,1]})", {"[]", "1"}, R"({"f":[1,1]})"},
      {reducer::sum, "{}", {"1"}, R"({"f":1})"},
      {reducer::sum, R"({"f":1})", {"2", "-5", "0.5"}, R"({"f":-1.5})"},
      {reducer::min, "{}", {"3", "1", "2"}, R"({"f":1})"},
      {reducer::min, R"({"f":0.5})", {"1"}, R"({"f":0.5})"},
      {reducer::max, R"({"f":0.5})", {"-1", "0.25", "7"}, R"({"f":7})"},
      {reducer::merge, "{}", {R"({"a":1})", R"({"b":2,"a":null})"}, R"({"f":{"b":2}})"},
      {reducer::merge, R"({"f":{"a":{"b":1}}})", {R"({"a":{"c":2}})"}, R"({"f":{"a":{"b":1,"c":2}}})"},
  };
  for (const auto& each : samples) {
    EXPECT_EQ(merged(each.state, each.how, each.values), each.after);
  }
}

TEST(merge_test, order_alone_decides_where_order_matters) {
  EXPECT_EQ(merged("{}", reducer::last, {"1", "2"}), R"({"f":2})");
  EXPECT_EQ(merged("{}", reducer::last, {"2", "1"}), R"({"f":1})");
  EXPECT_EQ(merged("{}", reducer::append, {"2", "1"}), R"({"f":[2,1]})");
}

TEST(merge_test, integers_are_added_and_compared_exactly) {
  const std::vector<sample> samples{
      {reducer::sum, R"({"f":9007199254740992})", {"1"}, R"({"f":9007199254740993})"},
      {reducer::sum, R"({"f":9223372036854775807})", {"1"}, R"({"f":9223372036854775808})"},
      {reducer::sum, R"({"f":18446744073709551615})", {"-1"}, R"({"f":18446744073709551614})"},
      {reducer::sum, R"({"f":18446744073709551615})", {"-18"}, R"({"f":18446744073709551597})"},
      {reducer::sum, R"({"f":9223372036854775808})", {"-1"}, R"({"f":9223372036854775807})"},
      {reducer::max, R"({"f":9223372036854775808})", {"9223372036854775809"}, R"({"f":9223372036854775809})"},
      {reducer::max, R"({"f":9223372036854775807})", {"9223372036854775808"}, R"({"f":9223372036854775808})"},
      {reducer::min, R"({"f":18446744073709551615})", {"18446744073709551614"}, R"({"f":18446744073709551614})"},
      {reducer::min, R"({"f":18446744073709551615})", {"-1"}, R"({"f":-1})"},
      {reducer::max, R"({"f":9007199254740993})", {"9007199254740992"}, R"({"f":9007199254740993})"},
  };
  for (const auto& each : samples) {
    EXPECT_EQ(merged(each.state, each.how, each.values), each.after);
  }
}

TEST(merge_test, a_sum_that_nothing_holds_is_refused) {
  for (const auto& [before, value] : std::vector<std::pair<std::string, std::string>>{
           {"18446744073709551615", "1"}, {"-9223372036854775808", "-1"}, {"1.7e+308", "1.7e+308"}}) {
    EXPECT_EQ(merged("{\"f\":" + before + "}", reducer::sum, {value}).find("INVALID_INPUT a: step 'a' gives field 'f'"),
              0U);
  }
}

TEST(merge_test, what_does_not_suit_the_reducer_is_refused_by_name) {
  const std::vector<sample> samples{
      {reducer::sum, R"({"f":1})", {"1", "\"x\""}, "INVALID_INPUT b: step 'b' gives field 'f' the value \"x\""},
      {reducer::sum, "{}", {"true"}, "INVALID_INPUT a: step 'a' gives field 'f' the value true"},
      {reducer::min, "{}", {"[1]"}, "INVALID_INPUT a: step 'a' gives"},
      {reducer::max, R"({"f":"9"})", {"1"}, "INVALID_INPUT a: field 'f', to which step 'a' adds, holds \"9\""},
      {reducer::append, R"({"f":{}})", {"1"}, "INVALID_INPUT a: field 'f', to which step 'a' adds, holds {}"},
      {reducer::set_union, R"({"f":null})", {"1"}, "INVALID_INPUT a: field 'f', to which step 'a' adds, holds null"},
      {reducer::merge, "{}", {"[1]"}, "INVALID_INPUT a: step 'a' gives field 'f' the value [1]"},
      {reducer::merge, R"({"f":[1]})", {"{}"}, "INVALID_INPUT a: field 'f', to which step 'a' adds, holds [1]"},
  };
  for (const auto& each : samples) {
    EXPECT_EQ(merged(each.state, each.how, each.values).find(each.after), 0U)
        << merged(each.state, each.how, each.values);
  }
  const std::string large = '"' + std::string(1'000'000, 'x') + '"';
  EXPECT_LT(merged("{}", reducer::sum, {large}).size(), 500U);
}

TEST(merge_test, two_tasks_that_write_one_field_conflict) {
  const auto conflict = merged(R"({"f":0})", reducer::fail, {"1", "[2]"});
  EXPECT_EQ(
      conflict,
      "MERGE_CONFLICT b: field 'f' is written by step 'a' (1) and by step 'b' ([2]) in one superstep; neither was "
      "committed");
  EXPECT_EQ(
      merged_deltas("{}", reducer::fail, {delta("a", "1", "f", "x"), delta("a", "1", "f", "y")}).find("MERGE_CONFLICT"),
      0U);
  // The same value is a conflict too: what a run comes to does not hang on luck.
  EXPECT_EQ(merged("{}", reducer::fail, {"1", "1"}).find("MERGE_CONFLICT b"), 0U);
}

TEST(merge_test, a_conflict_names_the_step_and_not_the_last_one) {
  EXPECT_EQ(merged_deltas("{}", reducer::fail, {delta("a", "1"), delta("b", "2"), delta("c", "3", "g")})
                .find("MERGE_CONFLICT b: "),
            0U);
}

TEST(merge_test, one_task_may_write_a_field_twice_and_the_later_stands) {
  EXPECT_EQ(merged_deltas("{}", reducer::fail, {delta("a", "1"), delta("a", "2")}), R"({"f":2})");
  EXPECT_EQ(
      merged_deltas("{}", reducer::fail, {delta("a", "1"), delta("a", "2"), delta("b", "3")}).find("MERGE_CONFLICT b"),
      0U);
}

TEST(merge_test, a_field_that_is_not_declared_takes_one_writer) {
  EXPECT_EQ(merged_deltas("{}", reducer::append, {delta("a", "1", "g"), delta("b", "2", "h")}), R"({"g":1,"h":2})");
  EXPECT_EQ(merged_deltas("{}", reducer::append, {delta("a", "1", "g"), delta("b", "2", "g")}).find("MERGE_CONFLICT b"),
            0U);
}

// RFC 7396, appendix A. What is no object there at the top stands one level down here.
TEST(merge_test, objects_merge_as_rfc_7396_says) {
  struct vector {
    std::string original;
    std::string patch;
    std::string result;
  };
  const std::vector<vector> vectors{
      {R"({"a":"b"})", R"({"a":"c"})", R"({"a":"c"})"},
      {R"({"a":"b"})", R"({"b":"c"})", R"({"a":"b","b":"c"})"},
      {R"({"a":"b"})", R"({"a":null})", "{}"},
      {R"({"a":"b","b":"c"})", R"({"a":null})", R"({"b":"c"})"},
      {R"({"a":["b"]})", R"({"a":"c"})", R"({"a":"c"})"},
      {R"({"a":"c"})", R"({"a":["b"]})", R"({"a":["b"]})"},
      {R"({"a":{"b":"c"}})", R"({"a":{"b":"d","c":null}})", R"({"a":{"b":"d"}})"},
      {R"({"a":[{"b":"c"}]})", R"({"a":[1]})", R"({"a":[1]})"},
      {R"({"e":null})", R"({"a":1})", R"({"a":1,"e":null})"},
      {"{}", R"({"a":{"bb":{"ccc":null}}})", R"({"a":{"bb":{}}})"},
      {R"({"x":["a","b"]})", R"({"x":["c","d"]})", R"({"x":["c","d"]})"},
      {R"({"x":{"a":"b"}})", R"({"x":["c"]})", R"({"x":["c"]})"},
      {R"({"x":{"a":"foo"}})", R"({"x":null})", "{}"},
      {R"({"x":{"a":"foo"}})", R"({"x":"bar"})", R"({"x":"bar"})"},
      {R"({"x":[1,2]})", R"({"x":{"a":"b","c":null}})", R"({"x":{"a":"b"}})"},
  };
  for (const auto& each : vectors) {
    EXPECT_EQ(merged("{\"f\":" + each.original + "}", reducer::merge, {each.patch}), "{\"f\":" + each.result + "}")
        << each.original << " and " << each.patch;
  }
}

TEST(merge_test, large_unions_take_time_in_proportion) {
  std::string list = "[0";
  for (int i = 1; i < 100'000; ++i) {
    list += ',' + std::to_string(i);
  }
  const auto begun = std::chrono::steady_clock::now();
  const auto after = merged("{}", reducer::set_union, {list + ']', list + ']', list + ",-1]"});
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds{10});
  EXPECT_EQ(after, "{\"f\":" + list + ",-1]}");
}

}  // namespace
}  // namespace troupe

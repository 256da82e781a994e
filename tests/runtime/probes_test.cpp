#include "runtime/probes.hpp"

#include "actors/crash_orders.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace troupe {
namespace {

class probes_test : public testing::Test {
 protected:
  probes_test() {
    request_.state = std::make_shared<const json_text>(R"({"list":[1,{"b":2,"a":1}],"n":null})");
    request_.inputs = std::make_shared<const json_text>("{}");
    request_.attempt = attempt_no{1};
    request_.seed = 7;
    request_.prompt = "hello";
    request_.sleep = [this](milliseconds length) {
      slept_ += length;
      return !request_.stop.stop_requested();
    };
  }

  result<function_reply> call(const std::string& name, const std::string& args) {
    request_.args = json_text{args};
    return probe_functions(crashes_).at("probe." + name)(request_);
  }

  // `CODE: message`, or the deltas, or the value.
  std::string text(const std::string& name, const std::string& args) {
    const auto reply = call(name, args);
    if (!reply) {
      return std::string{to_string(reply.error().code)} + ": " + reply.error().message;
    }
    std::string all;
    for (const auto& delta : reply->deltas) {
      all += (all.empty() ? "" : " ") + delta.field.str() + '=' + delta.value.str();
    }
    return reply->value ? all + '>' + reply->value->str() : all;
  }

  function_request request_;
  milliseconds slept_{0};
  int deaths_ = 0;
  std::shared_ptr<crash_orders> crashes_ = std::make_shared<crash_orders>([this] { ++deaths_; });
};

TEST_F(probes_test, are_those_of_the_contract) {
  std::set<std::string> names;
  for (const auto& [name, function] : probe_functions(nullptr)) {
    names.insert(name);
  }
  EXPECT_EQ(names,
            (std::set<std::string>{"probe.add",
                                   "probe.append",
                                   "probe.crash",
                                   "probe.echo",
                                   "probe.expect",
                                   "probe.fail",
                                   "probe.log",
                                   "probe.rng",
                                   "probe.route",
                                   "probe.set",
                                   "probe.sleep",
                                   "probe.usage"}));
}

TEST_F(probes_test, set_append_and_add_give_a_delta) {
  for (const auto* name : {"set", "append", "add"}) {
    EXPECT_EQ(text(name, R"({"field":"f","value":{"b":1}})"), R"(f={"b":1})");
    EXPECT_EQ(text(name, R"({"field":"f","value":null})"), "f=null");
    EXPECT_EQ(text(name, R"([{"field":"f","value":1},{"field":"g","value":2},{"field":"f","value":3}])"),
              "f=1 g=2 f=3");
  }
}

TEST_F(probes_test, wrong_args_are_refused_with_what_is_allowed) {
  const std::vector<std::pair<std::string, std::string>> wrong{
      {"set", "{}"},
      {"set", R"({"field":"f"})"},
      {"set", R"({"value":1})"},
      {"set", R"({"field":1,"value":1})"},
      {"set", R"({"field":"f","value":1,"x":2})"},
      {"set", "1"},
      {"set", R"([{"field":"f","value":1},2])"},
      {"sleep", R"({"ms":"1"})"},
      {"sleep", R"({"ms":-1})"},
      {"sleep", R"({"ms":0.5})"},
      {"sleep", R"({"cooperative":1})"},
      {"sleep", R"({"field":"f"})"},
      {"fail", R"({"times":"1"})"},
      {"fail", R"({"times":-1})"},
      {"fail", R"({"class":"bad"})"},
      {"fail", R"({"class":1})"},
      {"fail", R"({"message":1})"},
      {"fail", R"({"retry_after_ms":"1s"})"},
      {"fail", R"({"field":"f","value":1})"},
      {"fail", R"({"times":0,"class":"bad"})"},
      {"echo", R"({"x":1})"},
      {"log", R"({"bytes":-1})"},
      {"log", R"({"bytes":1000000001})"},
      {"expect", R"({"path":"/n"})"},
      {"expect", R"({"eq":1})"},
      {"expect", R"({"path":1,"eq":1})"},
      {"rng", "{}"},
      {"rng", R"({"field":"f","draws":0})"},
      {"rng", R"({"field":"f","draws":1000001})"},
      {"usage", "{}"},
      {"usage", R"({"model":"m","input_tokens":-1})"},
      {"usage", R"({"model":"m","output_tokens":"1"})"},
      {"route", "{}"},
      {"route", R"({"to":1})"},
      {"route", R"({"to":["a",1]})"},
      {"route", R"({"to":"a","field":"f","value":1})"},
      {"crash", "{}"},
      {"crash", R"({"point":"here"})"},
      {"crash", R"({"point":1})"},
      {"crash", R"({"point":"after_commit","on_attempt":0})"},
      {"crash", R"({"point":"after_commit","on_attempt":"1"})"},
  };
  for (const auto& [name, args] : wrong) {
    const auto reply = call(name, args);
    ASSERT_FALSE(reply.has_value()) << name << ' ' << args;
    EXPECT_EQ(reply.error().code, error_code::invalid_input) << name << ' ' << args;
    EXPECT_EQ(reply.error().message.find("probe." + name + ' '), 0U) << reply.error().message;
    EXPECT_FALSE(reply.error().hint.empty()) << name << ' ' << args;
  }
  EXPECT_EQ(slept_, 0ms);
  EXPECT_EQ(deaths_, 0);
  EXPECT_FALSE(crashes_->any());
}

TEST_F(probes_test, route_names_the_steps_that_follow) {
  const auto route = [this](const std::string& args) {
    const auto reply = call("route", args);
    return reply && reply->route ? *reply->route : std::vector<step_id>{step_id{"none"}};
  };
  const std::vector<step_id> both{step_id{"a"}, step_id{"b"}};
  EXPECT_EQ(route(R"({"to":"a"})"), std::vector{step_id{"a"}});
  EXPECT_EQ(route(R"({"to":["a","b"]})"), both);
  EXPECT_EQ(route(R"([{"to":"a"},{"to":["b"]}])"), both);
  EXPECT_EQ(route(R"({"to":[]})"), std::vector<step_id>{}) << "nothing follows";
  EXPECT_FALSE(call("set", R"({"field":"f","value":1})")->route) << "as the step's next says";
}

TEST_F(probes_test, crash_kills_before_and_after_by_itself_and_orders_the_rest) {
  request_.task = task_id{"r-1/1/s"};
  EXPECT_EQ(text("crash", R"({"point":"before_execute","field":"f","value":1})"), "f=1");
  EXPECT_EQ(deaths_, 1);
  EXPECT_EQ(text("crash", R"([{"point":"after_execute"},{"point":"before_execute","on_attempt":2}])"), ">null");
  EXPECT_EQ(deaths_, 2);
  EXPECT_FALSE(crashes_->any());
  for (const auto& [point, name] : {crash_points[2], crash_points[3], crash_points[4]}) {
    static_cast<void>(text("crash", R"({"point":")" + std::string{name} + "\"}"));
    EXPECT_TRUE(crashes_->any());
    const int before = deaths_;
    crashes_->reach(point, task_id{"r-1/1/t"}, attempt_no{1});
    crashes_->reach(point, request_.task, attempt_no{2});
    for (const auto& [other, its_name] : crash_points) {
      if (other != point) {
        crashes_->reach(other, request_.task, attempt_no{1});
      }
    }
    EXPECT_EQ(deaths_, before) << name;
    crashes_->reach(point, request_.task, attempt_no{1});
    EXPECT_EQ(deaths_, before + 1) << name;
  }
}

TEST_F(probes_test, crash_lets_other_attempts_pass) {
  request_.attempt = attempt_no{2};
  for (const auto& [point, name] : crash_points) {
    EXPECT_EQ(text("crash", R"({"point":")" + std::string{name} + "\"}"), ">null");
  }
  EXPECT_EQ(deaths_, 0);
  EXPECT_FALSE(crashes_->any());
  static_cast<void>(text("crash", R"({"point":"before_execute","on_attempt":2})"));
  EXPECT_EQ(deaths_, 1);
}

TEST_F(probes_test, without_args_there_is_nothing_to_do_and_the_value_is_null) {
  EXPECT_EQ(text("sleep", "null"), ">null");
  EXPECT_EQ(text("sleep", "[]"), ">null");
  EXPECT_EQ(text("log", "{}"), ">null");
}

TEST_F(probes_test, sleep_sleeps_and_stops_when_asked) {
  EXPECT_EQ(text("sleep", R"([{"ms":20},{"ms":22,"field":"f","value":1}])"), "f=1");
  EXPECT_EQ(slept_, 42ms);
  std::stop_source source;
  request_.stop = source.get_token();
  source.request_stop();
  EXPECT_EQ(text("sleep", R"({"ms":1000})"), "CANCELLED: probe.sleep was asked to stop");
}

TEST_F(probes_test, a_sleep_that_does_not_cooperate_hears_no_stop) {
  std::stop_source source;
  request_.stop = source.get_token();
  source.request_stop();
  const auto begun = std::chrono::steady_clock::now();
  EXPECT_EQ(text("sleep", R"({"cooperative":false,"field":"f","ms":5,"value":1})"), "f=1");
  EXPECT_GE(std::chrono::steady_clock::now() - begun, 5ms);
  EXPECT_EQ(slept_, 0ms);
}

TEST_F(probes_test, fail_fails_the_first_attempts) {
  for (std::int64_t attempt = 1; attempt <= 4; ++attempt) {
    request_.attempt = attempt_no{attempt};
    EXPECT_EQ(text("fail", R"({"message":"no","times":2})"), attempt <= 2 ? "PROVIDER_UNAVAILABLE: no" : ">null");
    EXPECT_EQ(text("fail", "{}"), attempt <= 1 ? "PROVIDER_UNAVAILABLE: probe.fail was asked to fail" : ">null");
    EXPECT_EQ(text("fail", R"({"times":0})"), ">null");
  }
}

TEST_F(probes_test, fail_fails_as_its_class_says) {
  const std::vector<std::pair<std::string, std::string>> table{{"retryable", "PROVIDER_UNAVAILABLE"},
                                                               {"permanent", "INVALID_INPUT"},
                                                               {"degraded", "QUORUM_NOT_MET"},
                                                               {"unknown", "AGENT_EXIT"},
                                                               {"RATE_LIMITED", "RATE_LIMITED"},
                                                               {"AUTH_REQUIRED", "AUTH_REQUIRED"}};
  for (const auto& [name, code] : table) {
    EXPECT_EQ(text("fail", R"({"class":")" + name + R"(","message":"no","retry_after_ms":5})"), code + ": no");
  }
}

TEST_F(probes_test, what_was_given_before_a_failure_is_not_kept) {
  EXPECT_EQ(text("expect", R"([{"eq":null,"field":"f","path":"/n","value":1},{"eq":1,"path":"/n"}])")
                .find("INVALID_INPUT: probe.expect sees null at /n, and expects 1"),
            0U);
}

TEST_F(probes_test, echo_gives_back_what_it_got) {
  EXPECT_EQ(text("echo", R"({"text":"x"})"), R"(>{"args":{"text":"x"},"prompt":"hello"})");
  EXPECT_EQ(text("echo", R"({"field":"f","value":1})"), R"(f=1>{"args":{"field":"f","value":1},"prompt":"hello"})");
}

TEST_F(probes_test, log_prints_exactly_as_many_bytes) {
  for (const std::size_t bytes : {0U, 1U, 64U, 65U, 1'000U, 100'000U}) {
    const auto reply = call("log", "{\"bytes\":" + std::to_string(bytes) + '}');
    ASSERT_TRUE(reply.has_value());
    EXPECT_EQ(reply->printed.size(), bytes);
  }
  EXPECT_EQ(call("log", R"([{"bytes":10},{"bytes":20}])")->printed.size(), 30U);
}

TEST_F(probes_test, expect_compares_with_the_state_that_the_task_sees) {
  EXPECT_EQ(text("expect", R"({"eq":[1,{"a":1,"b":2}],"path":"/list"})"), ">null");
  EXPECT_EQ(text("expect", R"({"eq":2,"field":"f","path":"/list/1/b","value":0})"), "f=0");
  EXPECT_EQ(text("expect", R"({"eq":null,"path":"/n"})"), ">null");
  EXPECT_EQ(text("expect", R"({"eq":3,"path":"/list/0"})"),
            "INVALID_INPUT: probe.expect sees 1 at /list/0, and expects 3");
  EXPECT_EQ(text("expect", R"({"eq":null,"path":"/gone"})"),
            "INVALID_INPUT: probe.expect sees nothing at /gone, and expects null");
}

// Frozen: the stream of the standard's mt19937_64, its upper 53 bits, computed independently.
TEST_F(probes_test, rng_draws_from_the_stream_of_the_attempt) {
  EXPECT_EQ(text("rng", R"({"draws":3,"field":"f"})"), "f=[6794898749353179,8550545087219352,1057573824630060]");
  EXPECT_EQ(text("rng", R"({"draws":3,"field":"f"})"), text("rng", R"({"draws":3,"field":"f"})"));
  EXPECT_EQ(text("rng", R"([{"draws":2,"field":"f"},{"field":"f"}])"),
            "f=[6794898749353179,8550545087219352] f=[1057573824630060]");  // and goes on in it
  request_.seed = 8;
  EXPECT_NE(text("rng", R"({"draws":3,"field":"f"})"), "f=[6794898749353179,8550545087219352,1057573824630060]");
}

TEST_F(probes_test, usage_reports_tokens) {
  const auto reply = call("usage", R"({"input_tokens":3,"model":"m","output_tokens":4})");
  ASSERT_TRUE(reply.has_value());
  ASSERT_TRUE(reply->usage.has_value());
  EXPECT_EQ(reply->usage->model, "m");
  EXPECT_EQ(reply->usage->input_tokens, 3);
  EXPECT_EQ(reply->usage->output_tokens, 4);
}

}  // namespace
}  // namespace troupe

#include "actors/agent/request_hash.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace troupe {
namespace {

attempt_order asked() {
  attempt_order order;
  order.run = run_id{"r-1"};
  order.task.id = task_id{"r-1/2/plan/claude"};
  order.attempt = attempt_no{1};
  order.spec.name = agent_name{"claude"};
  order.spec.command = {"claude", "-p"};
  order.spec.model_arguments = {"--model", "{{model}}"};
  order.prompt = "Do it.";
  return order;
}

attempt_order asked_over_http() {
  auto order = asked();
  order.spec.kind = agent_kind::http;
  order.spec.name = agent_name{"gpt"};
  order.spec.model = "gpt-5";
  order.spec.endpoint = "https://host/v1";
  return order;
}

attempt_order asked_of_function() {
  auto order = asked();
  order.spec = {};
  order.spec.kind = agent_kind::function;
  order.spec.name = agent_name{"work"};
  order.args = json_text{R"({"x":1})"};
  order.prompt.clear();
  return order;
}

attempt_order asked_of_child() {
  auto order = asked_of_function();
  order.spec.kind = agent_kind::workflow;
  order.spec.name = agent_name{"child"};
  order.item = json_text{"[1]"};
  auto flow = std::make_shared<workflow>();
  flow->hash = "sha256:c";
  order.child = flow;
  return order;
}

// Frozen: computed by Python's hashlib. A change here makes every recorded request another one.
TEST(request_hash_test, is_frozen) {
  auto with_model = asked();
  with_model.spec.model = "opus";
  EXPECT_EQ(request_hash(with_model), "sha256:b883cd6a5153bedba1e289ceef92acf1a725bb74e30cb46a109211fe6b54eb41");
  auto of_item = asked();
  of_item.item = json_text{R"({"a":1})"};
  EXPECT_EQ(request_hash(of_item), "sha256:bec2fcb9782e1833d705c6ef80723ee24669ed763907f119646c39aecc14ec70");
  EXPECT_EQ(request_hash(asked_over_http()), "sha256:79ae87f488b9aad6c768473d84d4bd3e86423448de3d5b7147577f5b2245d3c9");
  EXPECT_EQ(request_hash(asked_of_function()),
            "sha256:86c5967bd6402d5775c0476881446fa9dd9f379aca6cf5372a3c7f956ee40a05");
  EXPECT_EQ(request_hash(asked_of_child()), "sha256:3c20985411745958d6b500f3c581ba241a21aa38af207f92f458db673288a02f");
}

TEST(request_hash_test, does_not_depend_on_who_asks_when) {
  auto again = asked();
  again.run = run_id{"r-2"};
  again.subject = "another";
  again.task.id = task_id{"r-2/9/plan/claude"};
  again.attempt = attempt_no{7};
  again.seed = 5;
  again.failures = 3;
  again.spec.environment = {{"A", "b"}};
  again.spec.parse = output_format::json;
  EXPECT_EQ(request_hash(again), request_hash(asked()));
}

TEST(request_hash_test, depends_on_each_part_of_what_is_asked) {
  const std::vector<std::function<void(attempt_order&)>> changes{
      [](attempt_order&) {},
      [](attempt_order& order) { order.spec.name = agent_name{"codex"}; },
      [](attempt_order& order) { order.spec.model = "opus"; },
      [](attempt_order& order) { order.prompt = "Do it!"; },
      [](attempt_order& order) { order.item = json_text{"1"}; },
      [](attempt_order& order) { order.item = json_text{}; },
      [](attempt_order& order) {
        order.spec.command = {"claude", "-p", ""};
      },
      [](attempt_order& order) { order.spec.command = {"claude-p"}; },
      [](attempt_order& order) { order.spec.kind = agent_kind::http; },
      [](attempt_order& order) { order.spec.kind = agent_kind::function; },
  };
  std::set<std::string> hashes;
  for (const auto& change : changes) {
    auto order = asked();
    change(order);
    hashes.insert(request_hash(order));
  }
  EXPECT_EQ(hashes.size(), changes.size());
  auto other_args = asked_of_function();
  other_args.args = json_text{R"({"x":2})"};
  EXPECT_NE(request_hash(other_args), request_hash(asked_of_function()));
  auto elsewhere = asked_over_http();
  elsewhere.spec.endpoint = "https://other/v1";
  EXPECT_NE(request_hash(elsewhere), request_hash(asked_over_http()));
  auto shorter = asked_over_http();
  shorter.spec.max_tokens = 100;
  EXPECT_NE(request_hash(shorter), request_hash(asked_over_http()));
}

}  // namespace
}  // namespace troupe

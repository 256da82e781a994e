// The words of the door, without a node behind it.
#include "runtime/http/control_door.hpp"

#include "actors/json/json.hpp"
#include "runtime/http/control_client.hpp"
#include "runtime/os/local_socket.hpp"
#include "tests/support/processes.hpp"
#include "tests/support/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <future>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace troupe {
namespace {

using testing::HasSubstr;

TEST(http_exchange, reads_what_it_writes) {
  const http_request sent{"PUT", "/v1/log-level", R"({"level":"debug"})"};
  http_request got;
  EXPECT_EQ(read_request(write(sent), got), http_progress::whole);
  EXPECT_EQ(got.method, sent.method);
  EXPECT_EQ(got.target, sent.target);
  EXPECT_EQ(got.body, sent.body);
  const auto response = read_response(write(http_response{503, "{}"}));
  ASSERT_TRUE(response.has_value());
  EXPECT_EQ(response->status, 503);
  EXPECT_EQ(response->body, "{}");
}

TEST(http_exchange, every_beginning_of_a_request_needs_more) {
  const auto whole = write(http_request{"PUT", "/v1/log-level", R"({"level":"debug"})"});
  http_request got;
  for (std::size_t length = 0; length < whole.size(); ++length) {
    EXPECT_EQ(read_request(std::string_view{whole}.substr(0, length), got), http_progress::needs_more) << length;
  }
}

TEST(http_exchange, what_is_not_understood_is_malformed) {
  http_request got;
  for (const std::string bytes : {"\r\n\r\n",
                                  "GET\r\n\r\n",
                                  "GET /\r\n\r\n",
                                  "GET / SMTP\r\n\r\n",
                                  "GET / HTTP/1.1\r\nno colon\r\n\r\n",
                                  "GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
                                  "GET / HTTP/1.1\r\nContent-Length: 1x\r\n\r\n",
                                  "GET / HTTP/1.1\r\ncontent-length: 9999999\r\n\r\n",
                                  "GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
                                  "GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"}) {
    EXPECT_EQ(read_request(bytes, got), http_progress::malformed) << bytes;
  }
  EXPECT_EQ(read_request(std::string(9'000, 'x'), got), http_progress::malformed);
  for (const std::string bytes : {"", "HTTP/1.1", "HTTP/1.1 abc\r\n\r\n", "hello\r\n\r\n"}) {
    EXPECT_FALSE(read_response(bytes).has_value()) << bytes;
  }
}

class control_door_test : public testing::Test {
 protected:
  control_ports ports() {
    control_ports made;
    made.pid = 4'711;
    made.tree = [this] { return tree_; };
    made.health = [this] { return health_; };
    made.limits = [this] { return limits_; };
    made.faults = [this] { return faults_; };
    made.set_log_level = [this](log_level level) { level_ = level; };
    made.pending = [this] { return pending_; };
    made.decide = [this](const run_id& run, const gate_question& which, const gate_decision& decision) {
      decided_ = {run.str() + ' ' + which.step.str() + ' ' + decision.by + ' ' +
                  std::string{to_string(decision.choice)}};
      return receipt_;
    };
    made.cancel = [this](const cancel_run& what) {
      cancelled_ = what.run.str() + (what.at_once ? " at once" : "");
      return run_;
    };
    return made;
  }

  http_response respond_to(const std::string& method, const std::string& target, const std::string& body = "") {
    return respond({method, target, body}, ports());
  }

  static tree_view some_tree() {
    child_view agent;
    agent.name = "agent r-1/1/ask/claude";
    agent.answers = true;
    agent.age = 1'500ms;
    agent.waiting = 2;
    agent.step = step_id{"ask"};
    agent.attempt = attempt_no{2};
    agent.pid = 99;
    child_view run;
    run.name = "run r-1";
    run.state = child_state::restarting;
    run.restarts = 3;
    run.last_reason = "a \"reason\"";
    run.children.push_back(agent);
    return {{run}};
  }

  result<tree_view> tree_ = some_tree();
  result<health_view> health_ = health_view{};
  result<node_limits> limits_ = node_limits{};
  std::vector<fault_view> faults_;
  std::optional<log_level> level_;
  result<std::vector<pending_view>> pending_ = std::vector<pending_view>{};
  result<gate_receipt> receipt_ = gate_receipt{{superstep_no{2}, step_id{"approve"}, 1}, false, true};
  result<run_view> run_ = run_view{};
  std::string decided_;
  std::string cancelled_;
};

TEST_F(control_door_test, a_tree_arrives_as_it_was) {
  const auto response = respond_to("GET", "/v1/tree");
  EXPECT_EQ(response.status, 200);
  const auto read = read_tree(response.body);
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->pid, 4'711);
  ASSERT_EQ(read->tree.children.size(), 1U);
  const auto& run = read->tree.children[0];
  EXPECT_EQ(run.name, "run r-1");
  EXPECT_EQ(run.state, child_state::restarting);
  EXPECT_EQ(run.restarts, 3);
  EXPECT_EQ(run.last_reason, "a \"reason\"");
  EXPECT_FALSE(run.answers);
  ASSERT_EQ(run.children.size(), 1U);
  const auto& agent = run.children[0];
  EXPECT_TRUE(agent.answers);
  EXPECT_EQ(agent.age, 1'500ms);
  EXPECT_EQ(agent.waiting, 2);
  EXPECT_EQ(agent.step, step_id{"ask"});
  EXPECT_EQ(agent.attempt, attempt_no{2});
  EXPECT_EQ(agent.pid, 99);
  EXPECT_FALSE(read_tree("[]"));
  EXPECT_FALSE(read_tree("{}"));
  EXPECT_FALSE(read_tree("no"));
}

TEST_F(control_door_test, health_is_a_status_too) {
  EXPECT_EQ(respond_to("GET", "/healthz").status, 200);
  health_->actors.push_back({"event_hub", false, std::nullopt, {}, 7});
  health_->jobs.push_back({"vacuum", true, std::nullopt});
  const auto ill = respond_to("GET", "/healthz");
  EXPECT_EQ(ill.status, 503);
  const auto read = read_health(ill.body);
  ASSERT_TRUE(read.has_value());
  EXPECT_FALSE(read->healthy());
  EXPECT_EQ(read->actors.at(0).name, "event_hub");
  EXPECT_TRUE(read->jobs.at(0).well);
  health_ = error{error_code::cancelled, "the node has stopped", ""};
  EXPECT_EQ(respond_to("GET", "/healthz").status, 503);
  health_ = error{error_code::not_found, "nobody looks", ""};
  EXPECT_EQ(respond_to("GET", "/healthz").status, 404);
  tree_ = error{error_code::cancelled, "the node has stopped", ""};
  EXPECT_THAT(respond_to("GET", "/v1/tree").body, HasSubstr("CANCELLED"));
}

TEST_F(control_door_test, limits_and_faults_are_told_or_refused) {
  limits_->allowed.attempts_max = 7;
  const auto limits = read_limits(respond_to("GET", "/v1/limits").body);
  ASSERT_TRUE(limits.has_value());
  EXPECT_EQ(limits->pid, 4'711);
  EXPECT_EQ(limits->limits.allowed.attempts_max, 7);
  faults_.push_back({"agent.429", 2, 0, 1});
  const auto faults = read_faults(respond_to("GET", "/v1/faults").body);
  ASSERT_TRUE(faults.has_value());
  ASSERT_EQ(faults->faults.size(), 1U);
  EXPECT_EQ(to_text(faults->faults[0]), "agent.429: 1 of 2");
  limits_ = error{error_code::internal, "the governor did not answer", ""};
  EXPECT_EQ(respond_to("GET", "/v1/limits").status, 503);
  EXPECT_EQ(respond_to("PUT", "/v1/limits").status, 405);
}

TEST_F(control_door_test, the_level_of_the_log_is_set_or_refused) {
  const auto changed = respond_to("PUT", "/v1/log-level", R"({"level":"debug"})");
  EXPECT_EQ(changed.status, 200);
  EXPECT_EQ(level_, log_level::debug);
  level_.reset();
  for (const std::string body : {"", "debug", "{}", R"({"level":"loud"})", R"({"level":1})"}) {
    EXPECT_EQ(respond_to("PUT", "/v1/log-level", body).status, 400) << body;
  }
  EXPECT_FALSE(level_);
}

TEST_F(control_door_test, what_waits_for_people_is_listed) {
  pending_->push_back({{}, "review", "SPEC-7"});
  const auto response = respond_to("GET", "/v1/pending");
  EXPECT_EQ(response.status, 200);
  EXPECT_THAT(response.body, HasSubstr(R"("workflow":"review")"));
  pending_ = error{error_code::storage_unavailable, "no reader", ""};
  EXPECT_EQ(respond_to("GET", "/v1/pending").status, 503);
}

TEST_F(control_door_test, a_decision_is_taken_or_refused) {
  const std::string body = R"({"decision":"rejected","by":"ann"})";
  const auto taken = respond_to("POST", "/v1/runs/r-1%2Fchild/gates/approve", body);
  EXPECT_EQ(taken.status, 200);
  EXPECT_EQ(decided_, "r-1/child approve ann rejected");
  EXPECT_TRUE(read_receipt(taken.body)->carried_out);
  EXPECT_EQ(respond_to("POST", "/v1/runs/r-1/gates/approve", "{}").status, 400);
  for (const auto& [code, status] : std::vector<std::pair<error_code, int>>{{error_code::not_found, 404},
                                                                            {error_code::invalid_input, 400},
                                                                            {error_code::idempotency_violation, 409},
                                                                            {error_code::cancelled, 409},
                                                                            {error_code::storage_full, 503}}) {
    receipt_ = error{code, "no", ""};
    EXPECT_EQ(respond_to("POST", "/v1/runs/r-1/gates/approve", body).status, status);
  }
}

TEST_F(control_door_test, a_cancel_is_accepted_while_the_run_goes_on) {
  run_->state = run_state::running;
  EXPECT_EQ(respond_to("POST", "/v1/runs/r-1/cancel").status, 202);
  EXPECT_EQ(cancelled_, "r-1");
  EXPECT_EQ(respond_to("POST", "/v1/runs/r-1/cancel", R"({"at_once":true})").status, 202);
  EXPECT_EQ(cancelled_, "r-1 at once");
  EXPECT_EQ(respond_to("POST", "/v1/runs/r-1/cancel", R"({"at_once":1})").status, 400);
  EXPECT_EQ(respond_to("POST", "/v1/runs/r-1/cancel", "now").status, 400);
  run_->state = run_state::completed;
  EXPECT_EQ(respond_to("POST", "/v1/runs/r-1/cancel").status, 409);
  run_ = error{error_code::not_found, "there is no run r-1", ""};
  EXPECT_EQ(respond_to("POST", "/v1/runs/r-1/cancel").status, 404);
}

TEST_F(control_door_test, what_is_below_runs_and_not_known_is_not_found) {
  for (const std::string target : {"/v1/runs/",
                                   "/v1/runs/r-1",
                                   "/v1/runs//cancel",
                                   "/v1/runs/r-1/cancel/",
                                   "/v1/runs/r-1/gates",
                                   "/v1/runs/r-1/gates/",
                                   "/v1/runs/r-1/gates/a/b",
                                   "/v1/runs/%zz/cancel",
                                   "/v1/runs/%2/cancel"}) {
    EXPECT_EQ(respond_to("POST", target).status, 404) << target;
  }
  EXPECT_EQ(respond_to("GET", "/v1/runs/r-1/cancel").status, 405);
}

TEST(http_exchange, a_segment_comes_back_as_it_was) {
  for (const std::string text : {"r-0k2j", "r-1/2/step", "a b%c", "čeněk", "~._-"}) {
    EXPECT_EQ(decode_segment(encode_segment(text)), text);
  }
  EXPECT_EQ(encode_segment("a/b"), "a%2Fb");
  for (const std::string wrong : {"%", "%4", "%4x", "a%-1"}) {
    EXPECT_FALSE(decode_segment(wrong)) << wrong;
  }
}

TEST_F(control_door_test, other_words_are_refused_with_what_would_be_right) {
  EXPECT_EQ(respond_to("GET", "/").status, 404);
  EXPECT_THAT(respond_to("GET", "/").body, HasSubstr("try /v1/tree, /healthz, /v1/limits, /v1/faults, /v1/log-level"));
  EXPECT_EQ(respond_to("GET", "/v1/log-level").status, 405);
  EXPECT_THAT(respond_to("POST", "/v1/tree").body, HasSubstr("use GET"));
}

TEST_F(control_door_test, a_client_finds_the_door_beside_the_database) {
  const temporary_folder folder;
  const auto database = std::filesystem::path{folder / "troupe.db"};
  EXPECT_EQ(ask_tree(database).error().code, error_code::not_found);
  EXPECT_FALSE(ask_decision(database, run_id{"r-1"}, {}));
  EXPECT_FALSE(ask_cancel(database, {run_id{"r-1"}, false}));
  {
    const auto door = control_door::open(database, ports());
    ASSERT_TRUE(door.has_value());
    EXPECT_EQ(ask_tree(database)->pid, 4'711);
    EXPECT_TRUE(ask_health(database)->healthy());
    EXPECT_EQ(ask_limits(database)->pid, 4'711);
    EXPECT_TRUE(ask_faults(database)->faults.empty());
    limits_ = error{error_code::internal, "the governor did not answer", ""};
    EXPECT_THAT(ask_limits(database).error().message, HasSubstr("the governor did not answer"));
    EXPECT_TRUE(ask_log_level(database, log_level::trace));
    EXPECT_EQ(level_, log_level::trace);
    const asked_decision asked{{step_id{"approve"}}, {.by = "ann", .at = {}}};
    EXPECT_TRUE(ask_decision(database, run_id{"r 1"}, asked).value()->carried_out);
    EXPECT_EQ(decided_, "r 1 approve ann approved");
    receipt_ = error{error_code::invalid_input, "'ann' has no vote", "those who have: bob"};
    const auto refused = ask_decision(database, run_id{"r-1"}, asked);
    ASSERT_TRUE(refused && !*refused);
    EXPECT_EQ(refused->error().code, error_code::invalid_input);
    EXPECT_EQ(refused->error().message, "'ann' has no vote");
    EXPECT_EQ(refused->error().hint, "those who have: bob");
    run_->state = run_state::running;
    EXPECT_TRUE(ask_cancel(database, {run_id{"r-1"}, true}).value());
    EXPECT_EQ(cancelled_, "r-1 at once");
    health_ = error{error_code::cancelled, "the node has stopped", ""};
    EXPECT_FALSE(ask_health(database));
  }
  EXPECT_EQ(ask_health(database).error().code, error_code::not_found);
  EXPECT_EQ(ask_limits(database).error().code, error_code::not_found);
  EXPECT_EQ(ask_faults(database).error().code, error_code::not_found);
}

// As many as can be asked at a time, but one.
TEST_F(control_door_test, decisions_that_take_their_time_are_in_nobodys_way) {
  const temporary_folder folder;
  const auto database = std::filesystem::path{folder / "troupe.db"};
  std::promise<void> decided;
  std::atomic<int> asked = 0;
  auto slow = ports();
  slow.decide = [&, until = decided.get_future().share()](const run_id&, const gate_question&, const gate_decision&) {
    ++asked;
    until.wait();
    return receipt_;
  };
  const auto door = control_door::open(database, std::move(slow));
  ASSERT_TRUE(door.has_value());
  std::vector<std::thread> people;
  for (int i = 1; i < local_server::answers_at_once; ++i) {
    people.emplace_back([&] {
      const asked_decision what{{step_id{"approve"}}, {.by = "ann", .at = {}}};
      EXPECT_TRUE(ask_decision(database, run_id{"r-1"}, what).value());
    });
  }
  EXPECT_TRUE(becomes_true([&] { return asked == local_server::answers_at_once - 1; }));
  EXPECT_TRUE(ask_health(database));
  EXPECT_TRUE(ask_tree(database));
  decided.set_value();
  for (auto& each : people) {
    each.join();
  }
}

// The process died, or takes longer than anybody waits: it may have done it.
TEST(control_client_test, who_has_no_answer_is_told_that_it_may_have_been_taken) {
  const temporary_folder folder;
  const auto database = std::filesystem::path{folder / "troupe.db"};
  const auto silent = local_server::listen(control_path(database), [](std::string_view) { return std::string{}; });
  ASSERT_TRUE(silent.has_value());
  const auto decided = ask_decision(database, run_id{"r-1"}, {{step_id{"approve"}}, {.by = "ann", .at = {}}});
  ASSERT_TRUE(decided && !*decided);
  EXPECT_EQ(decided->error().code, error_code::storage_unavailable);
  EXPECT_THAT(decided->error().message, HasSubstr("the decision may have been taken"));
  EXPECT_THAT(decided->error().hint, HasSubstr("say it again"));
  const auto cancelled = ask_cancel(database, {run_id{"r-1"}, false});
  ASSERT_TRUE(cancelled && !*cancelled);
  EXPECT_THAT(cancelled->error().message, HasSubstr("the order may have been taken"));
  EXPECT_THAT(cancelled->error().hint, HasSubstr("say it again"));
}

}  // namespace
}  // namespace troupe

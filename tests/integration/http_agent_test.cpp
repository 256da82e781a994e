// Agents over HTTP through the whole program, against a provider on this machine.
#include "tests/storage/whole_database.hpp"
#include "tests/support/cli_fixture.hpp"
#include "tests/support/model_server.hpp"
#include "tests/support/node_fixture.hpp"
#include "tests/support/processes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <signal.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string>

namespace troupe {
namespace {

using std::chrono::steady_clock;
using testing::HasSubstr;
using testing::Not;

constexpr std::string_view key = "sk-a-key-that-must-not-be-seen-0123456789";
const variables with_key{{"MODEL_KEY", std::string{key}}};

class http_agent_test : public cli_fixture {
 protected:
  void SetUp() override {
    write("one.toml", R"(name = "one"
[[step]]
id = "ask"
agent = "local"
prompt = "What is {{run.id}}?"
)");
  }

  void configure(const model_server& server, const std::string& more = "") {
    write("troupe.toml",
          "[log]\nlevel = \"trace\"\nfile = \"troupe.log\"\n[agents.local]\nkind = \"http\"\nendpoint = \"" +
              server.endpoint() + "\"\nmodel = \"asked-model\"\napi_key_env = \"MODEL_KEY\"\n" + more);
  }

  cli_result run_one(const std::string& id = "r-1", const variables& environment = with_key) const {
    return run({"run", "one.toml", "--run-id", id, "--json"}, environment);
  }

  // All that is on disk: rows, log of the database, blobs, our log.
  std::string whole_disk() const {
    std::string all;
    for (const auto& each : std::filesystem::recursive_directory_iterator{path(".")}) {
      if (each.is_regular_file()) {
        all += bytes_of_file(each.path());
      }
    }
    return all;
  }
};

TEST_F(http_agent_test, the_answer_becomes_the_result_and_the_raw_bytes_are_kept) {
  const model_server server{stream_answer({"forty", "-", "two\n"})};
  configure(server);
  const auto done = run_one();
  ASSERT_EQ(done.code, 0) << done.out << done.err;
  const auto shown = json_of(run({"show", "r-1", "--json"}).out);
  EXPECT_EQ(at(shown, "/result/ask"), "forty-two");
  EXPECT_EQ(at(shown, "/usage/input_tokens"), "11");
  EXPECT_EQ(at(shown, "/usage/output_tokens"), "7");
  EXPECT_EQ(run({"output", "r-1", "ask"}).out, chat_events({"forty", "-", "two\n"}));
  EXPECT_THAT(run({"logs", "r-1", "--stderr", "-q"}).out, HasSubstr("HTTP status 200"));
  ASSERT_EQ(server.requests().size(), 1U);
  const auto request = server.requests().front();
  EXPECT_EQ(request.target, "/v1/chat/completions");
  EXPECT_EQ(request.headers.at("authorization"), "Bearer " + std::string{key});
  EXPECT_EQ(request.headers.at("idempotency-key").size(), 32U);
  const auto body = json_of(request.body + "\n");
  EXPECT_EQ(at(body, "/model"), "asked-model");
  EXPECT_EQ(at(body, "/messages/0/content"), "What is r-1?");
}

TEST_F(http_agent_test, one_document_parsed_as_json) {
  const model_server server{document_answer("Here it is:\n```json\n{\"decision\": \"yes\"}\n```")};
  configure(server, "stream = false\nparse = \"json\"\nrequire = [\"/decision\"]\n");
  const auto done = run_one();
  ASSERT_EQ(done.code, 0) << done.out << done.err;
  EXPECT_EQ(at(json_of(done.out), "/result/ask/decision"), "yes");
  EXPECT_EQ(at(json_of(server.requests().front().body + "\n"), "/stream"), "false");
}

TEST_F(http_agent_test, the_key_is_nowhere_even_if_the_provider_repeats_it) {
  const std::string echo{key};
  model_server server{
      {send_bytes{whole_answer(401, fault_body("invalid_api_key", "you sent " + echo), {{"X-Request-Id", echo}})}}};
  server.then(stream_answer({"your key is " + echo, "\nand it ends"}));
  server.then({send_bytes{answer_head(400, {{"X-Request-Id", echo}}, 9'000) + echo}});
  configure(server);
  std::string printed;
  for (const char* id : {"r-1", "r-2", "r-3", "r-4"}) {
    const auto done = run_one(id);
    printed += done.out + done.err;
    const auto shown = run({"show", id, "--json"}, with_key);
    const auto logs = run({"logs", id, "--stderr"}, with_key);
    const auto output = run({"output", id, "ask"}, with_key);
    printed += shown.out + shown.err + logs.out + logs.err + output.out + output.err;
  }
  const auto config = run({"config", "show", "--json"}, with_key);
  printed += config.out + config.err;
  EXPECT_THAT(printed, HasSubstr("your key is ****"));
  EXPECT_THAT(printed, HasSubstr("AUTH_REQUIRED"));
  EXPECT_THAT(printed, Not(HasSubstr(echo)));
  EXPECT_THAT(whole_disk().find(key), std::string::npos);
  EXPECT_GT(std::filesystem::file_size(path("troupe.log")), 0U);
}

TEST_F(http_agent_test, without_its_key_nothing_is_asked) {
  const model_server server{document_answer("x")};
  configure(server);
  const auto checked = run({"check", "one.toml"});
  EXPECT_THAT(checked.out + checked.err, HasSubstr("the variable MODEL_KEY that holds its key is not set"));
  const auto done = run_one("r-1", {});
  EXPECT_EQ(done.code, 1);
  EXPECT_EQ(at(json_of(run({"show", "r-1", "--json"}).out), "/tasks/0/error/code"), "AUTH_REQUIRED");
  const auto broken = run_one("r-2", {{"MODEL_KEY", "sk-1234567890123456\r\nX-Injected: 1"}});
  EXPECT_EQ(at(json_of(run({"show", "r-2", "--json"}).out), "/tasks/0/error/code"), "AUTH_REQUIRED");
  EXPECT_THAT(broken.out + broken.err, Not(HasSubstr("1234567890123456")));
  EXPECT_EQ(server.connections(), 0U);
}

TEST_F(http_agent_test, a_failure_is_a_fact_with_its_code_and_what_came_is_kept) {
  const model_server server{stream_answer({std::string(5'000, 'x')})};
  configure(server, "output_limit = \"1KiB\"\n");
  EXPECT_EQ(run_one().code, 1);
  const auto shown = json_of(run({"show", "r-1", "--json"}).out);
  EXPECT_EQ(at(shown, "/tasks/0/error/code"), "OUTPUT_TOO_LARGE");
  EXPECT_EQ(run({"output", "r-1", "ask"}).out, chat_events({std::string(5'000, 'x')}).substr(0, 1'024));
}

TEST_F(http_agent_test, the_steps_timeout_closes_the_connection) {
  const model_server server{{stall{}}};
  configure(server);
  write("one.toml", "name='one'\n[[step]]\nid='ask'\nagent='local'\nprompt='x'\ntimeout='200ms'\n");
  auto running = start({"run", "one.toml", "--run-id", "r-1"}, with_key);
  ASSERT_TRUE(server.wait_for_closings(1));
  running.signal(SIGINT);  // it may be waiting for another attempt by now
  running.wait();
  EXPECT_THAT(run({"logs", "r-1"}).out, HasSubstr("TASK_TIMEOUT"));
}

TEST_F(http_agent_test, trusts_the_file_that_ssl_cert_file_names_and_no_other) {
  const auto certificate = make_certificate();
  const model_server server{document_answer("x"), certificate};
  configure(server);
  write("authority.pem", certificate.certificate);
  EXPECT_EQ(run_one("r-1").code, 1);
  EXPECT_EQ(at(json_of(run({"show", "r-1", "--json"}).out), "/tasks/0/error/code"), "INVALID_CONFIG");
  EXPECT_EQ(server.requests().size(), 0U);
  auto environment = with_key;
  environment["SSL_CERT_FILE"] = path("authority.pem");
  const auto done = run_one("r-2", environment);
  EXPECT_EQ(done.code, 0) << done.out << done.err;
}

// The best of several: what else the machine does is not ours.
TEST_F(http_agent_test, a_cancelled_run_closes_its_connection_at_once) {
  const auto half = answer_head(200, {{"Content-Type", "text/event-stream"}}) + chat_events({"a"}).substr(0, 200);
  const model_server server{{send_bytes{half}, stall{}}};
  configure(server);
  auto best = steady_clock::duration::max();
  for (std::size_t i = 1; i <= 3; ++i) {
    const auto id = "r-" + std::to_string(i);
    auto running = start({"run", "one.toml", "--run-id", id}, with_key);
    ASSERT_TRUE(server.wait_for_requests(i));
    const auto asked = steady_clock::now();
    running.signal(SIGINT);
    ASSERT_TRUE(server.wait_for_closings(i));
    best = std::min(best, server.closings().back() - asked);
    EXPECT_EQ(running.wait().code, 5);
    EXPECT_EQ(tasks_of(id).at(0).state, task_state::cancelled);
  }
  EXPECT_LT(best, std::chrono::milliseconds{100});
}

TEST_F(http_agent_test, a_killed_run_asks_again_with_the_same_key_of_idempotency) {
  model_server server{document_answer("x")};
  server.then({stall{}});
  configure(server);
  {
    auto running = start({"run", "one.toml", "--run-id", "r-1"}, with_key);
    ASSERT_TRUE(server.wait_for_requests(1));
    running.signal(SIGKILL);
    running.wait();
  }
  const auto resumed = run({"resume", "r-1", "--json"}, with_key);
  EXPECT_EQ(resumed.code, 0) << resumed.out << resumed.err;
  ASSERT_EQ(server.requests().size(), 2U);
  EXPECT_EQ(server.requests()[0].headers.at("idempotency-key"), server.requests()[1].headers.at("idempotency-key"));
}

TEST_F(http_agent_test, agents_over_http_and_programs_vote_together) {
  const model_server server{document_answer("{\"decision\":\"go\"}")};
  configure(server,
            "parse = \"json\"\n[agents.program]\nparse = \"json\"\ncommand = [\"sh\", \"-c\", \"echo "
            "'{\\\"decision\\\":\\\"go\\\"}'\"]\n");
  write("one.toml", R"(name = "one"
[[step]]
id = "ask"
agents = ["local", "program"]
prompt = "x"
[step.consensus]
strategy = "vote"
vote_on = "/decision"
)");
  const auto done = run_one();
  ASSERT_EQ(done.code, 0) << done.out << done.err;
  EXPECT_EQ(at(json_of(done.out), "/degraded"), "false");
}

class http_progress_test : public node_fixture {};

TEST_F(http_progress_test, the_key_is_not_shown_while_the_answer_comes) {
  const std::string secret{key};
  const auto events = chat_events({"you sent " + secret, " to me"});
  const auto half = events.find(" to me");
  const model_server server{{send_bytes{answer_head(200, {{"Content-Type", "text/event-stream"}})},
                             send_bytes{events.substr(0, half)},
                             pause_for{std::chrono::milliseconds{150}},
                             send_bytes{events.substr(half)}}};
  ASSERT_EQ(::setenv("MODEL_KEY", secret.c_str(), 1), 0);
  const auto node = start_node("[agents.a]\nkind = 'http'\nmodel = 'm'\napi_key_env = 'MODEL_KEY'\nendpoint = '" +
                               server.endpoint() + "'\n");
  ::unsetenv("MODEL_KEY");
  const auto run = run_to_end(*node, "name = 'one'\n[[step]]\nid = 's'\nagent = 'a'\nprompt = 'x'\n");
  EXPECT_EQ(run.state, run_state::completed);
  bool shown = false;
  for (const auto& each : recorder_.progress()) {
    shown = shown || each.last_line.find("you sent ***") != std::string::npos;
    EXPECT_EQ(each.last_line.find(secret), std::string::npos);
  }
  EXPECT_TRUE(shown);
}

}  // namespace
}  // namespace troupe

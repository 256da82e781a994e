// What the adapters that ship make of what their programs print. The samples are made after the documented formats, whose
// places are named in config/adapters.toml.
#include "actors/agent/recognition.hpp"

#include "actors/agent/judgement.hpp"
#include "config/adapters.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace troupe {
namespace {

agent_spec adapter(const std::string& name) {
  auto spec = builtin_adapters().at(name);
  spec.name = agent_name{"critic"};
  spec.model = "configured";
  return spec;
}

struct sample {
  const char* name;
  int status;
  std::string out;
  std::string says;  ///< `answer` or `CODE message`, then ` | MODEL in/out` and ` | SESSION` where they are known.
  std::string err = {};
};

std::string told_of(const agent_spec& spec, const sample& from) {
  attempt_order order;
  order.spec = spec;
  process_end end;
  end.exit.exit_code = from.status;
  end.standard_output = from.out;
  end.standard_error = from.err;
  const auto outcome = judge(order, attempt_session{attempt_limits{}}, end_of(std::move(end)));
  std::string text;
  if (outcome.why) {
    text = std::string{to_string(outcome.why->code)} + ' ' + outcome.why->message;
  } else {
    text = outcome.found_by + ' ' + outcome.value->str();
  }
  if (outcome.usage) {
    text += " | " + outcome.usage->model + ' ' + std::to_string(outcome.usage->input_tokens) + '/' +
            std::to_string(outcome.usage->output_tokens);
  }
  return outcome.session.empty() ? text : text + " | " + outcome.session;
}

void expect_told(const agent_spec& spec, const std::vector<sample>& samples) {
  for (const auto& each : samples) {
    EXPECT_EQ(told_of(spec, each), each.says) << each.name;
  }
}

std::string claude_result(const std::string& members) {
  return R"({"type":"result","num_turns":1,"session_id":"c-1","total_cost_usd":0.1,)" + members + "}\n";
}

const std::string claude_usage =
    R"("usage":{"input_tokens":3,"cache_creation_input_tokens":2783,"cache_read_input_tokens":14707,"output_tokens":6})";

TEST(recognition_test, claude) {
  const auto failed = [](const std::string& status) {
    return claude_result(R"("subtype":"success","is_error":true,"api_error_status":)" + status +
                         R"(,"result":"API Error: words of the provider")");
  };
  const std::string words = " agent 'critic' failed: API Error: words of the provider | c-1";
  expect_told(
      adapter("claude"),
      {
          {"an answer",
           0,
           claude_result(
               R"("subtype":"success","is_error":false,"result":"Looks {\"good\"}","modelUsage":{"m-5":{}},)" +
               claude_usage),
           R"(answer "Looks {\"good\"}" | m-5 17493/6 | c-1)"},
          {"several models",
           0,
           claude_result(R"("subtype":"success","result":"x","modelUsage":{"m-5":{},"m-4":{}},)" + claude_usage),
           R"(answer "x" | configured 17493/6 | c-1)"},
          {"a status that is null",
           0,
           claude_result(R"("is_error":false,"api_error_status":null,"result":"x")"),
           R"(answer "x" | c-1)"},
          {"words about a rate limit are words",
           0,
           claude_result(R"("is_error":false,"result":"429 rate limit, 401")"),
           R"(answer "429 rate limit, 401" | c-1)"},
          {"too many requests", 1, failed("429"), "RATE_LIMITED" + words},
          {"a wrong key", 1, failed("401"), "AUTH_REQUIRED" + words},
          {"overloaded", 1, failed("529"), "PROVIDER_UNAVAILABLE" + words},
          {"no such model", 1, failed("404"), "NOT_FOUND" + words},
          {"a wrong request", 1, failed("400"), "INVALID_INPUT" + words},
          {"not logged in", 1, failed("null"), "AGENT_EXIT" + words},
          {"also where it exits well", 0, failed("429"), "RATE_LIMITED" + words},
          {"its own budget",
           1,
           claude_result(
               R"x("subtype":"error_max_budget_usd","is_error":true,"errors":["Reached maximum budget ($0.10)"],)x" +
               claude_usage),
           "BUDGET_EXCEEDED agent 'critic' failed: Reached maximum budget ($0.10) | configured 17493/6 | c-1"},
          {"too many turns",
           1,
           claude_result(R"("subtype":"error_max_turns","is_error":true)"),
           "AGENT_EXIT agent 'critic' failed: it ended with status 1, and /subtype is \"error_max_turns\" | c-1"},
          {"no document",
           1,
           "Segmentation fault\n",
           "AGENT_EXIT agent 'critic' ended with status 1: out of memory",
           "out of memory\n"},
          {"a document without the answer",
           0,
           claude_result(R"("subtype":"success","is_error":false)"),
           "OUTPUT_INVALID the output of agent 'critic' has no answer at '/result' | c-1"},
          {"no JSON at all", 0, "hello\n", "OUTPUT_INVALID the output of agent 'critic' holds no JSON"},
          {"nothing", 0, "", "AGENT_NO_OUTPUT agent 'critic' ended with status 0 and printed nothing"},
      });
}

TEST(recognition_test, codex) {
  const std::string begun = "{\"type\":\"thread.started\",\"thread_id\":\"t-1\"}\n{\"type\":\"turn.started\"}\n";
  const std::string thought = R"({"type":"item.completed","item":{"id":"i0","type":"reasoning","text":"hm"}})"
                              "\n";
  const auto said = [](const std::string& text) {
    return R"({"type":"item.completed","item":{"id":"i1","type":"agent_message","text":)" + text + "}}\n";
  };
  const std::string done =
      R"({"type":"turn.completed","usage":{"input_tokens":24763,"cached_input_tokens":24448,"output_tokens":122}})"
      "\n";
  expect_told(
      adapter("codex"),
      {
          {"an answer", 0, begun + thought + said("\"done\"") + done, "answer \"done\" | configured 24763/122 | t-1"},
          {"the last of two messages",
           0,
           begun + said("\"a\"") + said("\"b\"") + thought + done,
           "answer \"b\" | configured 24763/122 | t-1"},
          {"an odd line between", 0, begun + "warning: x\n\n" + said("\"a\""), "answer \"a\" | t-1"},
          {"a turn that failed",
           0,
           begun + said("\"a\"") +
               "{\"type\":\"error\",\"message\":\"Reconnecting 1/5\"}\n"
               "{\"type\":\"turn.failed\",\"error\":{\"message\":\"usage limit\"}}\n",
           "AGENT_EXIT agent 'critic' failed: usage limit | t-1"},
          {"a reconnection that helped",
           0,
           begun + "{\"type\":\"error\",\"message\":\"Reconnecting 1/5\"}\n" + said("\"a\"") + done,
           "answer \"a\" | configured 24763/122 | t-1"},
          {"no message",
           0,
           begun + thought + done,
           "OUTPUT_INVALID the output of agent 'critic' has no answer at '/item/text' | configured 24763/122 "
           "| t-1"},
      });
}

TEST(recognition_test, gemini) {
  const auto failed = [](const std::string& code) {
    return "Warning: 256-colour support\n{\n  \"session_id\": \"g-1\",\n  \"error\": {\n    \"type\": \"ApiError\",\n"
           "    \"message\": \"words\",\n    \"code\": " +
           code + "\n  }\n}\n";
  };
  const std::string model = R"({"api":{"totalRequests":2},"tokens":{"prompt":24939,"candidates":20,"thoughts":154}})";
  expect_told(adapter("gemini"),
              {
                  {"an answer",
                   0,
                   R"({"session_id":"g-1","response":"Paris.","stats":{"models":{"g-2.5":)" + model + "}}}",
                   "answer \"Paris.\" | g-2.5 24939/174 | g-1"},
                  {"two models",
                   0,
                   R"({"response":"Paris.","stats":{"models":{"g-2.5":)" + model + R"(,"lite":)" + model + "}}}",
                   "answer \"Paris.\" | configured 49878/348"},
                  {"too many requests", 173, "", "RATE_LIMITED agent 'critic' failed: words", failed("429")},
                  {"unavailable", 247, "", "PROVIDER_UNAVAILABLE agent 'critic' failed: words", failed("503")},
                  {"not logged in", 41, "", "AUTH_REQUIRED agent 'critic' failed: words", failed("41")},
                  {"not logged in, and no words",
                   41,
                   "",
                   "AUTH_REQUIRED agent 'critic' failed: it ended with status 41",
                   "sorry\n"},
                  {"a wrong prompt", 42, "", "INVALID_INPUT agent 'critic' failed: words", failed("42")},
                  {"too many turns", 53, "", "AGENT_EXIT agent 'critic' ended with status 53: }", failed("53")},
                  {"an error on stdout",
                   0,
                   R"({"error":{"type":"Error","message":"words"}})",
                   "AGENT_EXIT agent 'critic' failed: words"},
              });
}

agent_spec own(recognition reading, output_format parse = output_format::json) {
  agent_spec spec;
  spec.name = agent_name{"critic"};
  spec.parse = parse;
  spec.reading = std::move(reading);
  return spec;
}

recognised_output recognised(const agent_spec& spec, const std::string& out, int code = 0) {
  exit_facts facts;
  facts.exit.exit_code = code;
  facts.standard_output = out;
  return recognise(spec, facts, "Answer {\"vote\": \"yes or no\"}");
}

TEST(recognition_test, an_answer_that_is_a_text_can_hold_json) {
  recognition reading;
  reading.answer.path = "/text";
  reading.answer_parse = answer_format::json;
  auto spec = own(reading);
  const auto found = [&](const std::string& text) {
    const auto told = recognised(spec, "{\"text\":" + json_string(text) + "}");
    return *told.answer ? (*told.answer)->found_by + ' ' + (*told.answer)->value.str()
                        : std::string{to_string(told.answer->error().code)};
  };
  EXPECT_EQ(found("{\"vote\":\"yes\"}"), "whole {\"vote\":\"yes\"}");
  EXPECT_EQ(found("So:\n```json\n{\"vote\":\"no\"}\n```\n"), "fenced {\"vote\":\"no\"}");
  EXPECT_EQ(found("You asked {\"vote\": \"yes or no\"}. {\"vote\":\"no\"}"), "balanced {\"vote\":\"no\"}");
  EXPECT_EQ(found("{\"vote\": \"yes or no\"}"), "OUTPUT_INVALID") << "the question is no answer";
  EXPECT_EQ(found("no"), "OUTPUT_INVALID");
  spec.require = {"/vote"};
  EXPECT_EQ(found("{\"vote\":\"yes\"}"), "whole {\"vote\":\"yes\"}");
  EXPECT_EQ(found("{\"voice\":\"yes\"}"), "OUTPUT_INVALID");
}

TEST(recognition_test, an_answer_that_is_no_text_is_taken_as_it_stands) {
  recognition reading;
  reading.answer.path = "/value";
  reading.answer_parse = answer_format::json;
  auto spec = own(reading);
  EXPECT_EQ((*recognised(spec, R"({"value":{"b":1,"a":2}})").answer)->value.str(), R"({"a":2,"b":1})");
  spec.require = {"/a"};
  EXPECT_TRUE(recognised(spec, R"({"value":{"a":2}})").answer->has_value());
  EXPECT_FALSE(recognised(spec, R"({"value":{"b":2}})").answer->has_value());
}

TEST(recognition_test, the_first_rule_that_holds_counts) {
  recognition reading;
  failure_rule busy;
  busy.exit = {75};
  busy.test = value_test{"/busy", {json_text{"true"}}, true};
  busy.code = error_code::rate_limited;
  busy.retry_after = milliseconds{7'000};
  busy.retry_after_path = "/wait";
  failure_rule any;
  any.exit = {75, 76};
  any.code = error_code::provider_unavailable;
  failure_rule without;
  without.test = value_test{"/ok", {}, false};
  without.code = error_code::output_invalid;
  reading.failures = {busy, any, without};
  const auto told = [&](const std::string& out, int code) {
    const auto failure = recognised(own(reading), out, code).failure;
    return failure ? std::string{to_string(failure->code)} + ' ' +
                         (failure->retry_after ? to_text(*failure->retry_after) : "none")
                   : std::string{"none"};
  };
  EXPECT_EQ(told(R"({"busy":true})", 75), "RATE_LIMITED 7s");
  EXPECT_EQ(told(R"({"busy":true,"wait":30})", 75), "RATE_LIMITED 30s");
  EXPECT_EQ(told(R"({"busy":true,"wait":0.25})", 75), "RATE_LIMITED 250ms");
  EXPECT_EQ(told(R"({"busy":true,"wait":"90"})", 75), "RATE_LIMITED 90s");
  EXPECT_EQ(told(R"({"busy":true,"wait":"2m"})", 75), "RATE_LIMITED 2m");
  EXPECT_EQ(told(R"({"busy":true,"wait":-1})", 75), "RATE_LIMITED 7s") << "what is no time is not taken for one";
  EXPECT_EQ(told(R"({"busy":true,"wait":1e300})", 75), "RATE_LIMITED 7s");
  EXPECT_EQ(told(R"({"busy":true,"wait":null})", 75), "RATE_LIMITED 7s");
  EXPECT_EQ(told(R"({"busy":"true"})", 75), "PROVIDER_UNAVAILABLE none") << "a text is no truth";
  EXPECT_EQ(told("not JSON", 75), "PROVIDER_UNAVAILABLE none");
  EXPECT_EQ(told(R"({"busy":true,"ok":1})", 0), "none");
  EXPECT_EQ(told(R"({"busy":true})", 0), "OUTPUT_INVALID none");
  EXPECT_EQ(told("not JSON", 0), "none") << "nothing is absent from what is not there";
}

value_source source_at(const std::string& path) {
  value_source made;
  made.path = path;
  return made;
}

TEST(recognition_test, counts_of_tokens_are_whole_and_never_overflow) {
  recognition reading;
  reading.usage.input = {source_at("/a"), source_at("/b")};
  reading.usage.output = {source_at("/n")};
  reading.usage.output.front().each = "/list";
  const auto used = [&](const std::string& out) {
    const auto usage = recognised(own(reading), out).usage;
    return usage ? std::to_string(usage->input_tokens) + '/' + std::to_string(usage->output_tokens) : "none";
  };
  EXPECT_EQ(used(R"({"a":1,"b":2,"list":[{"n":3},{},{"n":4}]})"), "3/7");
  EXPECT_EQ(used(R"({"b":2.4})"), "2/0");
  EXPECT_EQ(used(R"({"a":-5,"b":"7"})"), "0/0");
  EXPECT_EQ(used(R"({"a":9223372036854775807,"b":9})"), "9223372036854775807/0");
  EXPECT_EQ(used(R"({"a":18446744073709551615,"b":1e300})"), "9223372036854775807/0");
  EXPECT_EQ(used(R"({"list":{"x":{"n":1}}})"), "0/1");
  EXPECT_EQ(used(R"({"list":7})"), "none");
  EXPECT_EQ(used("{}"), "none");
}

TEST(recognition_test, lines_are_chosen_from_either_end) {
  recognition reading;
  reading.answer.path = "/v";
  const std::string lines = "{\"v\":1}\n{\"v\":2,\"k\":\"x\"}\n{\"k\":\"x\"}\nodd\n{\"v\":3}\n";
  const auto found = [&] { return (*recognised(own(reading, output_format::jsonl), lines).answer)->value.str(); };
  EXPECT_EQ(found(), "3");
  reading.answer.line = line_choice::first;
  EXPECT_EQ(found(), "1");
  reading.answer.where = value_test{"/k", {json_text{"\"x\""}}, true};
  EXPECT_EQ(found(), "2");
  reading.answer.line = line_choice::last;
  EXPECT_EQ(found(), "2") << "of those that have it";
  reading.answer.where = value_test{"/k", {}, false};
  EXPECT_EQ(found(), "3");
}

TEST(recognition_test, an_agent_without_rules_is_not_looked_into) {
  const auto told = recognised(own({}), R"({"a":1})");
  EXPECT_FALSE(told.failure || told.usage || told.answer);
  EXPECT_EQ(told.session, "");
}

}  // namespace
}  // namespace troupe

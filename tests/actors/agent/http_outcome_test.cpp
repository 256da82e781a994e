// From what a provider answered to the outcome of the task: a row for each thing that it may do.
#include "actors/agent/http_outcome.hpp"

#include "actors/agent/chat_completion.hpp"
#include "actors/agent/http_call.hpp"
#include "actors/agent/http_date.hpp"
#include "actors/agent/launch.hpp"
#include "actors/json/json.hpp"
#include "tests/support/model_server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

namespace troupe {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

attempt_order order_of(output_format parse = output_format::text) {
  attempt_order order;
  order.task.id = task_id{"t-1"};
  order.spec.name = agent_name{"local"};
  order.spec.kind = agent_kind::http;
  order.spec.endpoint = "http://127.0.0.1:8080/v1/";
  order.spec.model = "asked-model";
  order.spec.parse = parse;
  order.prompt = "How \"are\"\nyou?";
  return order;
}

http_end answered(int status, const std::string& type = "application/json") {
  http_end end;
  end.status = status;
  end.ended_at = timestamp{std::chrono::seconds{784'111'777}};  // 1994-11-06 08:49:37
  if (!type.empty()) {
    end.headers.push_back({"content-type", type});
  }
  return end;
}

http_end failed(http_failure why, std::optional<int> status = std::nullopt) {
  http_end end;
  end.failure = why;
  end.status = status;
  end.failure_text = "the library's words";
  if (status) {
    end.headers.push_back({"content-type", "text/event-stream"});
  }
  return end;
}

std::string code_of(const task_outcome& outcome) {
  return outcome.why ? std::string{to_string(outcome.why->code)} : "none";
}

const std::string stream_type = "text/event-stream; charset=utf-8";

// --- The request -----------------------------------------------------------------------------------------------------

std::map<std::string, std::string> headers_of(const http_post& request) {
  std::map<std::string, std::string> all;
  for (const auto& [name, value] : request.headers) {
    EXPECT_TRUE(all.emplace(name, value).second) << name << " comes twice";
  }
  return all;
}

TEST(http_call_test, asks_for_a_completion) {
  auto order = order_of();
  order.spec.api_key_env = "KEY";
  order.spec.headers = {{"X-Title", "t"}};
  order.spec.connect_timeout = 3s;
  order.spec.first_output = 4s;
  order.spec.idle_timeout = 5s;
  order.spec.output_limit = 77;
  const auto made = prepare_call(order, {{"KEY", "sk-0123456789abcdef"}});
  ASSERT_TRUE(made.has_value()) << made.error().message;
  EXPECT_EQ(made->key, "sk-0123456789abcdef");
  EXPECT_EQ(made->request.url, "http://127.0.0.1:8080/v1/chat/completions");
  EXPECT_EQ(made->request.route, http_route::direct);
  EXPECT_EQ(made->request.limits.connect, 3s);
  EXPECT_EQ(made->request.limits.first_output, 4s);
  EXPECT_EQ(made->request.limits.idle, 5s);
  EXPECT_EQ(made->request.output_limit, 77U);
  const auto headers = headers_of(made->request);
  EXPECT_EQ(headers.at("Authorization"), "Bearer sk-0123456789abcdef");
  EXPECT_EQ(headers.at("Idempotency-Key"), idempotency_key(task_id{"t-1"}));
  EXPECT_EQ(headers.at("X-Title"), "t");
  const auto body = parse(*made->request.body);
  ASSERT_TRUE(body.has_value()) << *made->request.body;
  EXPECT_EQ(canonical(*body).str(),
            R"({"messages":[{"content":"How \"are\"\nyou?","role":"user"}],"model":"asked-model","stream":true,)"
            R"("stream_options":{"include_usage":true}})");
}

TEST(http_call_test, asks_for_no_more_tokens_than_it_may_have) {
  auto order = order_of();
  order.spec.max_tokens = 4'096;
  order.spec.stream = false;
  const auto body = parse(*prepare_call(order, {})->request.body);
  ASSERT_TRUE(body.has_value());
  EXPECT_EQ(body->at("max_tokens").as_int64(), 4'096);
  order.spec.max_tokens = 0;
  EXPECT_FALSE(parse(*prepare_call(order, {})->request.body)->as_object().contains("max_tokens"));
}

TEST(http_call_test, without_a_key_and_without_a_stream) {
  auto order = order_of();
  order.spec.stream = false;
  order.spec.endpoint = "https://api.example.com";
  const auto made = prepare_call(order, {});
  ASSERT_TRUE(made.has_value());
  EXPECT_EQ(made->request.url, "https://api.example.com/chat/completions");
  EXPECT_EQ(made->request.route, http_route::as_environment_says);
  EXPECT_EQ(headers_of(made->request).count("Authorization"), 0U);
  EXPECT_THAT(*made->request.body, HasSubstr(R"("stream":false)"));
}

TEST(http_call_test, refuses_before_anything_is_sent) {
  auto order = order_of();
  order.spec.api_key_env = "KEY";
  const auto code_with = [&](const std::map<std::string, std::string>& environment) {
    const auto made = prepare_call(order, environment);
    EXPECT_FALSE(made.has_value());
    return made ? std::string{} : std::string{to_string(made.error().code)} + ": " + made.error().message;
  };
  EXPECT_THAT(code_with({}), HasSubstr("AUTH_REQUIRED: agent 'local' was not asked: the variable KEY"));
  EXPECT_THAT(code_with({{"KEY", ""}}), HasSubstr("is not set"));
  for (const std::string key : {"sk-a\r\nX-Injected: 1", "sk-a\n", "sk a", "sk-\x01", "sk-\xC3\xA9"}) {
    const auto told = code_with({{"KEY", key}});
    EXPECT_THAT(told, HasSubstr("AUTH_REQUIRED"));
    EXPECT_THAT(told, Not(HasSubstr("sk-")));
  }
  order.prompt = "a\xFF";
  EXPECT_THAT(code_with({{"KEY", "sk"}}), HasSubstr("INVALID_INPUT"));
  order.spec.endpoint = "x";
  EXPECT_THAT(code_with({{"KEY", "sk"}}), HasSubstr("INVALID_CONFIG"));
}

TEST(http_call_test, a_key_that_comes_back_is_blotted_out) {
  const std::string key = "sk-0123456789abcdef";
  http_end end = answered(401);
  end.body = "you sent " + key + key + ", not " + key.substr(1);
  end.headers.push_back({"x-echo", "Bearer " + key});
  end.failure_text = key;
  blot_out(end, key);
  EXPECT_EQ(end.body, "you sent " + std::string(38, '*') + ", not k-0123456789abcdef");
  EXPECT_EQ(end.headers.back().value, "Bearer " + std::string(19, '*'));
  EXPECT_EQ(end.failure_text, std::string(19, '*'));
  std::string words = "none of them, says ollama";
  blot_out(words, "none");
  blot_out(words, "");
  EXPECT_EQ(words, "none of them, says ollama");
}

TEST(http_call_test, previews_the_last_line_of_a_growing_answer) {
  answer_preview preview;
  const auto events = chat_events({"one\ntw", "o", "\n", "\x1b[31mthree"});
  std::string last;
  std::vector<std::string> seen;
  for (const char each : events) {
    if (const auto line = preview.take({&each, 1}); line != last) {
      seen.push_back(line);
      last = line;
    }
  }
  EXPECT_THAT(seen, ::testing::ElementsAre("tw", "two", "three"));
  EXPECT_EQ(answer_preview{}.take(chat_document("x")), "");
  answer_preview long_one;
  EXPECT_LE(long_one.take(chat_events({std::string(1U << 20U, 'x')})).size(), 200U);
}

// --- A good answer ---------------------------------------------------------------------------------------------------

TEST(http_outcome_test, a_whole_answer_in_both_forms) {
  for (const bool streamed : {false, true}) {
    const auto body = streamed ? chat_events({"he", "llo", " \xE2\x82\xAC\n"}) : chat_document("hello \xE2\x82\xAC\n");
    const auto outcome = judge_http(order_of(), answered(200, streamed ? stream_type : "application/json"), body);
    ASSERT_EQ(outcome.state, task_state::completed) << outcome.why->message;
    EXPECT_EQ(outcome.value->str(), "\"hello \xE2\x82\xAC\"");
    EXPECT_EQ(outcome.found_by, "text");
    ASSERT_TRUE(outcome.usage.has_value());
    EXPECT_EQ(outcome.usage->model, "test-model-0613");
    EXPECT_EQ(outcome.usage->input_tokens, 11);
    EXPECT_EQ(outcome.usage->output_tokens, 7);
  }
}

TEST(http_outcome_test, the_text_goes_through_the_agents_parse) {
  auto order = order_of(output_format::json);
  order.spec.require = {"/a"};
  const auto thought = "Let me think.\n```json\n{\"a\": 1}\n```\n";
  EXPECT_EQ(judge_http(order, answered(200), chat_document(thought)).value->str(), R"({"a":1})");
  order.spec.require = {"/b"};
  EXPECT_EQ(code_of(judge_http(order, answered(200), chat_document(thought))), "OUTPUT_INVALID");
}

TEST(http_outcome_test, every_cut_of_a_stream_is_whole_or_unavailable) {
  const auto events = chat_events({"{\"a\":", "[1,2]}"});
  const auto reason_at = events.find("\"finish_reason\":\"stop\"");
  const auto whole_from = events.find("\n\n", reason_at);
  for (std::size_t length = 0; length <= events.size(); ++length) {
    auto end = answered(200, stream_type);
    end.failure = http_failure::cut;
    const auto outcome = judge_http(order_of(output_format::json), end, events.substr(0, length));
    if (length >= whole_from) {
      ASSERT_EQ(outcome.state, task_state::completed) << length << ": " << outcome.why->message;
      ASSERT_EQ(outcome.value->str(), R"({"a":[1,2]})");
    } else {
      ASSERT_EQ(code_of(outcome), "PROVIDER_UNAVAILABLE") << length;
    }
  }
}

TEST(http_outcome_test, forms_that_some_servers_have) {
  const auto text_of = [](const std::string& body, const std::string& type = "application/json") {
    const auto outcome = judge_http(order_of(), answered(200, type), body);
    return outcome.value ? outcome.value->str() : code_of(outcome) + ": " + outcome.why->message;
  };
  EXPECT_EQ(text_of(R"({"choices":[{"message":{"content":"a"}}]})"), "\"a\"");
  EXPECT_EQ(text_of(R"({"choices":[{"message":{"content":[{"type":"text","text":"a"},{"type":"x","text":"b"}]}}]})"),
            "\"a\"");
  EXPECT_EQ(text_of(R"({"choices":[{"index":1,"message":{"content":"b"}},{"index":0,"message":{"content":"a"}}]})"),
            "\"a\"");
  EXPECT_EQ(text_of(R"({"error":null,"choices":[{"message":{"content":"a"}}]})"), "\"a\"");
  EXPECT_EQ(text_of(R"({"choices":[{"message":{"content":"a"}}],"usage":null})"), "\"a\"");
  EXPECT_EQ(text_of(R"({"choices":[{"message":{"content":"a","refusal":null}}]})"), "\"a\"");
  // The type decides; without one, what was asked for.
  EXPECT_EQ(text_of(chat_document("a"), "Application/JSON"), "\"a\"");
  EXPECT_EQ(text_of(chat_events({"a"}), "TEXT/Event-Stream"), "\"a\"");
  EXPECT_EQ(text_of(chat_events({"a"}), ""), "\"a\"");
  // The end mark is enough, without a reason; and the reason without the mark; and without an empty line.
  EXPECT_EQ(text_of("data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\ndata: [DONE]", stream_type), "\"a\"");
  EXPECT_EQ(text_of("data: {\"choices\":[{\"delta\":{\"content\":\"a\"},\"finish_reason\":\"stop\"}]}", stream_type),
            "\"a\"");
  EXPECT_EQ(
      text_of("data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\r\n\r\ndata: [DONE]\r\n\r\nrubbish", stream_type),
      "\"a\"");
}

TEST(http_outcome_test, the_model_of_the_usage_is_the_answers_or_the_agents) {
  const auto outcome =
      judge_http(order_of(), answered(200), R"({"choices":[{"message":{"content":"a"}}],"usage":{"prompt_tokens":3}})");
  ASSERT_TRUE(outcome.usage.has_value());
  EXPECT_EQ(outcome.usage->model, "asked-model");
  EXPECT_EQ(outcome.usage->input_tokens, 3);
  EXPECT_EQ(outcome.usage->output_tokens, 0);
}

// --- Answers that are of no use --------------------------------------------------------------------------------------

struct verdict_row {
  const char* name;
  http_end end;
  std::string body;
  std::string code;
  std::string says;
};

void expect_verdicts(const std::vector<verdict_row>& table) {
  for (const auto& each : table) {
    SCOPED_TRACE(each.name);
    const auto outcome = judge_http(order_of(), each.end, each.body);
    EXPECT_EQ(outcome.state, task_state::failed);
    EXPECT_EQ(code_of(outcome), each.code);
    ASSERT_TRUE(outcome.why.has_value());
    EXPECT_THAT(outcome.why->message, HasSubstr(each.says));
    EXPECT_THAT(outcome.why->message, HasSubstr("'local'"));
    EXPECT_FALSE(outcome.value.has_value());
  }
}

TEST(http_outcome_test, each_status) {
  const auto quota = fault_body("insufficient_quota", "You exceeded your current quota");
  std::vector<verdict_row> table{
      {"moved", answered(307), "", "INVALID_CONFIG", "status 307"},
      {"bad", answered(400), fault_body("x", "m\nn"), "INVALID_INPUT", "status 400 (x): m n"},
      {"bad: model", answered(400), fault_body("model_not_found", "m"), "NOT_FOUND", "status 400"},
      {"key", answered(401), "no JSON at all", "AUTH_REQUIRED", "status 401"},
      {"money", answered(402), "", "BUDGET_EXCEEDED", "status 402"},
      {"forbidden", answered(403), "[1]", "AUTH_REQUIRED", "status 403"},
      {"no model", answered(404), fault_body("model_not_found", "m"), "NOT_FOUND", "status 404"},
      {"teapot", answered(418), "\xFF\xFE", "INVALID_INPUT", "status 418"},
      {"rate", answered(429), fault_body("rate_limit_exceeded", "slow down"), "RATE_LIMITED", "slow down"},
      {"rate: words are not read", answered(429), fault_body("x", "insufficient_quota"), "RATE_LIMITED", "429"},
      {"quota", answered(429), quota, "BUDGET_EXCEEDED", "You exceeded your current quota"},
      {"quota by type", answered(429), R"({"error":{"type":"insufficient_quota"}})", "BUDGET_EXCEEDED", "429"},
      {"quota without a wrapper", answered(429), R"({"code":"insufficient_quota"})", "BUDGET_EXCEEDED", "429"},
      {"overloaded", answered(529), "", "RATE_LIMITED", "status 529"},
  };
  for (const int status : {408, 409, 425, 500, 502, 503, 504, 520}) {
    table.push_back({"later", answered(status), "", "PROVIDER_UNAVAILABLE", "status " + std::to_string(status)});
  }
  for (auto& each : table) {
    auto cut_short = each;
    cut_short.end.failure = http_failure::cut;
    cut_short.name = "the same, cut";
    expect_verdicts({each, cut_short});
  }
}

TEST(http_outcome_test, each_failure_of_the_connection) {
  expect_verdicts({
      {"malformed", failed(http_failure::malformed), "", "INVALID_CONFIG", "the library's words"},
      {"unresolved", failed(http_failure::unresolved), "", "PROVIDER_UNAVAILABLE", "no address"},
      {"refused", failed(http_failure::refused), "", "PROVIDER_UNAVAILABLE", "nobody listens"},
      {"unreachable", failed(http_failure::unreachable), "", "PROVIDER_UNAVAILABLE", "not reached"},
      {"untrusted", failed(http_failure::untrusted), "", "INVALID_CONFIG", "is not trusted"},
      {"connect", failed(http_failure::connect_timeout), "", "PROVIDER_UNAVAILABLE", "within 10s"},
      {"first", failed(http_failure::first_output_timeout), "", "TASK_TIMEOUT", "sent nothing for"},
      {"first, with a head", failed(http_failure::first_output_timeout, 200), "", "TASK_TIMEOUT", "sent nothing for"},
      {"idle", failed(http_failure::idle_timeout, 200), "data: {", "TASK_TIMEOUT", "sent nothing more"},
      {"cut", failed(http_failure::cut), "", "PROVIDER_UNAVAILABLE", "the connection ended"},
      {"cut, with a head", failed(http_failure::cut, 200), "", "PROVIDER_UNAVAILABLE", "the connection ended"},
      {"no HTTP", failed(http_failure::not_http), "", "PROVIDER_UNAVAILABLE", "does not speak HTTP"},
      {"too large", failed(http_failure::too_large, 200), "data: x", "OUTPUT_TOO_LARGE", "output_limit"},
  });
  EXPECT_EQ(judge_http(order_of(), failed(http_failure::refused), "").why->retry_after, 2s);
  EXPECT_EQ(judge_http(order_of(), failed(http_failure::cut), "").why->retry_after, std::nullopt);
  EXPECT_EQ(judge_http(order_of(), failed(http_failure::stopped, 200), "").state, task_state::interrupted);
  auto document = answered(200);
  document.failure = http_failure::cut;
  EXPECT_EQ(code_of(judge_http(order_of(), document, chat_document("whole by chance"))), "PROVIDER_UNAVAILABLE");
}

TEST(http_outcome_test, each_answer_that_cannot_be_used) {
  const auto stream = answered(200, stream_type);
  const auto told_in_stream = [](const std::string& fault) { return "data: {\"error\":" + fault + "}\n\n"; };
  expect_verdicts({
      {"nothing", answered(200), "", "AGENT_NO_OUTPUT", "status 200 and no text"},
      {"nothing, 204", answered(204, ""), "", "AGENT_NO_OUTPUT", "status 204"},
      {"no text", answered(200), chat_document(""), "AGENT_NO_OUTPUT", "finish_reason \"stop\""},
      {"no text in a stream", stream, chat_events({}), "AGENT_NO_OUTPUT", "finish_reason \"stop\""},
      {"a tool",
       answered(200),
       R"({"choices":[{"message":{"content":null},"finish_reason":"tool_calls"}]})",
       "AGENT_NO_OUTPUT",
       "finish_reason \"tool_calls\""},
      {"no choice", answered(200), R"({"choices":[]})", "AGENT_NO_OUTPUT", "no text"},
      {"length", answered(200), chat_document("half", "length"), "OUTPUT_INVALID", "limit of tokens"},
      {"filter", stream, chat_events({"half"}, "content_filter"), "OUTPUT_INVALID", "content filter"},
      {"refusal",
       answered(200),
       R"({"choices":[{"message":{"content":null,"refusal":"I will not"}}]})",
       "OUTPUT_INVALID",
       "refused to answer: I will not"},
      {"a fault", answered(200), R"({"error":{"code":"server_error","message":"m"}})", "PROVIDER_UNAVAILABLE", ": m"},
      {"a fault with a status", stream, told_in_stream(R"({"code":502,"message":"m"})"), "PROVIDER_UNAVAILABLE", ": m"},
      {"a fault of rate", stream, told_in_stream(R"({"type":"rate_limit_error"})"), "RATE_LIMITED", "broke off"},
      {"a fault of quota", stream, told_in_stream(R"({"code":"insufficient_quota"})"), "BUDGET_EXCEEDED", "broke off"},
      {"a fault of input", stream, told_in_stream(R"({"code":"context_length_exceeded"})"), "INVALID_INPUT", "broke"},
      {"a fault of no name", stream, told_in_stream(R"("something")"), "PROVIDER_UNAVAILABLE", ": something"},
      {"a number of something else", stream, told_in_stream(R"({"code":7})"), "PROVIDER_UNAVAILABLE", "broke off"},
  });
  for (const auto& [end, body] : std::vector<std::pair<http_end, std::string>>{{answered(200), "<html>busy</html>"},
                                                                               {answered(200), "{\"choices\":"},
                                                                               {answered(200), "[]"},
                                                                               {answered(200), "{}"},
                                                                               {answered(200), R"({"choices":3})"},
                                                                               {stream, "<html>busy</html>"},
                                                                               {stream, "data: {\"cho\n\n"},
                                                                               {stream, "data: 3\n\n"}}) {
    const auto outcome = judge_http(order_of(), end, body);
    EXPECT_EQ(code_of(outcome), "OUTPUT_INVALID") << body;
    EXPECT_THAT(outcome.why->message, HasSubstr("is not a chat completion")) << body;
  }
}

TEST(http_outcome_test, what_was_paid_for_is_told_whatever_came_of_it) {
  const auto outcome = judge_http(order_of(output_format::json), answered(200), chat_document("no JSON"));
  EXPECT_EQ(code_of(outcome), "OUTPUT_INVALID");
  ASSERT_TRUE(outcome.usage.has_value());
  EXPECT_EQ(outcome.usage->output_tokens, 7);
}

// --- Retry-After -----------------------------------------------------------------------------------------------------

TEST(http_outcome_test, retry_after_in_all_its_forms) {
  struct expectation {
    header_lines headers;
    std::optional<milliseconds> wait;
  };
  const std::vector<expectation> table{
      {{}, std::nullopt},
      {{{"retry-after", "7"}}, 7s},
      {{{"retry-after", "0"}}, 0ms},
      {{{"retry-after", "99999999999999999999"}}, milliseconds{24h * 30}},
      {{{"retry-after", "-1"}}, std::nullopt},
      {{{"retry-after", "1.5"}}, std::nullopt},
      {{{"retry-after", ""}}, std::nullopt},
      {{{"retry-after", "soon"}}, std::nullopt},
      {{{"retry-after-ms", "1500"}, {"retry-after", "2"}}, 1'500ms},
      {{{"retry-after-ms", "x"}, {"retry-after", "2"}}, 2s},
      {{{"retry-after", "Sun, 06 Nov 1994 08:50:37 GMT"}}, 60s},
      {{{"retry-after", "Sunday, 06-Nov-94 08:50:37 GMT"}}, 60s},
      {{{"retry-after", "Sun Nov  6 08:50:37 1994"}}, 60s},
      {{{"retry-after", "Sun, 06 Nov 1994 08:00:00 GMT"}}, 0ms},
      {{{"retry-after", "Sun, 06 Nov 1994 08:50:37 GMT"}, {"date", "Sun, 06 Nov 1994 08:50:30 GMT"}}, 7s},
      {{{"retry-after", "Fri, 31 Dec 2100 00:00:00 GMT"}}, milliseconds{24h * 30}},
  };
  for (const auto& each : table) {
    auto end = answered(429);
    for (const auto& [name, value] : each.headers) {
      end.headers.push_back({name, value});
    }
    SCOPED_TRACE(each.headers.empty() ? "" : each.headers.back().second);
    EXPECT_EQ(retry_after_of(end), each.wait);
    EXPECT_EQ(judge_http(order_of(), end, "").why->retry_after, each.wait);
    end.status = 503;
    EXPECT_EQ(judge_http(order_of(), end, "").why->retry_after, each.wait);
    end.status = 401;
    EXPECT_EQ(judge_http(order_of(), end, "").why->retry_after, std::nullopt);
  }
}

TEST(http_date_test, refuses_what_is_no_date) {
  for (const char* text : {"",
                           "7",
                           "Sun, 31 Feb 1994 08:49:37 GMT",
                           "Sun, 06 Nov 1994 24:49:37 GMT",
                           "Sun, 06 Nov 1994 08:60:37 GMT",
                           "Sun, 06 Nov 1994 08:49:61 GMT",
                           "Sun, 06 nov 1994 08:49:37 GMT",
                           "Sun, 06 Nov 1994 08:49:37 CET",
                           "Sun, 06 Nov 1994 08:49 GMT",
                           "Sun, 0x Nov 1994 08:49:37 GMT"}) {
    EXPECT_EQ(parse_http_date(text), std::nullopt) << text;
  }
  EXPECT_EQ(parse_http_date("Thursday, 01-Jan-70 00:00:01 GMT"), timestamp{1s});
  EXPECT_EQ(parse_http_date("Tuesday, 31-Dec-69 23:59:59 GMT"),
            timestamp{std::chrono::sys_days{std::chrono::year{2070} / 1 / 1}} - 1s);
  EXPECT_EQ(parse_http_date("Sat, 31 Dec 2016 23:59:60 GMT"),
            timestamp{std::chrono::sys_days{std::chrono::year{2017} / 1 / 1}})
      << "a leap second";
}

TEST(http_outcome_test, the_head_holds_what_tells_about_the_provider) {
  auto end = answered(429);
  end.headers.push_back({"set-cookie", "session=1"});
  end.headers.push_back({"x-request-id", "r-1"});
  end.headers.push_back({"x-ratelimit-remaining-requests", "0"});
  EXPECT_EQ(head_of(end),
            "HTTP status 429\ncontent-type: application/json\nx-request-id: r-1\nx-ratelimit-remaining-requests: 0\n");
  EXPECT_EQ(head_of(failed(http_failure::refused)), "");
}

}  // namespace
}  // namespace troupe

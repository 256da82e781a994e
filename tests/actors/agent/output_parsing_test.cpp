#include "actors/agent/output_parsing.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

namespace troupe {
namespace {

agent_spec agent(output_format parse, std::vector<std::string> require = {}) {
  agent_spec spec;
  spec.name = agent_name{"critic"};
  spec.parse = parse;
  spec.require = std::move(require);
  return spec;
}

// `FOUND_BY VALUE`, or `CODE`.
std::string found(output_format parse, std::string_view output, std::string_view prompt = "") {
  const auto parsed = parse_output(agent(parse), output, prompt);
  return parsed ? parsed->found_by + ' ' + parsed->value.str() : std::string{to_string(parsed.error().code)};
}

struct sample {
  const char* name;
  std::string output;
  std::string answer;
  std::string prompt = {};
};

constexpr const char* schema_prompt =
    "Review it. Answer with JSON of this form:\n```json\n{\"decision\": \"approve or reject\", \"why\": "
    "\"text\"}\n```\n";
constexpr const char* choice_prompt =
    "Answer {\"decision\": \"approve\"} if it is good and {\"decision\": \"reject\"} if it is not.";

TEST(output_parsing_test, finds_the_answer_in_what_agents_print) {
  const std::vector<sample> samples{
      {"an object", "{\"a\":1}", "whole {\"a\":1}"},
      {"an object and a line end", "{\"a\": 1}\n", "whole {\"a\":1}"},
      {"an object over lines with CRLF", "{\r\n  \"a\": 1\r\n}\r\n", "whole {\"a\":1}"},
      {"a list", " [1, 2] ", "whole [1,2]"},
      {"a string", "\"yes\"", "whole \"yes\""},
      {"a number", "42\n", "whole 42"},
      {"null", "null", "whole null"},
      {"a byte order mark", "\xEF\xBB\xBF{\"a\":1}", "whole {\"a\":1}"},
      {"an escaped character", "{\"a\":\"\\u00e9\"}", "whole {\"a\":\"\xC3\xA9\"}"},
      {"a fence in a string", "{\"a\":\"```json\\n{}\\n```\"}", "whole {\"a\":\"```json\\n{}\\n```\"}"},

      {"one fenced block", "Here it is:\n```json\n{\"a\":1}\n```\n", "fenced {\"a\":1}"},
      {"a fenced block alone", "```\n{\"a\":1}\n```", "fenced {\"a\":1}"},
      {"a fenced block with CRLF", "Here:\r\n```json\r\n{\r\n\"a\":1}\r\n```\r\n", "fenced {\"a\":1}"},
      {"an indented fence", "1. so:\n   ```json\n   {\"a\":1}\n   ```\n", "fenced {\"a\":1}"},
      {"the last of two", "```json\n{\"a\":1}\n```\nbetter:\n```json\n{\"a\":2}\n```", "fenced {\"a\":2}"},
      {"a block of another language after it", "```json\n{\"a\":1}\n```\n```sh\nmake\n```\n", "fenced {\"a\":1}"},
      {"an empty block after it", "```json\n{\"a\":1}\n```\n```\n\n```\n", "fenced {\"a\":1}"},
      {"a fenced scalar", "The count:\n```\n7\n```\n", "fenced 7"},
      {"fenced before balanced", "{\"b\":0}\n```\n{\"a\":1}\n```\n{\"c\":2}", "fenced {\"a\":1}"},
      {"a longer fence", "so:\n````json\n{\"a\":1}\n````\n", "fenced {\"a\":1}"},
      {"a fence within a longer one", "````markdown\n# So\n```json\n{\"a\":1}\n```\n````\n", "fenced {\"a\":1}"},
      {"a shorter fence ends nothing", "````\n[1]\n```\n````\n", "balanced [1]"},
      {"a fence within one as long", "```markdown\n# So\n```json\n{\"a\":1}\n```\n```\n", "fenced {\"a\":1}"},
      {"a fence that is never closed", "Here:\n```json\n{\"a\":1}\n", "balanced {\"a\":1}"},
      {"a fence on one line", "so ```{\"a\":1}``` and no more", "balanced {\"a\":1}"},
      {"an answer on the line of the fence", "```json {\"a\":1}\n```", "balanced {\"a\":1}"},
      {"a broken block and an object", "```json\n{\"a\":\n```\nthat is {\"b\":2}", "balanced {\"b\":2}"},

      {"an object in prose", "I think {\"a\":1} is right.", "balanced {\"a\":1}"},
      {"the last of two objects", "First {\"a\":1}, then {\"a\":2}.", "balanced {\"a\":2}"},
      {"an outermost object", "so {\"a\":{\"b\":{}}} then", "balanced {\"a\":{\"b\":{}}}"},
      {"a list in prose", "They are [{\"a\":1},{\"a\":2}] as I said", "balanced [{\"a\":1},{\"a\":2}]"},
      {"a footnote after it", "{\"a\":\"see [1]\"}\n\nSources:\n[1] example.org\n", "balanced {\"a\":\"see [1]\"}"},
      {"braces in strings", "so {\"a\":\"}{\",\"b\":\"]\"} ok", "balanced {\"a\":\"}{\",\"b\":\"]\"}"},
      {"escaped quotes in strings", R"(so {"a":"\"}\\"} ok)", R"(balanced {"a":"\"}\\"})"},
      {"an open brace in prose before it", "Use { to open.\nSo: {\"a\":1}", "balanced {\"a\":1}"},
      {"an open bracket in prose before it", "On [0, 1) it holds: {\"a\":1}", "balanced {\"a\":1}"},
      {"a closing brace in prose before it", "Use } to close: {\"a\":1}", "balanced {\"a\":1}"},
      {"an open brace in prose after it", "{\"a\":1} and then {", "balanced {\"a\":1}"},
      {"braces of prose after it", "{\"a\":1} for {name}", "balanced {\"a\":1}"},
      {"brackets of prose around it", "[Answer: {\"a\":1}]", "balanced {\"a\":1}"},
      {"braces of prose around it, twice", "{see {here: {\"a\":1}}}", "balanced {\"a\":1}"},
      {"a quote in prose", "He said \"no {\" but {\"a\":1}", "balanced {\"a\":1}"},
      {"an odd quote on the line before", "[a 5\" pipe\n{\"a\":1}", "balanced {\"a\":1}"},
      {"an odd quote within braces", "{ \"oops\n{\"a\":\"}\"}", "balanced {\"a\":\"}\"}"},
      {"an apostrophe", "It's {\"a\":\"it's\"}", "balanced {\"a\":\"it's\"}"},
      {"lines of a log before it", "[info] start\n[warn] {x}\n{\"a\":1}\n", "balanced {\"a\":1}"},
      {"colours around it", "\x1b[32m{\"a\":1}\x1b[0m", "balanced {\"a\":1}"},
      {"bytes that are not UTF-8 around it", "\xFF{\"a\":1}\xFE", "balanced {\"a\":1}"},
      {"NUL around it", std::string("\0{\"a\":1}\0", 9), "balanced {\"a\":1}"},
      {"two objects, one to a line", "{\"a\":1}\n{\"a\":2}\n", "balanced {\"a\":2}"},

      {"nothing", " \n", "OUTPUT_INVALID"},
      {"prose", "I cannot do that.", "OUTPUT_INVALID"},
      {"a truncated object", "{\"a\": [1, 2", "OUTPUT_INVALID"},
      {"a truncated string", "{\"a\": \"hello", "OUTPUT_INVALID"},
      {"a number in prose", "It is 42, \"maybe\".", "OUTPUT_INVALID"},
      {"a comma too much", "{\"a\":1,}", "OUTPUT_INVALID"},
      {"single quotes", "{'a': 1}", "OUTPUT_INVALID"},
      {"a number that no double holds", "{\"a\":1e999}", "OUTPUT_INVALID"},
      {"bytes that are not UTF-8 within it", "{\"a\":\"\xFF\"}", "OUTPUT_INVALID"},
  };
  for (const auto& each : samples) {
    EXPECT_EQ(found(output_format::json, each.output, each.prompt), each.answer) << each.name;
  }
}

TEST(output_parsing_test, the_prompts_own_json_is_not_an_answer) {
  const std::string echo = schema_prompt;
  const std::vector<sample> samples{
      {"the schema alone", "{\"decision\":\"approve or reject\",\"why\":\"text\"}", "OUTPUT_INVALID"},
      {"in another order of keys", "{\"why\":\"text\",\"decision\":\"approve or reject\"}", "OUTPUT_INVALID"},
      {"the schema in a fence", "```\n{\"decision\":\"approve or reject\",\"why\":\"text\"}\n```", "OUTPUT_INVALID"},
      {"the whole prompt", echo, "OUTPUT_INVALID"},
      {"the prompt, then the answer",
       echo + "{\"decision\":\"approve\",\"why\":\"good\"}",
       "balanced {\"decision\":\"approve\",\"why\":\"good\"}"},
      {"the answer, then the schema",
       "{\"decision\":\"reject\",\"why\":\"bad\"}\nas {\"decision\":\"approve or reject\",\"why\":\"text\"}",
       "balanced {\"decision\":\"reject\",\"why\":\"bad\"}"},
      {"the answer", "{\"decision\":\"reject\",\"why\":\"bad\"}", "whole {\"decision\":\"reject\",\"why\":\"bad\"}"},
  };
  for (const auto& each : samples) {
    EXPECT_EQ(found(output_format::json, each.output, schema_prompt), each.answer) << each.name;
  }
  const auto refused = parse_output(agent(output_format::json), echo, schema_prompt);
  ASSERT_FALSE(refused.has_value());
  EXPECT_NE(refused.error().message.find("what the prompt itself holds"), std::string::npos);
}

TEST(output_parsing_test, one_of_the_answers_that_the_prompt_lists_is_an_answer) {
  EXPECT_EQ(found(output_format::json, "{\"decision\":\"reject\"}", choice_prompt), "whole {\"decision\":\"reject\"}");
  EXPECT_EQ(found(output_format::json, "So: {\"decision\":\"approve\"}", choice_prompt),
            "balanced {\"decision\":\"approve\"}");
  EXPECT_EQ(found(output_format::json, choice_prompt, choice_prompt), "OUTPUT_INVALID");
  std::string echo_and_answer{choice_prompt};
  echo_and_answer.append("\n\n{\"decision\":\"approve\"}");
  EXPECT_EQ(found(output_format::json, echo_and_answer, choice_prompt), "balanced {\"decision\":\"approve\"}");
}

TEST(output_parsing_test, a_prompt_without_json_questions_nothing) {
  EXPECT_EQ(found(output_format::json, "{\"a\":1}", "a"), "whole {\"a\":1}");
  EXPECT_EQ(found(output_format::json, "so {\"a\":1}", "{\"a\":"), "balanced {\"a\":1}");
  EXPECT_EQ(found(output_format::json, "{}", "use {} for nothing"), "OUTPUT_INVALID");
}

TEST(output_parsing_test, a_refusal_says_where_and_what_to_do) {
  const auto refused = parse_output(agent(output_format::json), "{\n\"a\": oops}", "");
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().message.find("the output holds no JSON: not JSON at line 2, column 6 (byte 7)"), 0U)
      << refused.error().message;
  EXPECT_NE(refused.error().hint.find("troupe output"), std::string::npos);
}

TEST(output_parsing_test, text_is_taken_as_it_is_but_for_line_ends_at_its_end) {
  EXPECT_EQ(found(output_format::text, "hello\r\n\n"), "text \"hello\"");
  EXPECT_EQ(found(output_format::text, "  hello \n"), "text \"  hello \"");
  EXPECT_EQ(found(output_format::text, "{\"a\":1}"), "text \"{\\\"a\\\":1}\"");
  EXPECT_EQ(found(output_format::text, "\n"), "text \"\"");
  EXPECT_EQ(found(output_format::text, std::string("a\0\xFF\x1b[0m", 7)), "text \"a\\u0000\xEF\xBF\xBD\\u001b[0m\"");
}

TEST(output_parsing_test, json_lines_become_a_list) {
  EXPECT_EQ(found(output_format::jsonl, "{\"a\":1}\n\r\n  \n[2]\r\n3"), "jsonl [{\"a\":1},[2],3]");
  EXPECT_EQ(found(output_format::jsonl, "\xEF\xBB\xBF{\"a\":1}\n"), "jsonl [{\"a\":1}]");
  EXPECT_EQ(found(output_format::jsonl, "\n\n"), "jsonl []");
  const auto refused = parse_output(agent(output_format::jsonl), "{}\n\n{\"a\":}\n", "");
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, error_code::output_invalid);
  EXPECT_EQ(refused.error().message.find("line 3 of the output: not JSON at line 1, column 6"), 0U)
      << refused.error().message;
}

TEST(output_parsing_test, what_is_required_must_be_there) {
  const auto spec = agent(output_format::json, {"/result", "/usage/tokens"});
  EXPECT_TRUE(parse_output(spec, R"({"result":null,"usage":{"tokens":0}})", "").has_value());
  const auto refused = parse_output(spec, R"({"result":1,"usage":{}})", "");
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, error_code::output_invalid);
  EXPECT_NE(refused.error().message.find("/usage/tokens"), std::string::npos);
  EXPECT_NE(refused.error().message.find("'critic'"), std::string::npos);
  EXPECT_TRUE(parse_output(agent(output_format::jsonl, {"/0/id"}), "{\"id\":1}\n", "").has_value());
  EXPECT_FALSE(parse_output(agent(output_format::text, {"/result"}), "{\"result\":1}", "").has_value());
}

std::string repeated(std::string_view piece, std::size_t bytes) {
  std::string all;
  all.reserve(bytes + piece.size());
  while (all.size() < bytes) {
    all += piece;
  }
  return all;
}

// The bound is generous, for sanitizers: what is not linear takes minutes.
TEST(output_parsing_test, takes_time_in_proportion_to_the_output_whatever_it_holds) {
  constexpr std::size_t bytes = std::size_t{1} << 19U;
  for (const auto* piece :
       {"[",       "{",         "\"", "```\n", "```json\n",     "]",  "{}",  "{x}",    "[[",   "[{",    "{\"",
        "{\"a\":", "[]x]",      "\\", "{\\",   "```\nx\n```\n", "\n", "{\n", "[\"]\n", "{x} ", "[{x}]", "1",
        "[1,",     "a{\"b\":1", "`"}) {
    auto output = repeated(piece, bytes);
    for (const auto& text : {output, output + "}", "x" + output}) {
      const auto begun = std::chrono::steady_clock::now();
      static_cast<void>(parse_output(agent(output_format::json), text, "Answer {\"a\":1}."));
      EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds{5}) << piece;
    }
  }
  const auto nest = repeated("{", bytes / 2) + repeated("}", bytes / 2);
  const auto begun = std::chrono::steady_clock::now();
  static_cast<void>(parse_output(agent(output_format::json), nest, nest));
  static_cast<void>(parse_output(agent(output_format::json), nest + "x", nest));
  static_cast<void>(parse_output(agent(output_format::jsonl), repeated("1\n", bytes), ""));
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds{10});
}

}  // namespace
}  // namespace troupe

// What an agent takes from its adapter, what a run keeps of it, and what is refused.
#include "config/adapters.hpp"

#include "config/pin.hpp"
#include "config/reference.hpp"
#include "config/setting_key.hpp"
#include "config/toml_text.hpp"
#include "tests/config/samples.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace troupe::test {
namespace {

struct mistake {
  const char* name;
  std::string text;
  std::vector<std::string> says;
};

agent_spec agent_in(const std::string& text, const std::string& name = "a") {
  const auto loaded = load_config(sources_of(text));
  EXPECT_EQ(joined(lines_of(loaded.problems)), "") << text;
  return loaded.values == nullptr ? agent_spec{} : loaded.values->agents.at(agent_name{name});
}

std::string origin_of(const loaded_config& loaded, const std::string& key) {
  for (const auto& each : show_settings(loaded)) {
    if (each.key == key) {
      return each.value + " from " + each.origin;
    }
  }
  return "not there";
}

TEST(Adapters, that_are_built_in_can_be_followed) {
  EXPECT_EQ(builtin_adapters().size(), 3U);
  for (const auto& [name, adapter] : builtin_adapters()) {
    const auto loaded = load_config(sources_of("[agents.a]\nadapter='" + name + "'\n"));
    EXPECT_EQ(joined(lines_of(loaded.problems)), "") << name;
    ASSERT_NE(loaded.values, nullptr) << name;
    const auto& agent = loaded.values->agents.at(agent_name{"a"});
    EXPECT_EQ(agent.command, adapter.command);
    EXPECT_EQ(agent.reading, adapter.reading);
    EXPECT_FALSE(agent.reading.answer.empty());
    EXPECT_FALSE(agent.reading.session.empty());
    EXPECT_FALSE(agent.reading.usage.input.empty());
    EXPECT_FALSE(agent.model_arguments.empty());
    EXPECT_FALSE(agent.provider.empty());
  }
}

TEST(Adapters, give_what_the_agent_does_not_give_itself) {
  const auto agent = agent_in(
      "[adapters.bot]\ncommand=['./bot','-q']\nparse='json'\nok_exit=[0,3]\nenv={A='1',B='1'}\npass_env=['HOME']\n"
      "answer='/x'\nmodel_args=['-m','{{model}}']\nprovider='us'\n"
      "[agents.a]\nadapter='bot'\nenv={B='2'}\npass_env=[]\nok_exit=[0]\nmodel='m'\n");
  EXPECT_EQ(agent.command, (std::vector<std::string>{"/etc/t/bot", "-q"}));
  EXPECT_EQ(agent.parse, output_format::json);
  EXPECT_EQ(agent.ok_exit, std::vector<int>{0}) << "also where it says what is the default anyway";
  EXPECT_EQ(agent.pass_environment, std::vector<std::string>{});
  EXPECT_EQ(agent.environment, (std::map<std::string, std::string>{{"A", "1"}, {"B", "2"}}));
  EXPECT_EQ(agent.reading.answer.path, "/x");
  EXPECT_EQ(agent.provider, "us");
  EXPECT_EQ(agent.model, "m");
  EXPECT_EQ(agent.adapter, "bot");
}

TEST(Adapters, have_layers_as_everything_else) {
  auto sources = sources_of("[agents.a]\nadapter='claude'\n");
  sources.files.push_back({"/srv/troupe.toml", "[adapters.claude]\ncommand=['claude-beta','-p']\n", true});
  sources.environment["TROUPE_ADAPTERS__CLAUDE__PROVIDER"] = "mine";
  sources.assignments = {"adapters.claude.env.X=1", "agents.a.answer_parse=json", "agents.a.session=/id"};
  const auto loaded = load_config(sources);
  ASSERT_NE(loaded.values, nullptr) << joined(lines_of(loaded.problems));
  const auto& agent = loaded.values->agents.at(agent_name{"a"});
  EXPECT_EQ(agent.command.front(), "claude-beta");
  EXPECT_EQ(agent.provider, "mine");
  EXPECT_EQ(agent.environment.at("X"), "1");
  EXPECT_EQ(agent.parse, output_format::json) << "of the built-in layer below";
  EXPECT_EQ(agent.reading.answer_parse, answer_format::json);
  EXPECT_EQ(agent.reading.session.path, "/id");
  EXPECT_EQ(origin_of(loaded, "agents.a.parse"), "\"json\" from adapter claude");
  EXPECT_EQ(origin_of(loaded, "agents.a.session"), "\"/id\" from --set agents.a.session");
  EXPECT_EQ(origin_of(loaded, "adapters.claude.command"), "[\"claude-beta\", \"-p\"] from /srv/troupe.toml:2");
  EXPECT_EQ(origin_of(loaded, "adapters.claude.parse"), "not there") << "only what was set";
  EXPECT_EQ(origin_of(loaded, "agents.a.ok_exit"), "[0] from default");
}

// A run goes on as it began, whatever adapters are then.
TEST(Adapters, are_resolved_in_what_a_run_is_pinned_to) {
  const auto before = load_config(
      sources_of("[adapters.mine]\ncommand=['./bot']\nparse='jsonl'\nanswer={path='/t',where={path='/k',eq=1}}\n"
                 "env={A='1'}\n[agents.a]\nadapter='mine'\n[agents.b]\nadapter='gemini'\nenv={A='2'}\n"));
  ASSERT_NE(before.values, nullptr) << joined(lines_of(before.problems));
  const auto text = to_toml(*before.values);
  EXPECT_EQ(text.find("adapter"), std::string::npos) << text;
  config_sources sources;
  sources.files = {{"/pinned.toml", text, true}};
  sources.working_directory = "/";
  const auto back = load_config(sources);
  ASSERT_NE(back.values, nullptr) << joined(lines_of(back.problems)) << text;
  for (const char* name : {"a", "b"}) {
    const auto& was = before.values->agents.at(agent_name{name});
    const auto& is = back.values->agents.at(agent_name{name});
    EXPECT_EQ(is.command, was.command);
    EXPECT_EQ(is.reading, was.reading);
    EXPECT_EQ(is.environment, was.environment);
    EXPECT_EQ(is.model_arguments, was.model_arguments);
    EXPECT_EQ(is.pass_environment, was.pass_environment);
  }
  EXPECT_EQ(config_hash(*back.values), config_hash(*before.values));
  const auto spelled_out = load_config(sources_of(text));
  EXPECT_EQ(config_hash(*spelled_out.values), config_hash(*before.values)) << "the name itself is no difference";
}

TEST(Adapters, rules_come_back_as_they_were_written) {
  const auto agent = agent_in(
      "[agents.a]\ncommand=['a']\nparse='jsonl'\n"
      "answer={path='/t',where={path='/k',in=['x',2,true]},line='first'}\nsession={only_key='/s'}\n"
      "usage={input=['/a',{each='/m',path='/b'}],output='/c',model='/d'}\n"
      "failures=[{exit=[3,4],from='stderr',path='/e',exists=false,code='RATE_LIMITED',message='/w',retry_after='5s'},\n"
      "{path='/e',eq=1.5,code='NOT_FOUND',retry_after='/r'}]\n");
  const auto& reading = agent.reading;
  EXPECT_EQ(reading.answer.where->any_of,
            (std::vector<json_text>{json_text{"\"x\""}, json_text{"2"}, json_text{"true"}}));
  EXPECT_EQ(reading.answer.line, line_choice::first);
  EXPECT_TRUE(reading.session.only_key);
  EXPECT_EQ(reading.usage.input.size(), 2U);
  EXPECT_EQ(reading.usage.input[1].each, "/m");
  EXPECT_EQ(reading.usage.output.size(), 1U);
  ASSERT_EQ(reading.failures.size(), 2U);
  EXPECT_EQ(reading.failures[0].exit, (std::vector<int>{3, 4}));
  EXPECT_FALSE(reading.failures[0].test->exists);
  EXPECT_EQ(reading.failures[0].from, output_stream::standard_error);
  EXPECT_EQ(reading.failures[0].retry_after, milliseconds{5'000});
  EXPECT_EQ(reading.failures[1].retry_after_path, "/r");
  EXPECT_EQ(reading.failures[1].test->any_of, std::vector<json_text>{json_text{"1.5"}});
}

TEST(Adapters, mistakes_are_told_with_their_place) {
  const std::string agent = "[agents.a]\ncommand=['a']\n";
  const std::string json = agent + "parse='json'\n";
  const std::string failure_codes =
      "AGENT_EXIT, AGENT_NO_OUTPUT, AUTH_REQUIRED, BUDGET_EXCEEDED, INVALID_INPUT, NOT_FOUND, OUTPUT_INVALID, "
      "PROVIDER_UNAVAILABLE, RATE_LIMITED, TASK_TIMEOUT, UNKNOWN_MODEL";
  const std::string pointer_form =
      "a JSON pointer is empty or starts with '/', as \"/answer/value\"; '~' is written ~0, '/' ~1";
  const std::vector<mistake> mistakes{
      {"an unknown adapter",
       "[agents.a]\nadapter='cluade'\ncommand=['a']\n",
       {"2:9 error agents.a.adapter: there is no adapter 'cluade' | did you mean 'claude'?"}},
      {"nothing near",
       "[agents.a]\nadapter='x'\ncommand=['a']\n",
       {"2:9 error agents.a.adapter: there is no adapter 'x' | known: claude, codex, gemini"}},
      {"an adapter over HTTP",
       "[agents.a]\nkind='http'\nendpoint='http://127.0.0.1:1/v1'\nmodel='m'\nadapter='claude'\n",
       {"5:9 error agents.a.adapter: 'adapter' has no use for an agent of kind \"http\" | take it out"}},
      {"a name that is none",
       "[adapters.X]\n",
       {"1:11 error adapters.X: 'X' is not the name of an adapter | a name has 1 to 64 characters of a-z, 0-9, '_' and "
        "'-', and starts with a letter or digit"}},
      {"a pointer that is none",
       json + "answer='result'\n",
       {"4:8 error agents.a.answer: 'answer' is 'result', which is not a JSON pointer | " + pointer_form}},
      {"a pointer that is none, deep within",
       json + "usage={input=['/a',{path='b'}]}\n",
       {"4:26 error agents.a.usage.input[1].path: 'path' is 'b', which is not a JSON pointer | " + pointer_form}},
      {"an unknown code",
       json + "failures=[{exit=[3],code='RATE_LIMITTED'}]\n",
       {"4:26 error agents.a.failures[0].code: 'code' is no error code: RATE_LIMITTED | did you mean 'RATE_LIMITED'?"}},
      {"a code that no output means",
       json + "failures=[{exit=[3],code='LEASE_HELD'}]\n",
       {"4:26 error agents.a.failures[0].code: 'code' is LEASE_HELD, which an agent's output cannot mean | known: " +
        failure_codes}},
      {"no code",
       json + "failures=[{exit=[3]}]\n",
       {"4:11 error agents.a.failures[0].code: 'code' is missing | write code = \"RATE_LIMITED\""}},
      {"a path and nothing to compare",
       json + "failures=[{path='/a',code='NOT_FOUND'}]\n",
       {"4:11 error agents.a.failures[0].path: 'path' has nothing that it is compared with | write eq = \"value\", in "
        "= "
        "[1, 2] or exists = true"}},
      {"two comparisons",
       json + "failures=[{path='/a',eq=1,exists=true,code='NOT_FOUND'}]\n",
       {"4:11 error agents.a.failures[0].path: only one of 'eq', 'in' and 'exists' can be said of a path | write eq = "
        "\"value\", in = [1, 2] or exists = true"}},
      {"an unknown key",
       json + "failures=[{exit=[3],code='NOT_FOUND',mesage='/a'}]\n",
       {"4:38 error agents.a.failures[0].mesage: unknown key 'mesage' in 'agents.a.failures[0]' | did you mean "
        "'message'?"}},
      {"a rule that always holds",
       json + "failures=[{code='NOT_FOUND'}]\n",
       {"4:11 error agents.a.failures[0]: this rule always holds: every attempt would fail | give it 'exit', or a "
        "'path' and what to compare"}},
      {"a rule behind one that holds wherever it does",
       json + "failures=[{exit=[3,4],code='NOT_FOUND'},\n{exit=[4],path='/a',eq=1,code='RATE_LIMITED'}]\n",
       {"5:1 error agents.a.failures[1]: this rule can never hold: failures[0] holds wherever it does | put it before "
        "the other one, or take it out"}},
      {"a value that an earlier rule has",
       json + "failures=[{path='/a',in=[1,2],code='NOT_FOUND'},\n{path='/a',eq=2,code='RATE_LIMITED'}]\n",
       {"5:1 error agents.a.failures[1]: this rule can never hold: failures[0] holds wherever it does | put it before "
        "the other one, or take it out"}},
      {"a path into text",
       agent + "failures=[{path='/a',eq=1,code='NOT_FOUND'}]\n",
       {"3:11 error agents.a.failures[0]: this rule can never hold: where parse is \"text\", no path leads anywhere | "
        "set parse = \"json\""}},
      {"an answer in text",
       agent + "answer='/a'\n",
       {"3:8 error agents.a.answer: 'answer' has no use where parse is \"text\" | set parse = \"json\" or \"jsonl\""}},
      {"lines of one document",
       json + "session={path='/a',line='first'}\n",
       {"4:9 error agents.a.session: 'session' chooses among lines, but parse is \"json\": there is one document | set "
        "parse = \"jsonl\", or take 'where' and 'line' out"}},
      {"arguments without the model",
       agent + "model_args=['--model']\n",
       {"3:12 error agents.a.model_args: 'model_args' has no place for the model | write [\"--model\", "
        "\"{{model}}\"]"}},
      {"arguments with another name",
       agent + "model_args=['{{model}}','{{step.id}}']\n",
       {"3:12 error agents.a.model_args: '{{step.id}}' has another name in it than {{model}} | only {{model}} is known "
        "here"}},
      {"what does nothing",
       json + "answer_parse='json'\n",
       {"4:14 warning agents.a.answer_parse: 'answer_parse' has no use without 'answer' | say where the answer is, or "
        "take it out"}},
      {"a mistake of an adapter is told once",
       "[adapters.x]\ncommand=['x']\nanswer='/a'\n[agents.a]\nadapter='x'\n[agents.b]\nadapter='x'\n",
       {"3:8 error adapters.x.answer: 'answer' has no use where parse is \"text\" | set parse = \"json\" or "
        "\"jsonl\""}},
      {"what the agent makes of it",
       "[agents.a]\nadapter='claude'\nparse='text'\nfailures=[]\nusage={}\nsession=''\n",
       {"2:9 error agents.a.answer: 'answer' has no use where parse is \"text\" | set parse = \"json\" or \"jsonl\""}},
  };
  for (const auto& each : mistakes) {
    SCOPED_TRACE(each.name);
    const auto loaded = load_config(sources_of(each.text));
    EXPECT_EQ(joined(lines_of(loaded.problems)), joined(each.says));
    EXPECT_EQ(loaded.values == nullptr, has_errors(loaded.problems));
  }
}

TEST(Adapters, have_the_keys_of_agents_but_for_what_an_agent_is) {
  for (const char* key : {"kind='command'", "adapter='claude'"}) {
    const auto loaded = load_config(sources_of("[adapters.x]\n" + std::string{key} + '\n'));
    ASSERT_EQ(loaded.problems.size(), 1U) << key;
    EXPECT_TRUE(loaded.problems.front().message.starts_with("unknown key")) << loaded.problems.front().message;
    EXPECT_EQ(loaded.problems.front().at.line, 2);
  }
}

TEST(Adapters, programs_are_looked_up_as_a_start_would) {
  agent_spec agent;
  agent.command = {"sh"};
  agent.working_directory = "/";
  EXPECT_EQ(program_of(agent, {}), "/usr/bin/sh");
  agent.environment["PATH"] = "/nowhere:/bin";
  EXPECT_EQ(program_of(agent, {}), "/bin/sh");
  agent.environment["PATH"] = "/nowhere";
  EXPECT_EQ(program_of(agent, {{"PATH", "/bin"}}), std::nullopt);
  agent.command = {"/bin/sh"};
  EXPECT_EQ(program_of(agent, {}), "/bin/sh");
  agent.command = {"/no/such"};
  EXPECT_EQ(program_of(agent, {}), std::nullopt);
  agent.kind = agent_kind::http;
  EXPECT_EQ(program_of(agent, {}), std::nullopt);
}

}  // namespace
}  // namespace troupe::test

// One mistake in a configuration each: what it says, where, and what would be right.
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

void expect_says(const std::vector<mistake>& mistakes) {
  for (const auto& each : mistakes) {
    SCOPED_TRACE(each.name);
    const auto loaded = load_config(sources_of(each.text));
    EXPECT_EQ(joined(lines_of(loaded.problems)), joined(each.says));
    EXPECT_EQ(loaded.values == nullptr, has_errors(loaded.problems));
  }
}

const std::string duration_form = "write a whole number and a unit: \"250ms\", \"5s\", \"10m\", \"24h\", \"90d\"";
const std::string size_form = "write a whole number and a unit: \"512B\", \"64KiB\", \"50MiB\", \"1GiB\"";
const std::string variable_rule = "names have letters, digits and '_', and do not start with a digit";

const std::string address_form = "write it as \"https://host/v1\" or \"http://127.0.0.1:8080/v1\"";
const std::string way_of_keys =
    "use https; or a tunnel that ends at 127.0.0.1; or no api_key_env, where the API asks for none";
const std::string bearer_form = "name the variable that holds it in api_key_env: it is sent as a bearer token";

std::string http_agent(const std::string& name, const std::string& endpoint) {
  return "[agents." + name + "]\nkind='http'\nendpoint='" + endpoint + "'\nmodel='m'\n";
}

TEST(SettingsMistakes, in_the_file) {
  expect_says({
      {"not TOML",
       "[storage\n",
       {"1:9 error : this is not TOML: Error while parsing table header: expected ']', saw '\\n' | the format is "
        "described "
        "at https://toml.io/en/v1.0.0"}},
      {"a newer format",
       "config_version=2\n",
       {"1:16 error config_version: 'config_version' is 2, but this version of Troupe knows formats up to 1 | the file "
        "was "
        "written for a newer Troupe"}},
      {"a version of another type",
       "config_version='1'\n",
       {"1:16 error config_version: 'config_version' must be an integer, at least 1; this is \"1\""}},
      {"an unknown table", "[storag]\n", {"1:2 error storag: unknown key 'storag' | did you mean 'storage'?"}},
      {"nothing near",
       "zzzzzz=1\n",
       {"1:1 error zzzzzz: unknown key 'zzzzzz' | known: agents, adapters, providers, prices, "
        "config_version, storage, writer, vacuum, runtime, retry, budget, log"}},
      {"a key without its table",
       "max_batch=3\n",
       {"1:1 error max_batch: unknown key 'max_batch' | did you mean 'writer.max_batch'?"}},
      {"a key in another table",
       "[storage]\nmax_batch=3\n",
       {"2:1 error storage.max_batch: unknown key 'storage.max_batch' | did you mean 'writer.max_batch'?"}},
      {"a misspelt key",
       "[writer]\nmax_bach=3\n",
       {"2:1 error writer.max_bach: unknown key 'writer.max_bach' | did you mean 'max_batch'?"}},
      {"a value for a table",
       "writer=3\nagents=4\n",
       {"1:8 error writer: 'writer' must be a table; this is an integer | write [writer] on a line of its own, and its "
        "keys "
        "below",
        "2:8 error agents: 'agents' must be a table; write [agents.NAME]"}},
      {"tables of later versions",
       "[http]\nport=1\n[metrics]\n",
       {"1:2 error http: this version does not read 'http' | take it out",
        "3:2 error metrics: this version does not read 'metrics' | take it out"}},
  });
}

TEST(SettingsMistakes, in_vacuum) {
  expect_says({
      {"no time of day",
       "[vacuum]\nat='3:30'\nenabled='yes'\nfree_percent=0\ncheck_every='1ms'\n",
       {"2:4 error vacuum.at: 'at' is not a time of day: '3:30' | write hours and minutes, as \"03:30\"",
        "3:9 error vacuum.enabled: 'enabled' must be true or false; this is \"yes\"",
        "4:14 error vacuum.free_percent: 'free_percent' must be from 1 to 100; this is 0",
        "5:13 error vacuum.check_every: 'check_every' must be a duration from 100ms to 1d; this is \"1ms\""}},
      {"all well", "[vacuum]\nat='00:00'\nenabled=false\nslice='1ms'\nfree_bytes='0B'\n", {}},
  });
}

TEST(SettingsMistakes, in_values) {
  const std::string log_levels = R"("trace", "debug", "info", "warn", "error", "off")";
  expect_says({
      {"wrong types",
       "[writer]\nmax_batch='x'\n[runtime]\nworkers=1.5\nkill_grace=5\n[log]\nlevel=true\nfile=['a']\n",
       {"2:11 error writer.max_batch: 'max_batch' must be an integer, from 1 to 65536; this is \"x\"",
        "4:9 error runtime.workers: 'workers' must be an integer, from 0 to 1024; this is 1.5",
        "5:12 error runtime.kill_grace: 'kill_grace' must be a duration with a unit; this is 5 | " + duration_form,
        "7:7 error log.level: 'level' must be one of " + log_levels + "; this is true",
        "8:6 error log.file: 'file' must be a string; this is a list"}},
      {"out of range",
       "[writer]\nmax_batch=0\nqueue_depth=1048577\n[runtime]\nrestart_window='0ms'\ndrain_grace='2h'\n",
       {"2:11 error writer.max_batch: 'max_batch' must be from 1 to 65536; this is 0",
        "3:13 error writer.queue_depth: 'queue_depth' must be from 1 to 1048576; this is 1048577",
        "5:16 error runtime.restart_window: 'restart_window' must be a duration from 1ms to 1d; this is \"0ms\"",
        "6:13 error runtime.drain_grace: 'drain_grace' must be a duration from 0ms to 1h; this is \"2h\""}},
      {"no unit",
       "[runtime]\nkill_grace='5'\n",
       {"2:12 error runtime.kill_grace: 'kill_grace' is not a duration: \"5\" | " + duration_form}},
      {"an unknown word",
       "[storage]\ndurability='ful'\n",
       {"2:12 error storage.durability: 'durability' must be one of \"full\", \"normal\"; this is \"ful\" | did you "
        "mean "
        "\"full\"?"}},
      {"an empty path", "[storage]\npath=''\n", {"2:6 error storage.path: 'path' must not be empty"}},
      {"a path with NUL", "[storage]\npath=\"a\\u0000b\"\n", {"2:6 error storage.path: 'path' holds a NUL character"}},
      {"a batch larger than the queue",
       "[writer]\nmax_batch=100\nqueue_depth=10\n",
       {"2:11 error writer.max_batch: 'max_batch' is larger than 'queue_depth': a batch cannot be filled | raise "
        "writer.queue_depth to 100 or more"}},
  });
}

TEST(SettingsMistakes, in_agents) {
  expect_says({
      {"a bad name",
       "[agents.Claude]\ncommand=['x']\n",
       {"1:9 error agents.Claude: 'Claude' is not the name of an agent | a name has 1 to 64 characters of a-z, 0-9, "
        "'_' and "
        "'-', and starts with a letter or digit"}},
      {"no command",
       "[agents.a]\nmodel='m'\n",
       {"1:9 error agents.a.command: agent 'a' has no command | add command = [\"program\", \"argument\"], or an "
        "adapter"}},
      {"an empty command",
       "[agents.a]\ncommand=[]\n",
       {"2:9 error agents.a.command: agent 'a' has no command | add command = [\"program\", \"argument\"], or an "
        "adapter"}},
      {"a command in one text",
       "[agents.a]\ncommand='claude -p'\n",
       {"2:9 error agents.a.command: 'command' must be a list of strings; this is \"claude -p\" | write [\"a\", "
        "\"b\"]"}},
      {"a word of another type",
       "[agents.a]\ncommand=['a',3]\n",
       {"2:14 error agents.a.command[1]: 'command[1]' must be a string; this is 3"}},
      {"an empty program",
       "[agents.a]\ncommand=['','x']\n",
       {"2:9 error agents.a.command: 'command' names no program: its first word is empty"}},
      {"an unknown key",
       "[agents.a]\ncommand=['a']\nmodle='m'\n",
       {"3:1 error agents.a.modle: unknown key 'modle' | did you mean 'model'?"}},
      {"unknown words",
       "[agents.a]\ncommand=['a']\nkind='htp'\nprompt='stdn'\nparse='jsonx'\n",
       {"3:6 error agents.a.kind: 'kind' must be one of \"command\", \"http\"; this is \"htp\" | did you mean "
        "\"http\"?",
        "4:8 error agents.a.prompt: 'prompt' must be one of \"stdin\", \"arg\", \"file\"; this is \"stdn\" | did you "
        "mean "
        "\"stdin\"?",
        "5:7 error agents.a.parse: 'parse' must be one of \"text\", \"json\", \"jsonl\"; this is \"jsonx\" | did you "
        "mean "
        "\"json\"?"}},
      {"a pointer that is none",
       "[agents.a]\ncommand=['a']\nparse='json'\nrequire=['result']\n",
       {"4:9 error agents.a.require: 'require' holds 'result', which is not a JSON pointer | a JSON pointer is empty "
        "or "
        "starts with '/'"}},
      {"pointers into text",
       "[agents.a]\ncommand=['a']\nrequire=['/r']\n",
       {"3:9 error agents.a.require: 'require' has no use where parse is \"text\" | set parse = \"json\""}},
      {"variables",
       "[agents.a]\ncommand=['a']\nenv={'A B'='1',N=3}\npass_env=['1X']\n",
       {"3:6 error agents.a.env.A B: 'A B' is not the name of an environment variable | " + variable_rule,
        "3:18 error agents.a.env.N: 'N' must be a string; this is 3",
        "4:10 error agents.a.pass_env: 'pass_env' holds '1X', which is not the name of an environment variable | " +
            variable_rule}},
      {"variables of ours, and secrets",
       "[agents.a]\ncommand=['a']\nenv={TROUPE_RUN_ID='1',MY_API_KEY='s3'}\n",
       {"3:6 error agents.a.env.TROUPE_RUN_ID: 'TROUPE_RUN_ID' is set by Troupe for each attempt | take it out",
        "3:24 warning agents.a.env.MY_API_KEY: 'MY_API_KEY' looks like a secret that is written into the configuration "
        "| "
        "set it in the environment of Troupe and name it in pass_env"}},
      {"exit codes",
       "[agents.a]\ncommand=['a']\nok_exit=[0,256]\n[agents.b]\ncommand=['b']\nok_exit=[]\n",
       {"3:12 error agents.a.ok_exit[1]: 'ok_exit[1]' must be from 0 to 255; this is 256",
        "6:9 error agents.b.ok_exit: 'ok_exit' must not be empty"}},
      {"sizes",
       "[agents.a]\ncommand=['a']\noutput_limit='16MB'\n[agents.b]\ncommand=['b']\noutput_limit='1B'\n[agents.c]\n"
       "command=['c']\noutput_limit=16\n",
       {"3:14 error agents.a.output_limit: 'output_limit' is not a size: \"16MB\" | " + size_form,
        "6:14 error agents.b.output_limit: 'output_limit' must be a size from 1KiB to 4GiB; this is \"1B\"",
        "9:14 error agents.c.output_limit: 'output_limit' must be a size with a unit; this is 16 | " + size_form}},
      {"kinds and their keys",
       "[agents.a]\nkind='http'\nmodel='m'\ncommand=['x']\nendpoint='http://x'\nprompt='file'\n[agents.b]\n"
       "command=['b']\nendpoint='x'\napi_key_env='K'\nstream=false\n[agents.c]\nkind='http'\n",
       {"4:9 error agents.a.command: 'command' has no use for an agent of kind \"http\" | take it out",
        "6:8 error agents.a.prompt: 'prompt' has no use for an agent of kind \"http\" | take it out",
        "9:10 error agents.b.endpoint: 'endpoint' has no use for an agent of kind \"command\" | take it out",
        ("10:13 error agents.b.api_key_env: 'api_key_env' has no use for an agent of kind \"command\" | name the "
         "variable in pass_env"),
        "11:8 error agents.b.stream: 'stream' has no use for an agent of kind \"command\" | take it out",
        "12:9 error agents.c.endpoint: agent 'c' has no endpoint | add endpoint = \"http://...\"",
        "12:9 error agents.c.model: agent 'c' has no model | add model = \"the name that its API knows\""}},
      {"endpoints",
       http_agent("a", "ftp://h") + http_agent("b", "https://u:p@h/v1") + http_agent("c", "https://h/v1?key=1") +
           http_agent("d", "https://h:99999") + http_agent("e", "https://:1") + http_agent("f", "https://a b"),
       {"3:10 error agents.a.endpoint: 'endpoint' is no address of http:// or https:// | " + address_form,
        ("7:10 error agents.b.endpoint: 'endpoint' holds a user or a password | name the variable that holds the key "
         "in "
         "api_key_env"),
        ("11:10 error agents.c.endpoint: 'endpoint' has a query or a fragment | end it before the '?' or '#'; keys go "
         "through api_key_env"),
        "15:10 error agents.d.endpoint: 'endpoint' has a port that is not a number from 1 to 65535 | " + address_form,
        "19:10 error agents.e.endpoint: 'endpoint' names no host | " + address_form,
        "23:10 error agents.f.endpoint: 'endpoint' holds a blank or another character that no address has | " +
            address_form}},
      {"a key in the clear",
       http_agent("a", "http://h/v1") + "api_key_env='K'\n" + http_agent("b", "http://127.0.0.1.example/v1") +
           "api_key_env='K'\n" + http_agent("c", "http://127.9.8.7:1") + "api_key_env='K'\n",
       {"3:10 error agents.a.endpoint: 'endpoint' is plain http to another machine: the key would go there for all to "
        "read | " +
            way_of_keys,
        "8:10 error agents.b.endpoint: 'endpoint' is plain http to another machine: the key would go there for all to "
        "read | " +
            way_of_keys}},
      {"headers",
       http_agent("a", "https://h") +
           "headers={Authorization='Bearer x',X-Api-Key='x',HOST='x',X-Title=\"a\\nb\",X-Fine='y','a b'='z'}\n",
       {"5:84 error agents.a.headers.a b: 'a b' is not the name of a header | names have letters, digits and '-'"}},
      {"headers that are not for users",
       http_agent("a", "https://h") + "headers={Authorization='Bearer x',X-Api-Key='x',HOST='x',X-Title=\"a\\nb\"}\n",
       {"5:10 error agents.a.headers.Authorization: header 'Authorization' is a secret, which does not belong into a "
        "file | " +
            bearer_form,
        "5:35 error agents.a.headers.X-Api-Key: header 'X-Api-Key' is a secret, which does not belong into a file | " +
            bearer_form,
        "5:49 error agents.a.headers.HOST: header 'HOST' is set by Troupe | take it out",
        "5:58 error agents.a.headers.X-Title: header 'X-Title' holds a line break or another control character | take "
        "it out"}},
      {"an agent that is no table",
       "agents.a=3\n",
       {"1:10 error agents.a: 'agents.a' must be a table; this is an integer"}},
  });
}

TEST(SettingsMistakes, outside_of_files) {
  auto sources = sources_of("");
  sources.environment["TROUPE_WRITER__MAX_BATCH"] = "many";
  sources.environment["TROUPE_WRITER__MAX_BACH"] = "3";
  sources.environment["TROUPE_NOTHING_LIKE_IT"] = "3";
  sources.environment["TROUPE_RUN_ID"] = "r-1";
  sources.environment["TROUPE_IDEMPOTENCY_KEY"] = "k";
  sources.environment["TROUPE_FAULTS"] = "disk_full";
  sources.assignments = {"writer.queue_depth", "=3", "writer.queue_dept=3", "log.level=loud", "a b=1", "a=1\nb=2"};
  std::string said;
  for (const auto& each : load_config(sources).problems) {
    said += to_text(each) + '\n';
  }
  EXPECT_EQ(
      said,
      R"(environment TROUPE_NOTHING_LIKE_IT: warning: 'TROUPE_NOTHING_LIKE_IT' sets nothing: there is no key 'nothing_like_it'
  `troupe config show` lists every key
environment TROUPE_WRITER__MAX_BACH: warning: 'TROUPE_WRITER__MAX_BACH' sets nothing: there is no key 'writer.max_bach'
  did you mean 'TROUPE_WRITER__MAX_BATCH'?
environment TROUPE_WRITER__MAX_BATCH: error: 'max_batch' must be an integer, from 1 to 65536; this is "many"
--set writer.queue_depth: error: 'writer.queue_depth' is not KEY=VALUE
  write --set writer.max_batch=64
--set =3: error: '=3' is not KEY=VALUE
  write --set writer.max_batch=64
--set writer.queue_dept: error: unknown key 'writer.queue_dept'
  did you mean 'queue_depth'?
--set log.level: error: 'level' must be one of "trace", "debug", "info", "warn", "error", "off"; this is "loud"
--set a b=1: error: 'a b=1' is not KEY=VALUE
  write --set writer.max_batch=64
--set a: error: unknown key 'a'
  known: agents, adapters, providers, prices, config_version, storage, writer, vacuum, runtime, retry, budget, log
)");
}

TEST(SettingsMistakes, bytes_that_a_run_could_not_keep) {
  auto sources = sources_of("[agents.a]\ncommand=['a']\n");
  sources.assignments = {"agents.a.env.X=\xFF"};
  EXPECT_EQ(joined(lines_of(load_config(sources).problems)),
            "0:0 error agents.a.env: 'env' of agent 'a' is not UTF-8: a run could not keep it | write it in UTF-8\n");
  sources.assignments.clear();
  sources.working_directory = "/srv/caf\xE9";
  EXPECT_EQ(joined(lines_of(load_config(sources).problems)),
            "1:9 error agents.a.cwd: 'cwd' of agent 'a' is not UTF-8: a run could not keep it | set cwd to a folder "
            "whose path is UTF-8\n");
}

TEST(SettingsMistakes, a_file_that_has_to_be_there_and_is_not) {
  auto sources = sources_of("");
  sources.files = {{"/nowhere/a.toml", {}, false}, {"/nowhere/b.toml", {}, true}, {"/", {}, false}};
  EXPECT_EQ(joined(lines_of(load_config(sources).problems)),
            "0:0 error : cannot be read: No such file or directory\n0:0 error : cannot be read: Is a directory\n");
}

TEST(SettingsMistakes, no_place_for_the_database) {
  auto sources = sources_of("");
  sources.environment = {{"XDG_STATE_HOME", "relative"}};
  EXPECT_EQ(
      joined(lines_of(load_config(sources).problems)),
      "0:0 error storage.path: there is no place for the database: neither XDG_STATE_HOME nor HOME is an absolute "
      "path | set storage.path\n");
  sources.assignments = {"storage.path=~/x.db"};
  EXPECT_EQ(joined(lines_of(load_config(sources).problems)),
            "0:0 error storage.path: 'path' starts with '~', but HOME is not set | write an absolute path\n");
}

// Every key of the tables, so that a new one is held to its range from its first day.
TEST(SettingsMistakes, every_key_refuses_what_its_table_does_not_allow) {
  const auto try_value = [](std::string_view key, const toml_node& value) {
    auto sources = sources_of("[agents.a]\ncommand = ['a']\nparse = 'json'\n");
    sources.assignments = {std::string{key} + '=' + toml_value(value)};
    return load_config(sources);
  };
  const auto number_node = [](const setting_facts& facts, std::int64_t number) {
    switch (facts.kind) {
      case value_kind::duration:
      case value_kind::duration_or_off:
        return toml_node{std::to_string(number) + "ms"};
      case value_kind::size:
        return toml_node{std::to_string(number) + "B"};
      case value_kind::integers:
        return toml_node{toml_list{toml_node{number}}};
      default:
        return toml_node{number};
    }
  };
  const auto check_facts = [&](const setting_facts& facts, const std::string& key) {
    SCOPED_TRACE(key);
    EXPECT_FALSE(facts.doc.empty());
    EXPECT_TRUE(facts.doc.ends_with('.')) << facts.doc;
    EXPECT_FALSE(type_text(facts).empty());
    const bool takes_any_text = facts.kind == value_kind::text || facts.kind == value_kind::path;
    const bool is_for_http = key == "agents.a.endpoint" || key == "agents.a.api_key_env";
    const bool is_name_of_another = key == "agents.a.adapter";
    const bool is_refused = !takes_any_text || is_for_http || is_name_of_another;
    EXPECT_EQ(try_value(key, toml_node{toml_date{"1979-05-27"}}).values == nullptr, is_refused);
    EXPECT_EQ(try_value(key, toml_node{toml_table{{{"x", {}, toml_node{std::int64_t{1}}}}}}).values == nullptr,
              is_refused);
    if (facts.range.max != integer_range{}.max) {
      EXPECT_EQ(try_value(key, number_node(facts, facts.range.max + 1)).values, nullptr);
      EXPECT_EQ(try_value(key, number_node(facts, facts.range.min - 1)).values, nullptr);
    }
    for (const auto choice : facts.choices) {
      const auto loaded = try_value(key, toml_node{std::string{choice}});
      EXPECT_TRUE(loaded.values != nullptr || key == "agents.a.kind") << choice;
    }
  };
  for (const auto& key : settings_keys()) {
    check_facts(key, std::string{key.name});
  }
  for (const auto& key : agent_keys()) {
    check_facts(key, "agents.a." + std::string{key.name});
  }
}

}  // namespace
}  // namespace troupe::test

#include "config/load.hpp"
#include "tests/config/samples.hpp"

#include <gtest/gtest.h>

#include <string>

namespace troupe::test {
namespace {

std::string all_problems(const loaded_config& loaded) { return joined(lines_of(loaded.problems)); }

const agent_spec& agent_of(const loaded_config& loaded, const std::string& name) {
  return loaded.values->agents.at(agent_name{name});
}

TEST(LoadConfig, has_a_default_for_everything) {
  config_sources sources;
  sources.environment = {{"HOME", "/home/ann"}};
  const auto loaded = load_config(sources);
  ASSERT_NE(loaded.values, nullptr) << all_problems(loaded);
  const settings& values = *loaded.values;
  EXPECT_EQ(values.storage.path, "/home/ann/.local/state/troupe/troupe.db");
  EXPECT_EQ(values.storage.durability, storage_durability::full);
  EXPECT_EQ(values.storage.inline_limit, 262'144U);
  EXPECT_EQ(values.writer.max_batch, 512);
  EXPECT_EQ(values.writer.queue_depth, 4'096);
  EXPECT_EQ(values.runtime.workers, 0);
  EXPECT_EQ(values.runtime.max_throughput, 300);
  EXPECT_EQ(values.runtime.drain_timeout, 5s);
  EXPECT_EQ(values.runtime.kill_grace, 5s);
  EXPECT_EQ(values.runtime.drain_grace, 2s);
  EXPECT_EQ(values.runtime.restart_intensity, 3);
  EXPECT_EQ(values.runtime.restart_window, 5s);
  EXPECT_EQ(values.runtime.custodian, "");
  EXPECT_EQ(values.log.level, log_level::info);
  EXPECT_EQ(values.log.format, log_format::human);
  EXPECT_EQ(values.log.file, "");
  EXPECT_TRUE(values.agents.empty());
  EXPECT_EQ(loaded.origins.at("writer.max_batch"), "default");
}

TEST(LoadConfig, keeps_state_where_xdg_says) {
  auto sources = sources_of("");
  sources.environment["XDG_STATE_HOME"] = "/var/state";
  EXPECT_EQ(load_config(sources).values->storage.path, "/var/state/troupe/troupe.db");
  sources.environment["XDG_STATE_HOME"] = "relative is to be ignored";
  EXPECT_EQ(load_config(sources).values->storage.path, "/home/ann/.local/state/troupe/troupe.db");
}

TEST(LoadConfig, reads_every_key_of_an_agent) {
  const auto loaded = load_config(sources_of(R"(
[agents.claude]
kind = "command"
command = ["claude", "-p"]
prompt = "file"
parse = "jsonl"
require = ["/result", ""]
cwd = "work/.."
env = { NO_COLOR = "1" }
pass_env = ["HOME", "PATH"]
ok_exit = [0, 1]
output_limit = "64KiB"
provider = "anthropic"
model = "opus"
)"));
  ASSERT_NE(loaded.values, nullptr) << all_problems(loaded);
  const agent_spec& agent = agent_of(loaded, "claude");
  EXPECT_EQ(agent.name.str(), "claude");
  EXPECT_EQ(agent.kind, agent_kind::command);
  EXPECT_EQ(agent.command, (std::vector<std::string>{"claude", "-p"}));
  EXPECT_EQ(agent.prompt, prompt_channel::file);
  EXPECT_EQ(agent.parse, output_format::jsonl);
  EXPECT_EQ(agent.require, (std::vector<std::string>{"/result", ""}));
  EXPECT_EQ(agent.working_directory, "/etc/t");
  EXPECT_EQ(agent.environment, (std::map<std::string, std::string>{{"NO_COLOR", "1"}}));
  EXPECT_EQ(agent.pass_environment, (std::vector<std::string>{"HOME", "PATH"}));
  EXPECT_EQ(agent.ok_exit, (std::vector<int>{0, 1}));
  EXPECT_EQ(agent.output_limit, 65'536U);
  EXPECT_EQ(agent.provider, "anthropic");
  EXPECT_EQ(agent.model, "opus");
  EXPECT_EQ(loaded.origins.at("agents.claude.parse"), "/etc/t/troupe.toml:6");
}

TEST(LoadConfig, an_agent_may_be_silent_as_long_as_it_likes_unless_it_is_given_a_limit) {
  const auto loaded = load_config(
      sources_of("[agents.a]\ncommand=['a']\n[agents.b]\ncommand=['b']\nfirst_output='30s'\nidle_timeout='2m'\n"
                 "[agents.c]\ncommand=['c']\nfirst_output='off'\n"));
  ASSERT_NE(loaded.values, nullptr) << all_problems(loaded);
  EXPECT_EQ(agent_of(loaded, "a").first_output, std::nullopt);
  EXPECT_EQ(agent_of(loaded, "a").idle_timeout, std::nullopt);
  EXPECT_EQ(agent_of(loaded, "b").first_output, 30s);
  EXPECT_EQ(agent_of(loaded, "b").idle_timeout, 2min);
  EXPECT_EQ(agent_of(loaded, "c").first_output, std::nullopt);
  auto taken_back = sources_of("[agents.b]\ncommand=['b']\nidle_timeout='2m'\n");
  taken_back.assignments = {"agents.b.idle_timeout=off"};
  EXPECT_EQ(agent_of(load_config(taken_back), "b").idle_timeout, std::nullopt);
}

TEST(LoadConfig, reads_an_agent_over_http) {
  auto sources = sources_of(
      "[agents.local]\nkind='http'\nendpoint='http://127.0.0.1:8080/v1'\napi_key_env='K'\nmodel='m'\n"
      "headers={X-Title='t',Accept-Language='en'}\nstream=false\nconnect_timeout='2s'\nfirst_output='30s'\n"
      "idle_timeout='off'\nmax_tokens=4096\n");
  sources.assignments = {"agents.local.headers.X-Title=other"};
  const auto loaded = load_config(sources);
  ASSERT_NE(loaded.values, nullptr) << all_problems(loaded);
  const auto& agent = agent_of(loaded, "local");
  EXPECT_EQ(agent.kind, agent_kind::http);
  EXPECT_EQ(agent.endpoint, "http://127.0.0.1:8080/v1");
  EXPECT_EQ(agent.api_key_env, "K");
  EXPECT_EQ(agent.model, "m");
  EXPECT_EQ(agent.headers, (std::map<std::string, std::string>{{"X-Title", "other"}, {"Accept-Language", "en"}}));
  EXPECT_FALSE(agent.stream);
  EXPECT_EQ(agent.connect_timeout, 2s);
  EXPECT_EQ(agent.max_tokens, 4'096);
  EXPECT_EQ(agent.first_output, 30s);
  EXPECT_EQ(agent.idle_timeout, std::nullopt);
}

TEST(CheckNeeds, warns_of_a_key_that_is_not_set) {
  const auto loaded =
      load_config(sources_of("[agents.a]\nkind='http'\nendpoint='http://[::1]'\nmodel='m'\napi_key_env='A_KEY'\n"
                             "[agents.b]\nkind='http'\nendpoint='http://h'\nmodel='m'\n"));
  const std::string warning =
      "5:13 warning agents.a.api_key_env: agent 'a': the variable A_KEY that holds its key is not set | export A_KEY "
      "before the start\n";
  EXPECT_EQ(joined(lines_of(check_needs(loaded, {}))), warning);
  EXPECT_EQ(joined(lines_of(check_needs(loaded, {{"A_KEY", ""}}))), warning);
  EXPECT_TRUE(check_needs(loaded, {{"A_KEY", "secret"}}).empty());
}

// Each layer sets one key more than the one above it.
TEST(LoadConfig, lays_later_layers_over_earlier_ones) {
  auto sources = sources_of("");
  sources.files = {
      {"/u/troupe.toml", "[writer]\nmax_batch=1\nqueue_depth=11\n[runtime]\nworkers=1\nmax_throughput=1\n", false},
      {"/p/troupe.toml", "[writer]\nmax_batch=2\n[runtime]\nworkers=2\nmax_throughput=2\n", false},
      {"/c/troupe.toml", "[runtime]\nworkers=3\nmax_throughput=3\nrestart_intensity=3\n", true},
  };
  sources.environment["TROUPE_RUNTIME__MAX_THROUGHPUT"] = "4";
  sources.environment["TROUPE_RUNTIME__RESTART_INTENSITY"] = "4";
  sources.assignments = {"runtime.restart_intensity=5", "runtime.restart_intensity=6"};
  const auto loaded = load_config(sources);
  ASSERT_NE(loaded.values, nullptr) << all_problems(loaded);
  EXPECT_EQ(loaded.values->writer.queue_depth, 11);
  EXPECT_EQ(loaded.values->writer.max_batch, 2);
  EXPECT_EQ(loaded.values->runtime.workers, 3);
  EXPECT_EQ(loaded.values->runtime.max_throughput, 4);
  EXPECT_EQ(loaded.values->runtime.restart_intensity, 6);
  EXPECT_EQ(loaded.origins.at("runtime.drain_timeout"), "default");
  EXPECT_EQ(loaded.origins.at("writer.queue_depth"), "/u/troupe.toml:3");
  EXPECT_EQ(loaded.origins.at("writer.max_batch"), "/p/troupe.toml:2");
  EXPECT_EQ(loaded.origins.at("runtime.workers"), "/c/troupe.toml:2");
  EXPECT_EQ(loaded.origins.at("runtime.max_throughput"), "environment TROUPE_RUNTIME__MAX_THROUGHPUT");
  EXPECT_EQ(loaded.origins.at("runtime.restart_intensity"), "--set runtime.restart_intensity");
  EXPECT_EQ(loaded.positions.find("writer.max_batch").column, 11);
}

TEST(LoadConfig, puts_an_agent_together_from_all_layers) {
  auto sources = sources_of("");
  sources.files = {
      {"/u/troupe.toml", "[agents.a]\ncommand=['a','-x']\nmodel='m1'\nenv={A='1',B='1'}\npass_env=['HOME']\n", false},
      {"/p/troupe.toml", "[agents.a]\nmodel='m2'\nenv={B='2',C='2'}\npass_env=['PATH']\n", false},
  };
  sources.environment["TROUPE_AGENTS__A__ENV__C"] = "3";
  sources.environment["TROUPE_AGENTS__A__PARSE"] = "json";
  sources.assignments = {"agents.a.env.D=4", "agents.b.command=[\"b\"]", "agents.a.ok_exit=[0, 2]"};
  const auto loaded = load_config(sources);
  ASSERT_NE(loaded.values, nullptr) << all_problems(loaded);
  const agent_spec& agent = agent_of(loaded, "a");
  EXPECT_EQ(agent.command, (std::vector<std::string>{"a", "-x"}));
  EXPECT_EQ(agent.model, "m2");
  EXPECT_EQ(agent.environment, (std::map<std::string, std::string>{{"A", "1"}, {"B", "2"}, {"C", "3"}, {"D", "4"}}));
  EXPECT_EQ(agent.pass_environment, (std::vector<std::string>{"PATH"}));
  EXPECT_EQ(agent.parse, output_format::json);
  EXPECT_EQ(agent.ok_exit, (std::vector<int>{0, 2}));
  EXPECT_EQ(agent_of(loaded, "b").command, (std::vector<std::string>{"b"}));
}

TEST(LoadConfig, counts_relative_paths_from_where_they_are_written) {
  auto sources = sources_of(
      "[storage]\npath='db/x.db'\n[log]\nfile='~/log/t.log'\n[runtime]\ncustodian='../bin/c'\n"
      "[agents.a]\ncommand=['./a.sh','./b']\ncwd='sub'\n[agents.b]\ncommand=['b']\n");
  const auto loaded = load_config(sources);
  ASSERT_NE(loaded.values, nullptr) << all_problems(loaded);
  EXPECT_EQ(loaded.values->storage.path, "/etc/t/db/x.db");
  EXPECT_EQ(loaded.values->log.file, "/home/ann/log/t.log");
  EXPECT_EQ(loaded.values->runtime.custodian, "/etc/bin/c");
  EXPECT_EQ(agent_of(loaded, "a").command, (std::vector<std::string>{"/etc/t/a.sh", "./b"}));
  EXPECT_EQ(agent_of(loaded, "a").working_directory, "/etc/t/sub");
  EXPECT_EQ(agent_of(loaded, "b").command.front(), "b");
  EXPECT_EQ(agent_of(loaded, "b").working_directory, "/srv/project");

  sources.assignments = {"storage.path=y.db"};
  sources.environment["TROUPE_LOG__FILE"] = "logs/t.log";
  EXPECT_EQ(load_config(sources).values->storage.path, "/srv/project/y.db");
  EXPECT_EQ(load_config(sources).values->log.file, "/srv/project/logs/t.log");
}

TEST(LoadConfig, takes_texts_as_they_stand_where_a_text_is_wanted) {
  auto sources = sources_of("[agents.a]\ncommand=['a']\n");
  sources.environment["TROUPE_RUNTIME__KILL_GRACE"] = "250ms";
  sources.assignments = {"agents.a.model=4",
                         "agents.a.provider=\"quoted # not a comment\"",
                         "agents.a.output_limit=64KiB",
                         "log.file=/tmp/a b=c.log",
                         "agents.a.env.DAY=2026-01-02",
                         "runtime.workers = 7"};
  const auto loaded = load_config(sources);
  ASSERT_NE(loaded.values, nullptr) << all_problems(loaded);
  EXPECT_EQ(loaded.values->runtime.kill_grace, 250ms);
  EXPECT_EQ(agent_of(loaded, "a").model, "4");
  EXPECT_EQ(agent_of(loaded, "a").provider, "quoted # not a comment");
  EXPECT_EQ(agent_of(loaded, "a").output_limit, 65'536U);
  EXPECT_EQ(loaded.values->log.file, "/tmp/a b=c.log");
  EXPECT_EQ(agent_of(loaded, "a").environment.at("DAY"), "2026-01-02");
  EXPECT_EQ(loaded.values->runtime.workers, 7);
}

TEST(LoadConfig, refuses_a_second_key_smuggled_into_a_value) {
  auto sources = sources_of("");
  sources.assignments = {"writer.max_batch=1\nqueue_depth=2"};
  EXPECT_EQ(all_problems(load_config(sources)).substr(0, 31), "0:0 error writer.max_batch: 'ma");
}

TEST(LoadConfig, reads_the_files_it_is_given) {
  const temporary_folder folder;
  auto sources = sources_of("");
  sources.files = {{folder.write("troupe.toml", "\xEF\xBB\xBF[writer]\r\nmax_batch = 3\r\n"), {}, true}};
  const auto loaded = load_config(sources);
  ASSERT_NE(loaded.values, nullptr) << all_problems(loaded);
  EXPECT_EQ(loaded.values->writer.max_batch, 3);
}

TEST(LoadConfig, says_that_a_file_is_unreadable_even_if_it_need_not_be_there) {
  if (::geteuid() == 0) {
    GTEST_SKIP() << "root reads everything";
  }
  const temporary_folder folder;
  auto sources = sources_of("");
  sources.files = {{folder.write("troupe.toml", ""), {}, false}};
  std::filesystem::permissions(folder.path("troupe.toml"), std::filesystem::perms::none);
  EXPECT_EQ(all_problems(load_config(sources)), "0:0 error : cannot be read: Permission denied\n");
}

TEST(FindConfigFiles, follows_xdg_and_the_working_directory) {
  const auto paths = [](const std::vector<config_file>& files) {
    std::string out;
    for (const auto& file : files) {
      out += file.path + (file.required ? "! " : " ");
    }
    return out;
  };
  EXPECT_EQ(paths(find_config_files({{"HOME", "/home/ann"}}, "/srv", {})),
            "/home/ann/.config/troupe/troupe.toml /srv/troupe.toml ");
  EXPECT_EQ(paths(find_config_files({{"HOME", "/home/ann"}, {"XDG_CONFIG_HOME", "/cfg"}}, "/srv", "../c.toml")),
            "/cfg/troupe/troupe.toml /srv/troupe.toml /c.toml! ");
  EXPECT_EQ(paths(find_config_files({{"HOME", "/home/ann"}, {"XDG_CONFIG_HOME", "cfg"}}, "/srv", "~/c.toml")),
            "/home/ann/.config/troupe/troupe.toml /srv/troupe.toml /home/ann/c.toml! ");
  EXPECT_EQ(paths(find_config_files({}, "/srv", {})), "/srv/troupe.toml ");
}

TEST(AgentAssignment, splits_a_command_as_a_shell_would) {
  const auto made = [](const char* text) {
    const auto out = agent_assignment(text);
    return out ? *out : "! " + out.error().message;
  };
  EXPECT_EQ(made("a=claude -p"), "agents.a.command=[\"claude\", \"-p\"]");
  EXPECT_EQ(made("a=  x\t'b c' \"d \\\"e\\\" $HOME\" f\\ g '' h'i'\"j\"=k "),
            R"(agents.a.command=["x", "b c", "d \"e\" $HOME", "f g", "", "hij=k"])");
  EXPECT_EQ(made("a=sh -c \"a\\nb\""), R"(agents.a.command=["sh", "-c", "a\\nb"])");
  EXPECT_EQ(made("claude"), "! 'claude' is not NAME=COMMAND");
  EXPECT_EQ(made("Claude=x"), "! 'Claude=x' is not NAME=COMMAND");
  EXPECT_EQ(made("a="), "! agent 'a' is given no command");
  EXPECT_EQ(made("a='' x"), "! agent 'a' is given no command");
  EXPECT_EQ(made("a=x 'y"), "! the command ends inside a quotation");
  EXPECT_EQ(made("a=x \\"), "! the command ends inside a quotation");
  auto sources = sources_of("");
  sources.assignments = {*agent_assignment("a=./x.sh 'b c' \"[]\"")};
  EXPECT_EQ(agent_of(load_config(sources), "a").command, (std::vector<std::string>{"/srv/project/x.sh", "b c", "[]"}));
}

TEST(CheckCommands, names_programs_that_are_not_there) {
  const temporary_folder folder;
  folder.write("bin/there", "#!/bin/sh\n");
  std::filesystem::permissions(folder.path("bin/there"), std::filesystem::perms::owner_all);
  folder.write("bin/plain", "");
  auto sources = sources_of(
      "[agents.a]\ncommand=['there']\npass_env=['PATH']\n[agents.b]\ncommand=['plain']\npass_env=['PATH']\n"
      "[agents.c]\ncommand=['./c']\n[agents.d]\nkind='http'\nmodel='m'\nendpoint='http://x'\n");
  const auto loaded = load_config(sources);
  const std::string path = "/nowhere:" + folder.path("bin");
  EXPECT_EQ(
      joined(lines_of(check_commands(loaded, {{"PATH", path}}))),
      "5:9 warning agents.b.command: agent 'b': there is no program 'plain' | install it, or write the whole path; "
      "looked in PATH=" +
          path +
          "\n8:9 warning agents.c.command: agent 'c': there is no program '/etc/t/c' | check the path, and that the "
          "file may be executed\n");
  EXPECT_TRUE(check_commands(load_config(sources_of("x=1")), {}).empty());
}

TEST(CheckCommands, looks_where_a_start_looks) {
  const temporary_folder folder;
  folder.write("bin/there", "#!/bin/sh\n");
  std::filesystem::permissions(folder.path("bin/there"), std::filesystem::perms::owner_all);
  const std::map<std::string, std::string> ours{{"PATH", folder.path("bin")}};
  const auto is_there = [&](const std::string& keys) {
    return check_commands(load_config(sources_of("[agents.a]\ncommand=['there']\n" + keys)), ours).empty();
  };
  EXPECT_TRUE(is_there("pass_env=['PATH']\n"));
  EXPECT_TRUE(is_there("env={PATH='/nowhere:" + folder.path("bin") + "'}\n"));
  EXPECT_TRUE(is_there("env={PATH='bin'}\ncwd='" + folder.str() + "'\n"));
  EXPECT_FALSE(is_there("env={PATH='/nowhere'}\npass_env=['PATH']\n"));
  EXPECT_EQ(joined(lines_of(check_commands(load_config(sources_of("[agents.a]\ncommand=['there']\n")), ours))),
            "2:9 warning agents.a.command: agent 'a': there is no program 'there' | install it, write the whole path, "
            "or give it yours: pass_env = [\"PATH\"]; looked in PATH=/usr/local/bin:/usr/bin:/bin\n");
}

}  // namespace
}  // namespace troupe::test

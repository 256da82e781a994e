// check, config, db, doctor, completion: what is looked at before, beside and after runs.
#include "tests/support/cli_fixture.hpp"

#include <SQLiteCpp/Database.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace troupe {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr std::string_view flow = R"(
name = "count"
[state.n]
initial = 0
reduce = "sum"
[[step]]
id = "add"
function = "probe.add"
args = { field = "n", value = 3 }
)";

class cli_setup_test : public cli_fixture {
 protected:
  void run_once() const {
    write("count.toml", flow);
    ASSERT_EQ(run({"run", "count.toml", "-q"}).code, 0);
  }

  std::string setting(const std::string& key,
                      const std::string& part,
                      words arguments,
                      const variables& more = {}) const {
    arguments.insert(arguments.end(), {"config", "show", "--json"});
    const auto shown = run(arguments, more);
    EXPECT_EQ(shown.code, 0) << shown.out;
    return at(json_of(shown.out), "/settings/" + key + '/' + part);
  }
};

TEST_F(cli_setup_test, check_tells_each_mistake_with_its_place) {
  write("good.toml", flow);
  const auto good = run({"check", "good.toml"});
  EXPECT_EQ(good.code, 0);
  EXPECT_THAT(good.out, HasSubstr("count: 1 step\n"));
  EXPECT_EQ(run({"check", "good.toml", "-q"}).out, "");
  write("bad.toml",
        "name = 'bad'\n[[step]]\nid = 'a'\nfunction = 'probe.ehco'\nnext = 'b'\n[[step]]\nid = 'c'\nagnet = 'x'\n");
  const auto bad = run({"check", "bad.toml"});
  EXPECT_EQ(bad.code, 2);
  EXPECT_EQ(bad.out, "");
  EXPECT_THAT(bad.err,
              AllOf(HasSubstr("bad.toml:8:1: error:"), HasSubstr("agnet"), HasSubstr("did you mean 'agent'?")));
  const auto json = json_of(run({"check", "bad.toml", "--json"}).out);
  EXPECT_EQ(at(json, "/error/code"), "INVALID_WORKFLOW");
  EXPECT_EQ(run({"check", "absent.toml"}).code, 2);
  EXPECT_EQ(run({"check", "."}).code, 2);
  EXPECT_FALSE(std::filesystem::exists(database_path())) << "nothing ran";
}

TEST_F(cli_setup_test, check_knows_the_agents_of_the_configuration) {
  write("uses.toml", "name = 'uses'\n[[step]]\nid = 's'\nagents = ['here', 'gone']\n");
  EXPECT_THAT(run({"check", "uses.toml"}).err, HasSubstr("'here'"));
  EXPECT_EQ(run({"check", "uses.toml"}).code, 2);
  write("agents.toml", "[agents.here]\n" + scripted({}) + "[agents.gone]\ncommand = ['no-such-agent']\n");
  const auto known = run({"check", "uses.toml", "--config", "agents.toml"});
  EXPECT_EQ(known.code, 0) << "a program that is missing may be there when it runs";
  EXPECT_THAT(known.err, AllOf(HasSubstr("warning:"), HasSubstr("no-such-agent")));
  EXPECT_THAT(known.out, HasSubstr("1 step, 2 agents, 1 warning"));
  const auto broken = run({"check", "uses.toml", "--config", write("broken.toml", "[agents\n"), "--json"});
  EXPECT_EQ(broken.code, 2);
  EXPECT_EQ(at(json_of(broken.out), "/error/code"), "INVALID_CONFIG");
}

TEST_F(cli_setup_test, config_shows_each_layer_and_where_a_value_is_from) {
  const std::string key = "writer.max_batch";
  EXPECT_EQ(setting(key, "value", {}), "512");
  EXPECT_EQ(setting(key, "origin", {}), "default");
  std::filesystem::create_directories(path("config/troupe"));
  write("config/troupe/troupe.toml", "[writer]\nmax_batch = 2\n");
  EXPECT_EQ(setting(key, "value", {}), "2");
  EXPECT_THAT(setting(key, "origin", {}), HasSubstr("config/troupe/troupe.toml"));
  write("troupe.toml", "[writer]\nmax_batch = 3\n");
  EXPECT_EQ(setting(key, "value", {}), "3");
  write("named.toml", "[writer]\nmax_batch = 4\n");
  EXPECT_EQ(setting(key, "value", {"--config", "named.toml"}), "4");
  const variables from_outside{{"TROUPE_WRITER__MAX_BATCH", "5"}};
  EXPECT_EQ(setting(key, "value", {"--config", "named.toml"}, from_outside), "5");
  EXPECT_THAT(setting(key, "origin", {}, from_outside), HasSubstr("TROUPE_WRITER__MAX_BATCH"));
  EXPECT_EQ(setting(key, "value", {"--set", "writer.max_batch=6", "--set", "writer.max_batch=7"}, from_outside), "7");
  EXPECT_THAT(setting(key, "origin", {"--set", key + "=6"}), HasSubstr("--set"));
  const auto changed = run({"config", "show", "-q"});
  EXPECT_THAT(changed.out, AllOf(HasSubstr("writer.max_batch"), Not(HasSubstr("queue_depth"))));
}

TEST_F(cli_setup_test, config_check_tells_mistakes_and_missing_programs) {
  EXPECT_THAT(run({"config", "check"}).out, HasSubstr("the configuration is valid"));
  write("troupe.toml", "[agents.gone]\ncommand = ['no-such-agent']\n");
  const auto missing = run({"config", "check"});
  EXPECT_EQ(missing.code, 0);
  EXPECT_THAT(missing.err, AllOf(HasSubstr("troupe.toml:2:"), HasSubstr("no-such-agent")));
  write("troupe.toml", "[writer]\nmax_batch = 'many'\n[stroage]\n");
  const auto wrong = run({"config", "check"});
  EXPECT_EQ(wrong.code, 2);
  EXPECT_THAT(wrong.err,
              AllOf(HasSubstr("troupe.toml:2:"), HasSubstr("troupe.toml:3:"), HasSubstr("did you mean 'storage'?")));
  EXPECT_EQ(at(json_of(run({"config", "check", "--json"}).out), "/error/code"), "INVALID_CONFIG");
}

TEST_F(cli_setup_test, config_init_writes_a_valid_file_and_never_over_another) {
  const auto made = run({"config", "init"});
  EXPECT_EQ(made.code, 0);
  EXPECT_EQ(made.out, "");
  EXPECT_THAT(made.err, HasSubstr("wrote troupe.toml"));
  EXPECT_EQ(run({"config", "check"}).code, 0);
  const auto changed = json_of(run({"config", "show", "--json"}).out);
  for (const auto& [key, setting] : changed.at("settings").as_object()) {
    const bool is_ours = key == "config_version" || key == "retry.agent";  // the fixture sets the latter
    EXPECT_TRUE(is_ours || at(setting, "/origin") == "default") << key;
  }
  write("troupe.toml", "[writer]\nmax_batch = 9\n");
  const auto kept = run({"config", "init"});
  EXPECT_EQ(kept.code, 2);
  EXPECT_THAT(kept.err, AllOf(HasSubstr("is there already"), HasSubstr("--force")));
  EXPECT_EQ(setting("writer.max_batch", "value", {}), "9");
  EXPECT_EQ(run({"config", "init", "--force"}).code, 0);
  EXPECT_EQ(setting("writer.max_batch", "value", {}), "512");
  EXPECT_EQ(run({"config", "init", "no/such/folder.toml"}).code, 7);
}

TEST_F(cli_setup_test, config_schema_is_a_json_schema) {
  const auto schema = json_of(run({"config", "schema", "--json"}).out);
  EXPECT_THAT(at(schema, "/$schema"), StartsWith("https://json-schema.org/"));
  EXPECT_EQ(at(schema, "/properties/writer/properties/max_batch/type"), "integer");
}

TEST_F(cli_setup_test, db_tells_what_is_there) {
  EXPECT_EQ(run({"db", "info"}).code, 2);
  EXPECT_EQ(run({"db", "check"}).code, 2);
  EXPECT_FALSE(std::filesystem::exists(database_path())) << "looking makes nothing";
  run_once();
  const auto info = run({"db", "info"});
  EXPECT_EQ(info.code, 0);
  EXPECT_THAT(info.out, AllOf(HasSubstr(database_path()), HasSubstr("1 completed"), HasSubstr("schema    5")));
  const auto json = json_of(run({"db", "info", "--json"}).out);
  EXPECT_EQ(at(json, "/path"), database_path());
  EXPECT_EQ(at(json, "/runs/completed"), "1");
  EXPECT_EQ(at(json, "/pragmas/journal_mode"), "wal");
  EXPECT_THAT(run({"db", "check"}).out, HasSubstr("the database is intact"));
  EXPECT_EQ(at(json_of(run({"db", "check", "--json"}).out), "/intact"), "true");
}

TEST_F(cli_setup_test, db_check_names_what_is_damaged) {
  run_once();
  struct damage {
    std::string name;
    std::string sql;
    std::string told;
  };
  const std::vector<damage> table{
      {"gap.db", "DELETE FROM events WHERE seq = 3", "event_seq: "},
      {"end.db", "DELETE FROM events WHERE kind = 'run.completed'", "final_event: "},
      {"result.db", "UPDATE runs SET state_hash = 'sha256:00'", "state: "},
  };
  for (const damage& each : table) {
    std::filesystem::copy_file(database_path(), path(each.name));
    SQLite::Database{path(each.name), SQLite::OPEN_READWRITE}.exec(each.sql);
    const auto found = run({"db", "check", "--db", each.name});
    EXPECT_EQ(found.code, 7) << each.name;
    EXPECT_THAT(found.out, HasSubstr(each.told)) << each.name;
    EXPECT_EQ(found.err, "");
    const auto json = json_of(run({"db", "check", "--db", each.name, "--json"}).out);
    EXPECT_EQ(at(json, "/intact"), "false") << each.name;
    EXPECT_NE(at(json, "/findings/0/rule"), "nothing") << each.name;
  }
}

TEST_F(cli_setup_test, db_check_finds_pages_that_were_overwritten) {
  run_once();
  std::filesystem::copy_file(database_path(), path("torn.db"));
  std::fstream file{path("torn.db"), std::ios::binary | std::ios::in | std::ios::out};
  constexpr std::streamoff page = 4096;
  for (std::streamoff at = 4 * page; at < 40 * page; at += page) {
    file.seekp(at);
    file << std::string(512, '\x5a');
  }
  file.close();
  const auto found = run({"db", "check", "--db", "torn.db"});
  EXPECT_EQ(found.code, 7);
  EXPECT_THAT(found.out, HasSubstr("integrity: "));
  EXPECT_EQ(run({"db", "check", "--db", "torn.db", "--json"}).code, 7);
  EXPECT_EQ(run({"doctor", "--db", "torn.db"}).code, 7);
}

TEST_F(cli_setup_test, doctor_tells_what_is_not_well_and_what_to_do) {
  const auto well = run({"doctor"});
  EXPECT_EQ(well.code, 0) << well.out;
  for (const char* part : {"configuration", "database", "disk", "custodian", "open files", "terminal"}) {
    EXPECT_THAT(well.out, HasSubstr(part));
  }
  EXPECT_EQ(at(json_of(run({"doctor", "--json"}).out), "/healthy"), "true");
  EXPECT_EQ(run({"doctor", "-q", "--set", "runtime.custodian=/no/such/custodian"}).code, 1);
  EXPECT_EQ(run({"doctor", "--db", "/proc/no/troupe.db"}).code, 7);
  write("troupe.toml", "[agents.gone]\ncommand = ['no-such-agent']\n");
  const auto missing = run({"doctor", "-q"});
  EXPECT_EQ(missing.code, 0);
  EXPECT_THAT(missing.out, AllOf(HasSubstr("agent gone"), HasSubstr("no-such-agent"), HasSubstr("hint:")));
  write("troupe.toml", "[wirter]\n");
  const auto wrong = run({"doctor"});
  EXPECT_EQ(wrong.code, 2);
  EXPECT_THAT(wrong.out, AllOf(HasSubstr("fail"), HasSubstr("configuration"), HasSubstr("wirter")));
}

TEST_F(cli_setup_test, completions_are_scripts_of_their_shells) {
  for (const std::string shell : {"bash", "zsh", "fish"}) {
    const auto script = run({"completion", shell});
    EXPECT_EQ(script.code, 0);
    EXPECT_THAT(script.out, AllOf(HasSubstr(shell + " completion for troupe"), EndsWith("\n")));
    const auto there = run_program({"sh", "-c", "command -v " + shell});
    if (there.code == 0) {
      const auto read = run_program({shell, "-n"}, script.out);
      EXPECT_EQ(read.code, 0) << read.err;
      EXPECT_EQ(read.err, "");
    }
  }
}

TEST_F(cli_setup_test, bash_completes_commands_options_and_runs) {
  run_once();
  const std::string id = run({"runs", "-q"}).out;
  const std::vector<std::pair<std::string, std::string>> table{
      {"troupe ru", "run\nruns\n"},
      {"troupe --json run", "run\nruns\n"},
      {"troupe --json run --st", "--strict\n"},
      {"troupe --db x.db ru", "run\nruns\n"},
      {"troupe run --inp", "--input\n--input-file\n"},
      {"troupe run coun", "count.toml\n"},
      {"troupe runs --state com", "completed\n"},
      {"troupe config s", "show\nschema\n"},
      {"troupe show la", "last\n"},
      {"troupe show -v r-", id},
      {"troupe completion ", "bash\nzsh\nfish\n"},
      {"troupe graph x --format ", "mermaid\ndot\n"},
  };
  write("complete.bash", run({"completion", "bash"}).out);
  write("press-tab.bash", R"(
source complete.bash
COMP_WORDS=($1)
[[ $1 == *' ' ]] && COMP_WORDS+=('')
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_troupe
printf '%s\n' "${COMPREPLY[@]}"
)");
  for (const auto& [typed, offered] : table) {
    const auto completed = run_program({"bash", "press-tab.bash", typed});
    EXPECT_EQ(completed.out, offered) << typed << completed.err;
  }
}

}  // namespace
}  // namespace troupe

// What `troupe config init`, `show` and `schema` print, against what is read.
#include "config/reference.hpp"

#include "config/pin.hpp"
#include "config/setting_key.hpp"
#include "config/toml_text.hpp"
#include "tests/config/json_schema.hpp"
#include "tests/config/samples.hpp"

#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

#include <random>
#include <sstream>
#include <string>

namespace troupe::test {
namespace {

namespace json = boost::json;

const json::value& schema() {
  static const json::value made = json::parse(config_schema().str());
  return made;
}

std::string misfit_of(const toml_table& root) { return misfit(json::parse(to_json(toml_node{root}).str()), schema()); }

std::string misfit_of_text(const std::string& text) {
  const auto document = parse_toml(text, "f", error_code::invalid_config);
  EXPECT_FALSE(document.fault);
  return misfit_of(document.root);
}

TEST(Reference, of_init_loads_and_changes_nothing) {
  auto plain = sources_of("");
  const auto loaded = load_config(sources_of(reference_toml()));
  ASSERT_NE(loaded.values, nullptr) << joined(lines_of(loaded.problems));
  EXPECT_TRUE(loaded.problems.empty()) << joined(lines_of(loaded.problems));
  EXPECT_EQ(config_hash(*loaded.values), config_hash(*load_config(plain).values));
}

// Each line with its '#' off. The agent needs a name and a program, the provider a name and somebody who names it.
TEST(Reference, of_init_loads_with_every_key_in_force) {
  std::istringstream in{reference_toml()};
  std::string text;
  for (std::string line; std::getline(in, line);) {
    const bool is_key = line.size() > 1 && line[0] == '#' && line[1] != ' ';
    line = is_key ? line.substr(1) : line;
    line = line == "[agents.NAME]" ? "[agents.a]" : line == "command = []" ? "command = ['a']" : line;
    line = line == "[providers.NAME]" ? "[providers.p]" : line == "provider = \"\"" ? "provider = 'p'" : line;
    text += line + '\n';
  }
  const auto loaded = load_config(sources_of(text));
  ASSERT_NE(loaded.values, nullptr) << joined(lines_of(loaded.problems)) << text;
  EXPECT_TRUE(loaded.problems.empty()) << joined(lines_of(loaded.problems));
  const auto plain = load_config(
      sources_of("[providers.p]\n[prices.MODEL]\ninput=0\noutput=0\n[agents.a]\ncommand=['a']\nprovider='p'\n"));
  EXPECT_EQ(to_toml(*loaded.values), to_toml(*plain.values));
  for (const auto& each : show_settings(loaded)) {
    EXPECT_TRUE(each.origin.starts_with("/etc/t/troupe.toml:")) << each.key << ": " << each.origin;
  }
  EXPECT_EQ(misfit_of_text(text), "");
}

TEST(Reference, shows_every_key_once_with_what_a_file_would_say) {
  auto sources = sources_of("[agents.b]\ncommand=['b']\n[agents.a]\ncommand=['a']\nenv={X='1'}\n");
  sources.assignments = {"runtime.kill_grace=250ms"};
  const auto shown = show_settings(load_config(sources));
  EXPECT_EQ(shown.size(), 1 + settings_keys().size() + 2 * agent_keys().size());
  const auto line_of_key = [&](const std::string& key) {
    for (const auto& each : shown) {
      if (each.key == key) {
        return each.value + ' ' + each.json.str() + ' ' + each.origin;
      }
    }
    return std::string{"not there"};
  };
  EXPECT_EQ(line_of_key("config_version"), "1 1 default");
  EXPECT_EQ(line_of_key("writer.max_batch"), "512 512 default");
  EXPECT_EQ(line_of_key("runtime.kill_grace"), R"("250ms" "250ms" --set runtime.kill_grace)");
  EXPECT_EQ(line_of_key("agents.a.env"), R"({ X = "1" } {"X":"1"} /etc/t/troupe.toml:5)");
  EXPECT_EQ(line_of_key("agents.b.command"), R"(["b"] ["b"] /etc/t/troupe.toml:2)");
  EXPECT_LT(std::string{"agents.a"}, shown[1 + settings_keys().size()].key);
}

TEST(Reference, schema_accepts_what_every_key_says_of_itself) {
  EXPECT_EQ(schema().at("$schema"), "https://json-schema.org/draft/2020-12/schema");
  EXPECT_EQ(misfit_of_text(""), "");
  EXPECT_EQ(misfit_of_text(to_toml(*load_config(sources_of("[agents.a]\ncommand=['a']\n")).values)), "");
}

TEST(Reference, schema_refuses_what_is_refused_when_it_is_read) {
  for (const char* text : {"config_version=2\n",
                           "x=1\n",
                           "[writer]\nmax_bach=1\n",
                           "[writer]\nmax_batch=0\n",
                           "[writer]\nmax_batch=65537\n",
                           "[writer]\nmax_batch='1'\n",
                           "[writer]\nmax_batch=1.5\n",
                           "[runtime]\nkill_grace='5'\n",
                           "[runtime]\nkill_grace='5 s'\n",
                           "[storage]\npath=''\n",
                           "[storage]\ndurability='ful'\n",
                           "[http]\nport=1\n",
                           "writer=3\n",
                           "[agents.A]\ncommand=['a']\n",
                           "[agents.a]\ncommand='a'\n",
                           "[agents.a]\ncommand=[1]\n",
                           "[agents.a]\ncommand=['a']\nok_exit=[]\n",
                           "[agents.a]\ncommand=['a']\nok_exit=[256]\n",
                           "[agents.a]\ncommand=['a']\npass_env=['1']\n",
                           "[agents.a]\ncommand=['a']\nparse='json'\nrequire=['x']\n",
                           "[agents.a]\ncommand=['a']\noutput_limit='16MB'\n",
                           "[agents.a]\ncommand=['a']\nenv={A=1}\n",
                           "[agents.a]\ncommand=['a']\nmodle='x'\n"}) {
    EXPECT_NE(misfit_of_text(text), "") << text;
    EXPECT_EQ(load_config(sources_of(text)).values, nullptr) << text;
  }
}

// Keys with values that fit, nearly fit and do not: what is read without an error, the schema accepts.
TEST(Reference, schema_accepts_whatever_is_read) {
  const std::vector<std::string> values{
      "0",     "1",           "7",           "512",      "1024",      "70000",   "-1",       "1.0",
      "true",  "''",          "'a'",         "'full'",   "'human'",   "'json'",  "'jsonl'",  "'arg'",
      "'off'", "'command'",   "'5s'",        "'0ms'",    "'24h'",     "'05s'",   "'+5s'",    "'1h30m'",
      "'5S'",  "'16MiB'",     "'1KiB'",      "'01KiB'",  "'1kib'",    "'~/x'",   "'/a//b/'", "[]",
      "['a']", "['a','b c']", "['']",        "['/a/0']", "['/~0~1']", "['/~']",  "['A_1']",  "['a-b']",
      "[0]",   "[0,255]",     "[256]",       "[true]",   "{}",        "{A='1'}", "{a_b=''}", "{'A B'='1'}",
      "{A=1}", "1979-05-27",  "{jitter=0.5}"};
  int accepted = 0;
  for (std::uint64_t seed = 0; seed < 4'000; ++seed) {
    std::mt19937_64 random{seed};
    const auto some = [&](const auto& all) { return all[random() % all.size()]; };
    std::string text;
    for (const auto& key : settings_keys()) {
      if (random() % 20 == 0) {
        text += std::string{key.name} + " = " + some(values) + '\n';
      }
    }
    if (random() % 2 == 0) {
      text += "agents.a.command = ['a']\n";
      for (const auto& key : agent_keys()) {
        if (key.name != "command" && random() % 12 == 0) {
          text += "agents.a." + std::string{key.name} + " = " + some(values) + '\n';
        }
      }
    }
    if (load_config(sources_of(text)).values != nullptr) {
      ++accepted;
      ASSERT_EQ(misfit_of_text(text), "") << "seed " << seed << ":\n" << text;
    }
  }
  EXPECT_GT(accepted, 150);
}

}  // namespace
}  // namespace troupe::test

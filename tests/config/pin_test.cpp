// What a run is pinned to comes back as it was.
#include "config/pin.hpp"

#include "config/recognition_codec.hpp"
#include "config/reference.hpp"
#include "config/setting_key.hpp"
#include "tests/config/samples.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace troupe::test {
namespace {

// By every member: a new one does not compile until it is compared.
auto parts_of(const agent_spec& agent) {
  const auto& [name,
               kind,
               command,
               prompt,
               parse,
               require,
               folder,
               env,
               pass_env,
               ok_exit,
               limit,
               first,
               idle,
               provider,
               model,
               model_args,
               adapter,
               reading,
               url,
               key,
               headers,
               stream,
               max_tokens,
               connect,
               effects] = agent;
  const auto all = std::tie(name,
                            kind,
                            command,
                            prompt,
                            parse,
                            require,
                            folder,
                            env,
                            pass_env,
                            ok_exit,
                            limit,
                            provider,
                            model,
                            model_args,
                            adapter,
                            reading,
                            url,
                            key,
                            headers,
                            stream,
                            max_tokens,
                            connect,
                            first,
                            idle);
  return std::tuple_cat(all, std::tuple{effects.value_or(effect_kind::none)});  // what nobody declares is none
}

auto parts_of(const provider_spec& provider) {
  const auto& [name, concurrent, requests, input, output, day, breaker] = provider;
  return std::tie(name, concurrent, requests, input, output, day, breaker);
}

bool are_equal(const settings& left, const settings& right) {
  const auto parts = [](const settings& of) {
    const auto& [storage, writer, vacuum, runtime, log, retry, budget, prices, providers, agents] = of;
    const auto& [subject_usd, subject_tokens, subject_time, day_usd, day_tokens, day_time] = budget;
    const auto& [retry_agent, retry_storage] = retry;
    const auto& [path, durability, readers, inline_limit] = storage;
    const auto& [batch, depth] = writer;
    const auto& [enabled, at, check_every, slice, free_percent, free_bytes] = vacuum;
    const auto& [workers, throughput, drain, kill, grace, intensity, window, health, attempts, cgroup, custodian] =
        runtime;
    const auto& [level, format, file] = log;
    return std::tie(path,
                    durability,
                    readers,
                    inline_limit,
                    batch,
                    depth,
                    enabled,
                    at,
                    check_every,
                    slice,
                    free_percent,
                    free_bytes,
                    workers,
                    throughput,
                    drain,
                    kill,
                    grace,
                    intensity,
                    window,
                    health,
                    attempts,
                    cgroup,
                    custodian,
                    retry_agent,
                    retry_storage,
                    level,
                    format,
                    file,
                    subject_usd,
                    subject_tokens,
                    subject_time,
                    day_usd,
                    day_tokens,
                    day_time,
                    prices);
  };
  const auto are_providers_equal = [](const auto& a, const auto& b) {
    return a.first == b.first && parts_of(a.second) == parts_of(b.second);
  };
  return parts(left) == parts(right) &&
         std::equal(left.providers.begin(),
                    left.providers.end(),
                    right.providers.begin(),
                    right.providers.end(),
                    are_providers_equal) &&
         std::equal(left.agents.begin(),
                    left.agents.end(),
                    right.agents.begin(),
                    right.agents.end(),
                    [](const auto& a, const auto& b) {
                      return a.first == b.first && parts_of(a.second) == parts_of(b.second);
                    });
}

class random_settings {
 public:
  explicit random_settings(std::uint64_t seed) : random_(seed) {}

  settings make() {
    settings made;
    made.storage = {
        path(), pick<storage_durability>(2), number(2, 100), static_cast<std::size_t>(number(1 << 10U, 256 << 20U))};
    made.writer.queue_depth = number(1, 1'048'576);
    made.writer.max_batch = number(1, std::min(made.writer.queue_depth, 65'536));
    made.vacuum = {number(0, 1) == 0,
                   {std::chrono::minutes{number(0, 1'439)}},
                   milliseconds{number(100, 86'400'000)},
                   milliseconds{number(1, 10'000)},
                   number(1, 100),
                   static_cast<std::size_t>(number(0, 1 << 30))};
    made.runtime = {number(0, 1'024),
                    number(1, 1'000'000),
                    milliseconds{number(0, 86'400'000)},
                    milliseconds{number(0, 3'600'000)},
                    milliseconds{number(0, 60) * 60'000},
                    number(0, 1'000),
                    milliseconds{number(1, 86'400) * 1'000},
                    milliseconds{number(0, 86'400) * 1'000},
                    number(1, 1'000'000),
                    pick<cgroup_use>(2),
                    number(0, 1) == 0 ? "" : path()};
    made.retry = {policy(), policy()};
    made.budget = {{number(0, 1'000'000'000)},
                   number(0, 1'000),
                   milliseconds{number(0, 1'000'000'000)},
                   {number(0, 7)},
                   number(0, 1'000'000'000),
                   milliseconds{number(0, 9)}};
    for (int count = number(0, 2); count > 0; --count) {
      made.prices["gpt-4." + std::to_string(count) + " \"x\""] = {{number(0, 2'000'000'000)}, {number(0, 99)}};
    }
    for (int count = number(0, 2); count > 0; --count) {
      const provider_name name{"p-" + std::to_string(count)};
      made.providers[name] = provider(name);
    }
    made.log = {pick<log_level>(6), pick<log_format>(2), number(0, 1) == 0 ? "" : path()};
    for (int count = number(0, 3); count > 0; --count) {
      const agent_name name{std::string{"a1-_z"}.substr(0, static_cast<std::size_t>(number(1, 5))) +
                            std::to_string(count)};
      made.agents[name] = agent(name);
    }
    return made;
  }

 private:
  int number(int from, int to) { return std::uniform_int_distribution<int>{from, to}(random_); }

  template <class Enum>
  Enum pick(int count) {
    return static_cast<Enum>(number(0, count - 1));
  }

  // All that TOML has to escape, and what looks like its syntax.
  std::string text() {
    static const std::vector<std::string> pieces{"a",      "Z",      "0",          " ",      "\t",      "\n",   "\r\n",
                                                 "\"",     "'",      "'''",        "\\",     "\\u0041", "#",    "=",
                                                 "[x]",    "{{a}}",  "$HOME",      "~",      "\x01",    "\x1F", "\x7F",
                                                 "\u00E9", "\u20AC", "\U0001F600", "\u2028", "true",    "1.5",  "."};
    std::string made;
    for (int count = number(0, 6); count > 0; --count) {
      made += pieces[static_cast<std::size_t>(number(0, static_cast<int>(pieces.size()) - 1))];
    }
    return made;
  }

  std::string path() { return absolute_path(text(), {"/r/" + std::to_string(number(0, 9)), "/h"}); }

  std::string variable() { return std::string(1, "AZ_x"[number(0, 3)]) + std::to_string(number(0, 99)); }

  template <class Make>
  auto several(int from, Make make) {
    std::vector<decltype(make())> all;
    for (int count = number(from, from + 3); count > 0; --count) {
      all.push_back(make());
    }
    return all;
  }

  double fraction() { return number(0, 1'000) / 1'000.0; }

  retry_policy policy() {
    retry_policy made;
    made.max_attempts = number(1, 100);
    made.initial = milliseconds{number(0, 10'000)};
    made.max = made.initial + milliseconds{number(0, 10'000)};
    made.multiplier = 1 + 99 * fraction();
    made.jitter = fraction();
    if (number(0, 1) == 0) {
      made.total = milliseconds{number(1, 1'000'000)};
    }
    return made;
  }

  std::string pointer() { return number(0, 1) == 0 ? "/a~1b/0" : "/\u00E9 \"x\"/~0"; }

  value_test test() {
    value_test made;
    made.path = pointer();
    if (number(0, 2) == 0) {
      made.exists = number(0, 1) == 0;
    } else {
      const std::vector<std::string> values{"429", "-1", "0.5", "true", "false", json_string(text())};
      made.any_of = several(1, [&] { return json_text{values[static_cast<std::size_t>(number(0, 5))]}; });
    }
    return made;
  }

  provider_spec provider(const provider_name& name) {
    provider_spec made;
    made.name = name;
    made.max_concurrent = number(0, 10'000);
    made.requests_per_minute = number(0, 1'000'000'000);
    made.input_tokens_per_minute = number(0, 1'000'000'000);
    made.output_tokens_per_minute = number(0, 1'000'000'000);
    made.requests_per_day = number(0, 1'000'000'000);
    made.breaker.window = number(100, 10'000);
    made.breaker.min_calls = number(1, 100);
    made.breaker.failure_rate = number(1, 100) / 100.0;
    made.breaker.consecutive = number(0, 10'000);
    made.breaker.open_for = milliseconds{number(1, 86'400'000)};
    return made;
  }

  value_source source(output_format parse) {
    value_source made;
    made.path = pointer();
    made.only_key = number(0, 4) == 0;
    made.each = number(0, 2) == 0 ? pointer() : "";
    if (parse == output_format::jsonl) {
      made.where = number(0, 1) == 0 ? std::optional{test()} : std::nullopt;
      made.line = number(0, 1) == 0 ? std::optional{pick<line_choice>(2)} : std::nullopt;
    }
    return made;
  }

  failure_rule failure(int exit) {
    failure_rule made;
    made.exit = {exit};
    made.test = number(0, 1) == 0 ? std::optional{test()} : std::nullopt;
    made.from = pick<output_stream>(2);
    made.code = codes_of_failures()[static_cast<std::size_t>(number(0, 10))];
    made.message = number(0, 1) == 0 ? pointer() : "";
    if (number(0, 1) == 0) {
      made.retry_after = milliseconds{number(0, 100'000)};
    } else {
      made.retry_after_path = number(0, 1) == 0 ? pointer() : "";
    }
    return made;
  }

  recognition reading(output_format parse) {
    recognition made;
    made.answer = source(parse);
    made.answer_parse = pick<answer_format>(2);
    made.session = source(parse);
    made.usage.input = several(0, [&] { return source(parse); });
    made.usage.output = several(0, [&] { return source(parse); });
    made.usage.model = source(parse);
    int exit = 0;
    made.failures = several(0, [&] { return failure(exit++); });
    return made;
  }

  agent_spec agent(const agent_name& name) {
    agent_spec made;
    made.name = name;
    made.parse = pick<output_format>(3);
    made.working_directory = path();
    made.output_limit = number(0, 1) == 0 ? std::size_t{1'024} << static_cast<unsigned>(number(0, 22))
                                          : static_cast<std::size_t>(number(1'024, 100'000'000));
    if (number(0, 1) == 0) {
      made.first_output = milliseconds{number(100, 100'000)};
      made.idle_timeout = milliseconds{number(500, 100'000)};
    }
    made.provider = text();
    made.model = text();
    if (made.parse != output_format::text) {
      made.require = several(0, [&] { return std::string{number(0, 1) == 0 ? "" : "/a~1b/0/\u00E9 \"x\""}; });
    }
    if (made.parse != output_format::text) {
      made.reading = reading(made.parse);
    }
    made.model_arguments = several(0, [&] { return "{{model}}" + std::to_string(number(0, 9)); });
    made.first_output = limit();
    made.idle_timeout = limit();
    if (number(0, 1) == 0) {
      made.effects = pick<effect_kind>(3);
    }
    if (number(0, 4) == 0) {
      made.kind = agent_kind::http;
      made.model += 'm';
      made.endpoint = "https://h/" + std::to_string(number(0, 99));
      made.api_key_env = text();
      made.stream = number(0, 1) == 0;
      made.connect_timeout = milliseconds{number(1, 3'600'000)};
      made.max_tokens = number(0, 1'000'000);
      for (int count = number(0, 3); count > 0; --count) {
        made.headers["X-" + std::to_string(count)] = "\u20AC \"" + std::to_string(number(0, 9));
      }
    } else {
      made.prompt = pick<prompt_channel>(3);
      made.pass_environment = several(0, [&] { return variable(); });
      made.ok_exit = several(1, [&] { return number(0, 255); });
      for (int count = number(0, 3); count > 0; --count) {
        made.environment[variable()] = text();
      }
      made.command = several(1, [&] { return text(); });
      made.command.front() = number(0, 1) == 0 ? "program" : path();
    }
    return made;
  }

  std::optional<milliseconds> limit() {
    return number(0, 1) == 0 ? std::nullopt : std::optional{milliseconds{number(500, 86'400'000)}};
  }

  std::mt19937_64 random_;
};

// As a run is read back (runtime/node.cpp): nothing of this machine counts.
loaded_config read_back(const std::string& text) {
  config_sources sources;
  sources.files = {{"/pinned.toml", text, true}};
  sources.working_directory = "/";
  return load_config(sources);
}

TEST(Pin, brings_back_equal_settings) {
  for (std::uint64_t seed = 0; seed < 2'000; ++seed) {
    const auto before = random_settings{seed}.make();
    const auto text = to_toml(before);
    const auto back = read_back(text);
    ASSERT_NE(back.values, nullptr) << "seed " << seed << ":\n" << text << joined(lines_of(back.problems));
    ASSERT_TRUE(are_equal(before, *back.values)) << "seed " << seed << ":\n"
                                                 << text << "\n came back as\n"
                                                 << to_toml(*back.values);
    ASSERT_EQ(to_toml(*back.values), text) << "seed " << seed;
    ASSERT_EQ(config_hash(*back.values), config_hash(before)) << "seed " << seed;
  }
}

TEST(Pin, of_a_played_run_remembers_the_folder_and_reads_as_any_other) {
  const auto before = random_settings{1}.make();
  EXPECT_EQ(played_from(to_toml(before)), std::nullopt);
  for (const std::string folder : {"/tmp/tape", "/with \"quotes\"/and = signs", "/a\nline", ""}) {
    const auto pinned = to_toml(before, folder);
    EXPECT_EQ(played_from(pinned), folder);
    const auto back = read_back(pinned);
    ASSERT_NE(back.values, nullptr) << joined(lines_of(back.problems));
    EXPECT_TRUE(are_equal(before, *back.values));
  }
}

TEST(Pin, hashes_what_is_set_and_not_where_it_was_set) {
  auto sources = sources_of("[writer]\nmax_batch=64\n[agents.a]\ncommand=['a']\n");
  const auto in_file = config_hash(*load_config(sources).values);
  EXPECT_EQ(in_file.size(), std::string{"sha256:"}.size() + 64);
  sources.files.front().text = "# another text\n[agents]\na.command = [\"a\"]\n";
  EXPECT_NE(config_hash(*load_config(sources).values), in_file);
  sources.environment["TROUPE_WRITER__MAX_BATCH"] = "64";
  EXPECT_EQ(config_hash(*load_config(sources).values), in_file);
}

// One key after the other: none is left out of the hash.
TEST(Pin, every_key_counts_in_the_hash) {
  const auto hash_with = [](const std::string& assignment) {
    auto sources = sources_of(
        "[agents.a]\ncommand=['a']\nparse='json'\n[agents.b]\nkind='http'\nmodel='m'\nendpoint='http://[::1]'\n");
    sources.assignments = {assignment};
    const auto loaded = load_config(sources);
    EXPECT_NE(loaded.values, nullptr) << assignment << joined(lines_of(loaded.problems));
    return loaded.values == nullptr ? std::string{} : config_hash(*loaded.values);
  };
  const auto value_of = [](const setting_facts& facts) -> std::string {
    switch (facts.kind) {
      case value_kind::integer:
        return facts.name == "writer.queue_depth" ? "600" : std::to_string(facts.range.min + 1);
      case value_kind::boolean:
        return "false";
      case value_kind::time_of_day:
        return "12:34";
      case value_kind::duration:
      case value_kind::duration_or_off:
        return "1234ms";
      case value_kind::size:
        return "2KiB";
      case value_kind::text:
      case value_kind::path:
        return "other";
      case value_kind::choice:
        return std::string{facts.choices.back()};
      case value_kind::texts:
        return "['{{model}}']";
      case value_kind::command:
      case value_kind::variable_names:
        return "['OTHER']";
      case value_kind::source:
        return "'/other'";
      case value_kind::usage:
        return "{input='/other'}";
      case value_kind::failures:
        return "[{exit=[3],code='NOT_FOUND'}]";
      case value_kind::pointers:
        return "['/other']";
      case value_kind::integers:
        return "[7]";
      case value_kind::variables:
      case value_kind::headers:
        return "{X='1'}";
      case value_kind::number:
      case value_kind::money:
        return "0.75";
      case value_kind::retry:
        return "{max_attempts=7}";
      case value_kind::breaker:
        return "{window=77}";
    }
    return {};
  };
  const auto plain = hash_with("writer.max_batch=512");
  for (const auto& key : settings_keys()) {
    EXPECT_NE(hash_with(std::string{key.name} + '=' + value_of(key)), plain) << key.name;
  }
  const auto with_provider = hash_with("providers.p.requests_per_day=5");
  EXPECT_NE(with_provider, plain);
  for (const auto& key : provider_keys()) {
    if (key.name != "requests_per_day") {
      EXPECT_NE(hash_with("providers.p." + std::string{key.name} + '=' + value_of(key)), plain) << key.name;
    }
  }
  for (const auto& key : agent_keys()) {
    if (key.name == "kind" || key.name == adapter_key) {  // which stands for other keys
      continue;
    }
    constexpr std::array for_http{"endpoint", "api_key_env", "headers", "stream", "max_tokens", "connect_timeout"};
    const bool is_for_http = std::ranges::find(for_http, key.name) != for_http.end();
    const auto value = key.name == "endpoint" ? "https://h" : value_of(key);
    EXPECT_NE(hash_with((is_for_http ? "agents.b." : "agents.a.") + std::string{key.name} + '=' + value), plain)
        << key.name;
  }
}

}  // namespace
}  // namespace troupe::test

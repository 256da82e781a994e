// docs/configuration.md, from the key tables.
#include "config/reference.hpp"
#include "config/setting_key.hpp"

namespace troupe {
namespace {

constexpr std::string_view page_head =
    R"(# Configuration

<!-- Made from config/settings_keys.cpp and config/configuration_page.cpp; a test compares. To write it anew:
     TROUPE_UPDATE=1 ./dev test -R documents -->

Settings are in TOML files. Every key has a default, so that no file is needed until there is an agent.

| command | does |
|---|---|
| `troupe config init` | writes a `troupe.toml` with every key, commented out, with its default and what it does |
| `troupe config show` | prints each value and where it comes from; with `-q` only what is not a default |
| `troupe config check` | says what is wrong, and which programs are not there |
| `troupe config schema` | prints a JSON Schema, for editors |
| `troupe doctor` | says what this machine lacks for the configuration |

## Layers

Later wins, key by key:

| layer | is | ORIGIN in `config show` |
|---|---|---|
| 1 | the defaults below | `default` |
| 2 | the user's file: `$XDG_CONFIG_HOME/troupe/troupe.toml`, or `~/.config/troupe/troupe.toml` | its path and the line |
| 3 | the project's file: `troupe.toml` in the working directory | its path and the line |
| 4 | `--config FILE`, the only one that has to be there | its path and the line |
| 5 | the environment: `TROUPE_WRITER__MAX_BATCH=64` | `environment TROUPE_WRITER__MAX_BATCH` |
| 6 | `--set KEY=VALUE`, from left to right: `--set writer.max_batch=64` | `--set writer.max_batch` |

`--db FILE` is `--set storage.path=FILE`, and `--agent NAME=COMMAND` of `troupe run` is
`--set agents.NAME.command=[...]`.

An agent that several layers mention is put together from all of them, key by key; lists are replaced whole, `env` is
merged variable by variable.

In layers 5 and 6 the value is read as TOML: `--set 'agents.claude.command=["claude", "-p"]'`. Where the key takes a
text, quotes may be left out: `--set agents.claude.model=opus`.

The name of a variable is `TROUPE_`, then table and key in capitals with `__` between. What a shell takes for no name,
as that of an agent with `-`, is set by `--set`.

An unknown key, a wrong type and a value out of range are errors with file, line, column and what would be right;
nothing is ignored. The one exception is a variable that starts with `TROUPE_` and sets nothing: that is a warning, and
none for the variables that Troupe gives its agents.

## Values

| | |
|---|---|
| duration | a whole number and a unit: `"250ms"`, `"5s"`, `"10m"`, `"24h"`, `"90d"` |
| USD | a number with at most six decimal places, `0.075`; taken exactly |
| size | a whole number and a unit: `"512B"`, `"64KiB"`, `"50MiB"`, `"1GiB"`, `"1TiB"` |
| path | a relative one counts from the folder of the file that it is written in (in variables and `--set`: from the working directory); `~/` is the home folder |
| JSON pointer | empty, or `/` before each part, as `/findings/0` (RFC 6901) |

Both ends of a range are allowed.

Secrets are not written into the file: name the variable in `pass_env` of the agent that needs it. A variable in
`env` whose name looks like a secret's is a warning.

## When a change counts

)";

constexpr std::string_view no_live_key =
    "A process reads its settings once, when it starts: every key takes a restart.\n";

constexpr std::string_view after_effects =
    R"(
A run keeps what it started with: its agents, their prices, `runtime.kill_grace` and `runtime.drain_grace` are stored with it, and it
goes on with them in whatever process resumes it. All else is of that process.

## Keys

`config_version = 1` is the version of the file format. A file without it counts as version 1; a file of a newer
version is refused.
)";

constexpr std::string_view row_head = "\n| key | type | default | variable | meaning |\n|---|---|---|---|---|\n";
constexpr std::string_view member_head = "\n| key | type | default | meaning |\n|---|---|---|---|\n";

constexpr std::string_view retry_tail =
    R"(
Each of both is a table of its own, `[retry.agent]` and `[retry.storage]`, with these keys; docs/limits.md tells which
failures are tried again. One of them as a variable is `TROUPE_RETRY__AGENT__` and its name in capitals.
)";

constexpr std::string_view providers_head =
    R"(
### `[providers.NAME]`

A provider is whoever limits several agents at once; an agent names it by its `provider`. One that has no table here has
no limits, and the breaker as it is by default. docs/limits.md tells what is done at each limit.

```toml
[agents.claude]
command = ["claude", "-p"]
provider = "anthropic"

[providers.anthropic]
max_concurrent = 3
requests_per_minute = 50
input_tokens_per_minute = 40000
output_tokens_per_minute = 8000
breaker = { min_calls = 10, failure_rate = 0.5, open_for = "30s" }
```
)";

constexpr std::string_view breaker_head = "\nIts `breaker` is a table of these:\n";

constexpr std::string_view prices_head =
    R"(
### `[prices."MODEL"]`

What a model costs, by the name that an agent reports or has in `model`. Both keys are needed: a price that is not known
is not 0. [cost.md](cost.md) tells what is counted, and what a model without a price means.

```toml
[prices."claude-sonnet-4-5"]
input = 3
output = 15
```
)";

constexpr std::string_view prices_tail =
    R"(
Names of models need quotes where they have more than letters, digits, `-` and `_`; so on the command line, too:
`--set 'prices."gpt-4.1".input=2'`. There are no variables for them.
)";

constexpr std::string_view agents_head =
    R"(
### `[agents.NAME]`

An agent is a program, or a model behind an address, that a workflow's step names. NAME has 1 to 64 characters of a-z, 0-9, `_` and `-`, and
starts with a letter or digit.

```toml
[agents.claude]
command  = ["claude", "-p"]
parse    = "json"
require  = ["/findings"]
pass_env = ["HOME", "PATH", "ANTHROPIC_API_KEY"]
```

The program sees of Troupe's environment only what `pass_env` names (most programs want `HOME` and `PATH`), then what
`env` sets, then `TROUPE_RUN_ID`, `TROUPE_STEP_ID`, `TROUPE_SUBJECT`, `TROUPE_ATTEMPT` and `TROUPE_IDEMPOTENCY_KEY`,
which tell each attempt what it is for, `TROUPE_DATABASE`, the path of the database that its run is in, and
`TROUPE_PROMPT_FILE` where the prompt is a file.
)";

constexpr std::string_view agents_tail =
    R"(
One variable of `env` is `TROUPE_AGENTS__NAME__ENV__` and its name as it is, or `--set agents.NAME.env.VARIABLE=VALUE`.

`answer`, `usage`, `session` and `failures` say how the output of a program is read that wraps its answer:
[adapters.md](adapters.md).

With `parse = "json"` the answer is the first of these that is JSON: the whole output, its last fenced block, the last
object in it. So an agent may think aloud before it answers.

### `[adapters.NAME]`

An adapter has the keys of an agent but `kind` and `adapter`, and gives them to each agent that says `adapter = "NAME"`
and does not give them itself; `env` is merged variable by variable. `claude`, `codex` and `gemini` are built in, and a
table of the same name changes single keys of them. See [adapters.md](adapters.md).

### Agents over HTTP

An agent of `kind = "http"` is an OpenAI-compatible endpoint for chat completions; [its page](http-agents.md) tells what
is sent, what is believed, and which failure is which error.

```toml
[agents.local]
kind        = "http"
endpoint    = "http://127.0.0.1:8080/v1"
model       = "qwen3-coder"
api_key_env = "LOCAL_KEY"
```
)";

// Markdown: `|` would end the cell.
std::string cell(std::string_view text) {
  std::string out;
  for (const char letter : text) {
    out += letter == '|' ? "\\|" : std::string{letter};
  }
  return out;
}

std::string code(std::string_view text) { return '`' + cell(text) + '`'; }

std::string key_row(const setting_facts& facts,
                    std::string_view name,
                    const std::string& value,
                    const std::string& variable) {
  return "| " + code(name) + " | " + cell(type_text(facts)) + " | " + code(value) + " | " + code(variable) + " | " +
         cell(facts.doc) + " |\n";
}

// Of a table within a table.
template <class Spec>
std::string member_rows(std::span<const setting_key<Spec>> keys) {
  std::string out{member_head};
  for (const auto& key : keys) {
    out += "| " + code(key.name) + " | " + cell(type_text(key)) + " | " + code(default_text(key, key.write(Spec{}))) +
           " | " + cell(key.doc) + " |\n";
  }
  return out;
}

std::string effects() {
  std::string live;
  const auto add = [&](const setting_facts& facts, std::string_view table) {
    if (facts.effect == takes_effect::live) {
      live += (live.empty() ? "" : ", ") + code(std::string{table} + std::string{facts.name});
    }
  };
  for (const auto& key : settings_keys()) {
    add(key, {});
  }
  for (const auto& key : agent_keys()) {
    add(key, "agents.NAME.");
  }
  return live.empty()
             ? std::string{no_live_key}
             : "These count for all that begins after the change: " + live + ". Every other key takes a restart.\n";
}

std::string refused_tables() {
  std::string out = "\n### Tables of later versions\n\nThe format has them, and this version refuses them: ";
  std::string_view before;
  for (const auto name : later_tables()) {
    out += std::string{before} + code('[' + std::string{name} + ']');
    before = ", ";
  }
  return out + ".\n";
}

}  // namespace

std::string configuration_page() {
  std::string out = std::string{page_head} + effects() + std::string{after_effects};
  std::string_view table;
  for (const auto& key : settings_keys()) {
    const auto dot = key.name.find('.');
    if (key.name.substr(0, dot) != table) {
      out += table == "retry" ? std::string{retry_tail} + member_rows(retry_keys()) : std::string{};
      table = key.name.substr(0, dot);
      out += "\n### " + code('[' + std::string{table} + ']') + '\n' + std::string{row_head};
    }
    out += key_row(key, key.name.substr(dot + 1), default_text(key, key.write(settings{})), variable_of(key.name));
  }
  out += std::string{providers_head} + std::string{row_head};
  for (const auto& key : provider_keys()) {
    out += key_row(key,
                   key.name,
                   default_text(key, key.write(provider_spec{})),
                   variable_of("providers.NAME." + std::string{key.name}));
  }
  out += std::string{breaker_head} + member_rows(breaker_keys());
  out += std::string{prices_head} + member_rows(price_keys()) + std::string{prices_tail};
  out += std::string{agents_head} + std::string{row_head};
  for (const auto& key : agent_keys()) {
    out += key_row(
        key, key.name, default_text(key, key.write(agent_spec{})), variable_of("agents.NAME." + std::string{key.name}));
  }
  return out + std::string{agents_tail} + refused_tables();
}

}  // namespace troupe

#include "config/reference.hpp"

#include "config/setting_key.hpp"
#include "config/toml_text.hpp"

#include <utility>

namespace troupe {
namespace {

constexpr std::size_t width = 100;

std::string_view table_of(std::string_view name) { return name.substr(0, name.find('.')); }

// `text` in lines that start with `#`.
std::string comment(std::string_view text) {
  std::string out;
  std::string line = "#";
  while (!text.empty()) {
    const auto cut = text.find(' ');
    const auto word = text.substr(0, cut);
    if (line.size() + 1 + word.size() > width) {
      out += std::exchange(line, "#") + '\n';
    }
    line += ' ' + std::string{word};
    text = cut == std::string_view::npos ? std::string_view{} : text.substr(cut + 1);
  }
  return out + line + '\n';
}

std::string default_text(const setting_facts& facts, const toml_node& value) {
  return facts.shown_default.data() == nullptr ? toml_value(value) : toml_string(facts.shown_default);
}

std::string key_lines(const setting_facts& facts, std::string_view name, const std::string& value) {
  return comment(std::string{facts.doc} + " (" + type_text(facts) + ')') + '#' + std::string{name} + " = " + value +
         "\n";
}

constexpr std::string_view head =
    "# Settings of Troupe. Every key is here with its default; take the '#' off a line to change it.\n"
    "# Layers, later wins: defaults, $XDG_CONFIG_HOME/troupe/troupe.toml (or ~/.config), ./troupe.toml,\n"
    "# --config FILE, variables like TROUPE_WRITER__MAX_BATCH, --set KEY=VALUE.\n"
    "# `troupe config show` prints each value and where it comes from.\n\n"
    "config_version = 1\n";

// An agent as people start: the rest of its keys below it.
constexpr std::string_view agent_head =
    "\n# An agent is a program; a workflow names it. Take the '#' off this line and the command to have one.\n"
    "#[agents.NAME]\n";

// Markdown: `|` would end the cell.
std::string cell(std::string_view text) {
  std::string out;
  for (const char letter : text) {
    out += letter == '|' ? "\\|" : std::string{letter};
  }
  return out;
}

std::string key_row(const setting_facts& facts, std::string_view name, const std::string& value) {
  return "| `" + std::string{name} + "` | " + cell(type_text(facts)) + " | `" + cell(value) + "` | " + cell(facts.doc) +
         " |\n";
}

constexpr std::string_view row_head = "\n| key | type | default | meaning |\n|---|---|---|---|\n";

constexpr std::string_view page_head =
    R"(# Configuration

<!-- Made from the key tables in config/settings_keys.cpp; a test compares. Do not edit by hand:
     TROUPE_WRITE_REFERENCE=1 ctest -R reference writes it anew. -->

Settings are in TOML files. Every key has a default, so that no file is needed until there is an agent.
`troupe config init` prints a file with every key, `troupe config show` each value and where it comes from,
`troupe config check` what is wrong, and `troupe config schema` a JSON Schema for editors.

## Layers

Later wins, key by key:

1. the defaults below
2. the user's file: `$XDG_CONFIG_HOME/troupe/troupe.toml`, or `~/.config/troupe/troupe.toml`
3. the project's file: `troupe.toml` in the working directory
4. `--config FILE`
5. the environment: `TROUPE_`, table and key in capitals with `__` between: `TROUPE_WRITER__MAX_BATCH=64`,
   `TROUPE_AGENTS__CLAUDE__MODEL=opus`
6. `--set KEY=VALUE`: `--set writer.max_batch=64`, `--set 'agents.claude.command=["claude", "-p"]'`

In the last two the value is read as TOML where the key takes a number, a list or a table, and as it stands
where it takes a text. An agent that several layers mention is put together from all of them; lists are
replaced whole, `env` is merged variable by variable.

An unknown key, a wrong type and a value out of range are errors with file, line, column and what would be
right; nothing is ignored. The one exception is an environment variable that starts with `TROUPE_` and sets
nothing: that is a warning.

## Values

| | |
|---|---|
| duration | a whole number and a unit: `"250ms"`, `"5s"`, `"10m"`, `"24h"`, `"90d"` |
| size | a whole number and a unit: `"512B"`, `"64KiB"`, `"50MiB"`, `"1GiB"`, `"1TiB"` |
| path | a relative one counts from the folder of the file that it is written in (in variables and `--set`: from the working directory); `~/` is the home folder |

Secrets are not written into the file: name the variable in `pass_env` of the agent that needs it. A variable in
`env` whose name looks like a secret's is a warning.

## Keys

`config_version = 1` is the version of the file format. A file without it counts as version 1; a file of a newer
version is refused.
)";

constexpr std::string_view agents_head =
    R"(
### `[agents.NAME]`

An agent is a program that a workflow's step names. NAME has 1 to 64 characters of a-z, 0-9, `_` and `-`, and
starts with a letter or digit.

```toml
[agents.claude]
command  = ["claude", "-p", "--output-format", "json"]
parse    = "json"
require  = ["/result"]
pass_env = ["HOME", "PATH", "ANTHROPIC_API_KEY"]
```

The program sees of Troupe's environment only what `pass_env` names (most programs want `HOME` and `PATH`), then what
`env` sets, then `TROUPE_RUN_ID`, `TROUPE_STEP_ID`, `TROUPE_SUBJECT`, `TROUPE_ATTEMPT` and `TROUPE_IDEMPOTENCY_KEY`,
which tell each attempt what it is for, and `TROUPE_PROMPT_FILE` where the prompt is a file.
)";

constexpr std::string_view agents_tail =
    R"(
`kind = "http"` is part of the format, but this version does not execute such agents: a workflow that names one is
refused.
)";

}  // namespace

std::vector<shown_setting> show_settings(const loaded_config& config) {
  std::vector<shown_setting> out;
  const auto add = [&](std::string key, const toml_node& value) {
    const auto origin = config.origins.find(key);
    std::string from = origin == config.origins.end() ? "default" : origin->second;
    out.push_back({std::move(key), toml_value(value), to_json(value), std::move(from)});
  };
  add("config_version", toml_node{std::int64_t{config_version}});
  for (const auto& key : settings_keys()) {
    add(std::string{key.name}, key.write(*config.values));
  }
  for (const auto& [name, agent] : config.values->agents) {
    for (const auto& key : agent_keys()) {
      add("agents." + name.str() + '.' + std::string{key.name}, key.write(agent));
    }
  }
  return out;
}

std::string reference_toml() {
  std::string out{head};
  std::string_view table;
  for (const auto& key : settings_keys()) {
    if (table_of(key.name) != table) {
      table = table_of(key.name);
      out += "\n[" + std::string{table} + "]\n";
    }
    out += key_lines(key, key.name.substr(table.size() + 1), default_text(key, key.write(settings{})));
  }
  out += agent_head;
  for (const auto& key : agent_keys()) {
    out += key_lines(key, key.name, default_text(key, key.write(agent_spec{})));
  }
  return out;
}

std::string configuration_page() {
  std::string out{page_head};
  std::string_view table;
  for (const auto& key : settings_keys()) {
    if (table_of(key.name) != table) {
      table = table_of(key.name);
      out += "\n### `[" + std::string{table} + "]`\n" + std::string{row_head};
    }
    out += key_row(key, key.name.substr(table.size() + 1), default_text(key, key.write(settings{})));
  }
  out += std::string{agents_head} + std::string{row_head};
  for (const auto& key : agent_keys()) {
    out += key_row(key, key.name, default_text(key, key.write(agent_spec{})));
  }
  return out + std::string{agents_tail};
}

}  // namespace troupe

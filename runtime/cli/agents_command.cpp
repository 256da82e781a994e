// troupe agents
#include "config/reference.hpp"
#include "runtime/cli/arguments.hpp"
#include "runtime/cli/commands.hpp"
#include "runtime/cli/printed_text.hpp"
#include "runtime/cli/table.hpp"
#include "runtime/json/json_writer.hpp"

#include <algorithm>
#include <memory>

namespace troupe {
namespace {

struct agents_options {
  bool adapters = false;
};

std::string_view name_of(agent_kind kind) noexcept {
  switch (kind) {
    case agent_kind::command:
      return "command";
    case agent_kind::http:
      return "http";
    case agent_kind::workflow:
      return "workflow";
    case agent_kind::function:
      return "function";
  }
  return "command";
}

struct listed_agent {
  const agent_spec& spec;
  std::optional<std::string> program;  ///< Where it was found.
  std::vector<problem> problems;
};

std::vector<listed_agent> agents_of(context& with) {
  std::vector<problem> all = with.config().problems;
  std::ranges::copy(check_commands(with.config(), with.environment()), std::back_inserter(all));
  std::vector<listed_agent> listed;
  for (const auto& [name, spec] : with.settings()->agents) {
    listed_agent each{spec, program_of(spec, with.environment()), {}};
    const std::string prefix = "agents." + name.str() + '.';
    std::ranges::copy_if(
        all, std::back_inserter(each.problems), [&](const problem& found) { return found.key.starts_with(prefix); });
    listed.push_back(std::move(each));
  }
  return listed;
}

std::string texts_json(const std::vector<std::string>& texts) {
  list_writer list;
  for (const std::string& each : texts) {
    list.text(each);
  }
  return list.str();
}

std::string agents_json(const std::vector<listed_agent>& agents) {
  list_writer list;
  for (const auto& [spec, program, problems] : agents) {
    list.raw(object_writer{}
                 .text("name", spec.name.str())
                 .text("kind", name_of(spec.kind))
                 .text_or_null("adapter", spec.adapter)
                 .text_or_null("provider", spec.provider)
                 .text_or_null("model", spec.model)
                 .raw("command", texts_json(spec.command))
                 .text_or_null("program", program.value_or(std::string{}))
                 .text_or_null("endpoint", spec.endpoint)
                 .raw("problems", problems_json(problems))
                 .str());
  }
  return object_writer{}.raw("agents", list.str()).str();
}

std::string place_of(const listed_agent& agent, const style& look) {
  if (agent.spec.kind != agent_kind::command) {
    return printable(agent.spec.endpoint);
  }
  return agent.program ? printable(*agent.program)
                       : look.paint(ink::yellow, "not found: ") + printable(agent.spec.command.front());
}

std::string agents_table(const std::vector<listed_agent>& agents, output& out) {
  table rows{{{.title = "AGENT", .right = false, .shrinks = false},
              {.title = "KIND", .right = false, .shrinks = false},
              {.title = "ADAPTER", .right = false, .shrinks = false},
              {.title = "PROVIDER", .right = false, .shrinks = true},
              {.title = "MODEL", .right = false, .shrinks = true},
              {.title = "PROGRAM", .right = false, .shrinks = true}}};
  for (const listed_agent& each : agents) {
    rows.add({each.spec.name.str(),
              std::string{name_of(each.spec.kind)},
              each.spec.adapter,
              printable(each.spec.provider),
              printable(each.spec.model),
              place_of(each, out.look())});
  }
  return rows.text(out.width(), out.look());
}

exit_code list_agents(context& with) {
  const std::vector<listed_agent> agents = agents_of(with);
  output& out = with.out();
  if (with.options().json) {
    with.print_json(agents_json(agents));
  } else if (with.options().quiet) {
    for (const listed_agent& each : agents) {
      out.line(each.spec.name.str());
    }
  } else if (agents.empty()) {
    with.note("no agents; add [agents.NAME] to troupe.toml, as with adapter = \"claude\"");
  } else {
    out.write(agents_table(agents, out));
    with.print(check_commands(with.config(), with.environment()));
  }
  return exit_code::completed;
}

/// Its keys that say something, as a file would.
std::string adapter_text(const std::string& name, const agent_spec& adapter) {
  std::string text = "[adapters." + name + "]\n";
  for (const shown_setting& each : show_adapter(adapter)) {
    text += each.key + " = " + each.value + '\n';
  }
  return text;
}

std::string adapters_json(const loaded_config& config) {
  list_writer list;
  for (const auto& [name, adapter] : config.adapters) {
    object_writer object;
    object.text("name", name).boolean("builtin", builtin_adapters().contains(name));
    for (const shown_setting& each : show_adapter(adapter)) {
      object.raw(each.key, each.json);
    }
    list.raw(object.str());
  }
  return object_writer{}.raw("adapters", list.str()).str();
}

exit_code list_adapters(context& with) {
  const loaded_config& config = with.config();
  if (with.options().json) {
    with.print_json(adapters_json(config));
    return exit_code::completed;
  }
  std::string before;
  for (const auto& [name, adapter] : config.adapters) {
    if (with.options().quiet) {
      with.out().line(name);
    } else {
      with.out().write(before + adapter_text(name, adapter));
      before = "\n";
    }
  }
  return exit_code::completed;
}

exit_code agents(context& with, const agents_options& options) {
  if (const auto refused = with.load()) {
    return refuse(with, *refused);
  }
  return options.adapters ? list_adapters(with) : list_agents(with);
}

}  // namespace

void add_agents(command_tree& tree) {
  auto options = std::make_shared<agents_options>();
  CLI::App& command = tree.add(
      tree.root(),
      {.name = "agents",
       .summary = "list the agents of the configuration, and where their programs are",
       .details = "With --adapters the ways of calling coding agents that are known, as tables that troupe.toml could "
                  "hold. With -q names alone. A program that is not there is a warning: it may be there when it runs.",
       .examples = {"troupe agents",
                    "troupe agents --json",
                    "troupe agents --adapters",
                    "troupe agents --set agents.reviewer.adapter=claude"}});
  add_flag(command, "--adapters", options->adapters, "the known adapters in place of the agents");
  tree.on(command, [options](context& with) { return agents(with, *options); });
}

}  // namespace troupe

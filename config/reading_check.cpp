// check_reading of config/config_layers.hpp: rules that are spelled well, and cannot be followed.
#include "config/config_layers.hpp"

#include <algorithm>
#include <utility>

namespace troupe {
namespace {

constexpr std::string_view model_name = "{{model}}";

bool looks_at_lines(const value_source& source) { return source.where || source.line; }

class reading_checker {
 public:
  reading_checker(const agent_spec& agent,
                  const std::string& path,
                  const source_map& positions,
                  std::vector<problem>& out)
      : agent_(agent), path_(path), positions_(positions), out_(out) {}

  void check() {
    check_model_arguments();
    const auto& reading = agent_.reading;
    check_source("answer", reading.answer);
    check_source("session", reading.session);
    check_source("usage", reading.usage.model);
    std::ranges::for_each(reading.usage.input, [this](const auto& each) { check_source("usage", each); });
    std::ranges::for_each(reading.usage.output, [this](const auto& each) { check_source("usage", each); });
    if (reading.answer.empty() && reading.answer_parse == answer_format::json) {
      add(problem::severity::warning,
          "answer_parse",
          "'answer_parse' has no use without 'answer'",
          "say where the answer is, or take it out");
    }
    for (std::size_t i = 0; i < reading.failures.size(); ++i) {
      check_failure(i);
    }
  }

 private:
  void check_model_arguments() {
    bool has_name = agent_.model_arguments.empty();
    for (const auto& argument : agent_.model_arguments) {
      auto rest = argument;
      for (auto at = rest.find(model_name); at != std::string::npos; at = rest.find(model_name)) {
        has_name = true;
        rest.erase(at, model_name.size());
      }
      if (rest.find("{{") != std::string::npos) {
        error("model_args", "'" + argument + "' has another name in it than {{model}}", "only {{model}} is known here");
      }
    }
    if (!has_name) {
      error("model_args", "'model_args' has no place for the model", "write [\"--model\", \"{{model}}\"]");
    }
  }

  void check_source(const std::string& key, const value_source& source) {
    if (source.empty()) {
      return;
    }
    if (agent_.parse == output_format::text) {
      error(key, "'" + key + "' has no use where parse is \"text\"", "set parse = \"json\" or \"jsonl\"");
    } else if (agent_.parse == output_format::json && looks_at_lines(source)) {
      error(key,
            "'" + key + "' chooses among lines, but parse is \"json\": there is one document",
            "set parse = \"jsonl\", or take 'where' and 'line' out");
    }
  }

  void check_failure(std::size_t index) {
    const auto& rules = agent_.reading.failures;
    const auto& rule = rules[index];
    const std::string key = "failures[" + std::to_string(index) + ']';
    if (rule.exit.empty() && !rule.test) {
      error(key, "this rule always holds: every attempt would fail", "give it 'exit', or a 'path' and what to compare");
      return;
    }
    if (rule.test && rule.from == output_stream::standard_output && agent_.parse == output_format::text) {
      error(key, "this rule can never hold: where parse is \"text\", no path leads anywhere", "set parse = \"json\"");
      return;
    }
    for (std::size_t earlier = 0; earlier < index; ++earlier) {
      if (covers(rules[earlier], rule)) {
        error(key,
              "this rule can never hold: failures[" + std::to_string(earlier) + "] holds wherever it does",
              "put it before the other one, or take it out");
        return;
      }
    }
  }

  static bool covers(const failure_rule& wide, const failure_rule& narrow) {
    const bool covers_exit =
        wide.exit.empty() || (!narrow.exit.empty() && std::ranges::all_of(narrow.exit, [&](int code) {
          return std::ranges::find(wide.exit, code) != wide.exit.end();
        }));
    return covers_exit && (!wide.test || (narrow.test && wide.from == narrow.from && covers(*wide.test, *narrow.test)));
  }

  static bool covers(const value_test& wide, const value_test& narrow) {
    if (wide.path != narrow.path) {
      return false;
    }
    if (wide.any_of.empty()) {
      return wide.exists ? narrow.exists || !narrow.any_of.empty() : narrow.any_of.empty() && !narrow.exists;
    }
    return !narrow.any_of.empty() && std::ranges::all_of(narrow.any_of, [&](const json_text& value) {
      return std::ranges::find(wide.any_of, value) != wide.any_of.end();
    });
  }

  void error(const std::string& key, std::string message, std::string hint) {
    add(problem::severity::error, key, std::move(message), std::move(hint));
  }

  void add(problem::severity weight, const std::string& key, std::string message, std::string hint) {
    out_.push_back({weight,
                    error_code::invalid_config,
                    positions_.find(path_ + key),
                    path_ + key,
                    std::move(message),
                    std::move(hint)});
  }

  const agent_spec& agent_;
  const std::string& path_;
  const source_map& positions_;
  std::vector<problem>& out_;
};

}  // namespace

void check_reading(const agent_spec& agent,
                   const std::string& path,
                   const source_map& positions,
                   std::vector<problem>& out) {
  reading_checker{agent, path, positions, out}.check();
}

}  // namespace troupe

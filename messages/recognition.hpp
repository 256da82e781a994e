// How an agent's output is read: where the answer, the tokens and the conversation stand in it, and what in it says that
// the agent failed. Data, as an adapter or an agent's own table says it; actors/agent/recognition.hpp carries it out.
#pragma once

#include "messages/base/error.hpp"
#include "messages/base/json_text.hpp"
#include "messages/base/time.hpp"

#include <optional>
#include <string>
#include <vector>

namespace troupe {

enum class answer_format { text, json };
enum class output_stream { standard_output, standard_error };
enum class line_choice { last, first };

/// Holds of a JSON value where `path` leads to one of `any_of`; where that is empty, where the path leads somewhere
/// (`exists`), or nowhere.
struct value_test {
  std::string path;  ///< RFC 6901.
  std::vector<json_text> any_of;
  bool exists = true;

  friend bool operator==(const value_test&, const value_test&) = default;
};

/// A value within parsed output. Of several lines it is looked for in the last (or first) of which `where` holds and
/// that has it.
struct value_source {
  std::string path;       ///< RFC 6901. Of a list or object at `each`: within each of its elements.
  std::string each;       ///< Empty: none. Numbers of the elements are added; of anything else the first counts.
  bool only_key = false;  ///< Not the value at `path`, but the name of its only member; none where it has several.
  std::optional<value_test> where;
  std::optional<line_choice> line;  ///< None is the last.

  /// Says nothing: the whole output is what it is.
  bool empty() const noexcept { return path.empty() && each.empty() && !only_key && !where && !line; }

  friend bool operator==(const value_source&, const value_source&) = default;
};

/// Tokens: the sum of what is there of each list. Nothing is known where no source of either leads to a number.
struct usage_sources {
  std::vector<value_source> input;
  std::vector<value_source> output;
  value_source model;  ///< Empty, or nothing there: the model that the agent is configured with.

  bool empty() const noexcept { return input.empty() && output.empty() && model.empty(); }

  friend bool operator==(const usage_sources&, const usage_sources&) = default;
};

/// Holds where all that it says holds; at least one of `exit` and `test` is said.
struct failure_rule {
  std::vector<int> exit;                                ///< Exit codes; empty: any.
  std::optional<value_test> test;                       ///< Of several lines: of any of them.
  output_stream from = output_stream::standard_output;  ///< What `test`, `message` and `retry_after_path` look into.
  error_code code = error_code::agent_exit;
  std::string message;                      ///< RFC 6901, to the words of the failure; empty: none.
  std::optional<milliseconds> retry_after;  ///< What is known of the provider.
  std::string retry_after_path;             ///< RFC 6901, to seconds or a duration; empty: none.

  friend bool operator==(const failure_rule&, const failure_rule&) = default;
};

struct recognition {
  value_source answer;                               ///< Empty: the whole of the parsed output.
  answer_format answer_parse = answer_format::text;  ///< Of an answer that is a text.
  usage_sources usage;
  value_source session;
  std::vector<failure_rule> failures;  ///< The first that holds says what happened.

  bool empty() const noexcept {
    return answer.empty() && answer_parse == answer_format::text && usage.empty() && session.empty() &&
           failures.empty();
  }

  friend bool operator==(const recognition&, const recognition&) = default;
};

}  // namespace troupe

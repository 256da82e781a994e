#include "actors/agent/output_parsing.hpp"

#include "actors/json/json.hpp"

#include <boost/json/array.hpp>

#include <algorithm>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace troupe {
namespace {

namespace json = boost::json;

constexpr std::size_t candidates_max = 64;  // of balanced parts that are tried, the last ones

struct span_of_text {
  std::size_t begin;
  std::size_t end;
};

std::string_view part(std::string_view text, span_of_text at) { return text.substr(at.begin, at.end - at.begin); }

// Objects and arrays that are balanced outside of strings and that no other one holds. One pass: a bracket that does
// not match throws away what was open, for it was prose.
std::vector<span_of_text> balanced_parts(std::string_view text) {
  std::vector<span_of_text> parts;
  std::string open;
  std::size_t begin = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      i += c == '\\' ? 1 : 0;
      in_string = c != '"' && c != '\n';  // no string of JSON goes over a line end: this was a quote in prose
    } else if (c == '"') {
      in_string = !open.empty();
    } else if (c == '{' || c == '[') {
      begin = open.empty() ? i : begin;
      open += c == '{' ? '}' : ']';
    } else if ((c == '}' || c == ']') && !open.empty()) {
      if (open.back() != c) {
        open.clear();
        continue;
      }
      open.pop_back();
      if (open.empty()) {
        parts.push_back({begin, i + 1});
      }
    }
  }
  return parts;
}

// The insides of ``` blocks, in order. A fence starts a line; what follows it there is a language.
std::vector<span_of_text> fenced_blocks(std::string_view text) {
  std::vector<span_of_text> blocks;
  constexpr auto outside = std::string_view::npos;
  std::size_t inside = outside;
  for (std::size_t line = 0; line < text.size();) {
    const auto end = std::min(text.find('\n', line), text.size());
    const auto first = text.find_first_not_of(" \t", line);
    if (first != std::string_view::npos && first < end && text.substr(first, 3) == "```") {
      if (inside != outside) {
        blocks.push_back({inside, line});
        inside = outside;
      } else {
        inside = std::min(end + 1, text.size());
      }
    }
    line = end + 1;
  }
  return blocks;
}

// What the prompt itself holds as JSON: an agent that repeats it has not answered.
std::set<std::string> questions_of(std::string_view prompt) {
  std::set<std::string> all;
  const auto add = [&](std::string_view text) {
    if (const auto value = parse(text)) {
      all.insert(canonical(*value).str());
    }
  };
  for (const auto block : fenced_blocks(prompt)) {
    add(part(prompt, block));
  }
  for (const auto balanced : balanced_parts(prompt)) {
    add(part(prompt, balanced));
  }
  return all;
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) {
    return {};
  }
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

class answer_search {
 public:
  answer_search(std::string_view output, std::string_view prompt) : output_(output), prompt_(prompt) {}

  result<parsed_output> find() {
    auto whole = parse(output_);
    if (whole) {
      if (auto found = accept(*whole, "whole")) {
        return *std::move(found);
      }
    }
    if (auto found = last_of(fenced_blocks(output_), "fenced", false)) {
      return *std::move(found);
    }
    if (auto found = last_of(balanced_parts(output_), "balanced", true)) {
      return *std::move(found);
    }
    if (skipped_) {
      return error{error_code::output_invalid,
                   "the only JSON in the output is what the prompt itself holds",
                   "the agent repeated its instructions; the raw output is kept"};
    }
    return error{error_code::output_invalid,
                 "the output holds no JSON: " + whole.error().message,
                 "the raw output is kept: troupe output RUN STEP; set parse = \"text\" if it is not meant to be JSON"};
  }

 private:
  std::optional<parsed_output> accept(const json::value& value, const char* found_by) {
    auto text = canonical(value);
    if (!questions_) {
      questions_ = questions_of(prompt_);
    }
    if (questions_->contains(text.str())) {
      skipped_ = true;
      return std::nullopt;
    }
    return parsed_output{std::move(text), found_by};
  }

  std::optional<parsed_output> last_of(const std::vector<span_of_text>& parts, const char* found_by, bool structured) {
    std::size_t tried = 0;
    for (auto at = parts.rbegin(); at != parts.rend() && tried < candidates_max; ++at, ++tried) {
      const auto value = parse(trimmed(part(output_, *at)));
      if (value && (!structured || value->is_structured())) {
        if (auto found = accept(*value, found_by)) {
          return found;
        }
      }
    }
    return std::nullopt;
  }

  std::string_view output_;
  std::string_view prompt_;
  std::optional<std::set<std::string>> questions_;
  bool skipped_ = false;
};

result<parsed_output> parse_lines(std::string_view output) {
  json::array list;
  std::size_t number = 0;
  while (!output.empty()) {
    ++number;
    const auto end = std::min(output.find('\n'), output.size());
    const auto line = trimmed(output.substr(0, end));
    output.remove_prefix(std::min(end + 1, output.size()));
    if (line.empty()) {
      continue;
    }
    auto value = parse(line);
    if (!value) {
      return error{error_code::output_invalid,
                   "line " + std::to_string(number) + " of the output: " + value.error().message,
                   "the raw output is kept: troupe output RUN STEP"};
    }
    list.push_back(*std::move(value));
  }
  return parsed_output{canonical(list), "jsonl"};
}

result<parsed_output> parse_text(std::string_view output) {
  while (!output.empty() && (output.back() == '\n' || output.back() == '\r')) {
    output.remove_suffix(1);
  }
  return parsed_output{json_text{json_string(output)}, "text"};
}

result<parsed_output> parse_as(output_format format, std::string_view output, std::string_view prompt) {
  switch (format) {
    case output_format::text:
      return parse_text(output);
    case output_format::json:
      return answer_search{output, prompt}.find();
    case output_format::jsonl:
      return parse_lines(output);
  }
  return parse_text(output);
}

}  // namespace

result<parsed_output> parse_output(const agent_spec& spec, std::string_view output, std::string_view prompt) {
  auto parsed = parse_as(spec.parse, output, prompt);
  if (!parsed || spec.require.empty()) {
    return parsed;
  }
  const auto value = parse(parsed->value);
  for (const auto& pointer : spec.require) {
    if (find(value, pointer) == nullptr) {
      return error{error_code::output_invalid,
                   "the output has nothing at " + pointer + ", which agent '" + spec.name.str() + "' requires",
                   "the raw output is kept: troupe output RUN STEP"};
    }
  }
  return parsed;
}

}  // namespace troupe

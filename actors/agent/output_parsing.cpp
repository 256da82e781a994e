#include "actors/agent/output_parsing.hpp"

#include "actors/json/json.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <algorithm>
#include <cstring>
#include <deque>
#include <map>
#include <optional>
#include <utility>
#include <vector>

namespace troupe {
namespace {

namespace json = boost::json;

constexpr std::size_t candidates_max = 65'536;  // that are tried, and remembered of one text: the last ones
constexpr std::size_t passes_max = 8;           // over the output, in search of JSON within brackets of prose

struct span_of_text {
  std::size_t begin;
  std::size_t end;
};

std::string_view part(std::string_view text, span_of_text at) { return text.substr(at.begin, at.end - at.begin); }

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) {
    return {};
  }
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

enum class quotes { count, mean_nothing };

// Objects and arrays that are balanced outside of strings and that no other one holds, in order; the last ones where
// there are very many. One pass. A bracket that is never closed, or closed by another kind, was prose: what is balanced
// within it stands.
std::deque<span_of_text> balanced_parts(std::string_view text, quotes as) {
  struct opened {
    char closer;
    std::size_t begin;
  };
  std::deque<span_of_text> parts;
  std::deque<opened> open;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      i += c == '\\' ? 1 : 0;
      in_string = c != '"' && c != '\n';  // no string of JSON goes over a line end: this was a quote in prose
    } else if (c == '"') {
      in_string = as == quotes::count && !open.empty();
    } else if (c == '{' || c == '[') {
      open.push_back({c == '{' ? '}' : ']', i});
      if (open.size() > json_depth_max) {
        open.pop_front();  // what holds so many is not read as JSON
      }
    } else if ((c == '}' || c == ']') && !open.empty()) {
      const auto [closer, begin] = open.back();
      if (closer != c) {
        open.clear();
        continue;
      }
      open.pop_back();
      while (!parts.empty() && parts.back().begin > begin) {
        parts.pop_back();
      }
      parts.push_back({begin, i + 1});
      if (parts.size() > candidates_max) {
        parts.pop_front();
      }
    }
  }
  return parts;
}

// The insides of ``` blocks that are not blank, in order (CommonMark 0.31, 4.5, with one freedom: a fence with a language
// opens a block even within another, for agents wrap what they quote). A fence closes one that is no longer than it.
std::vector<span_of_text> fenced_blocks(std::string_view text) {
  struct opened {
    std::size_t begin;
    std::size_t ticks;
  };
  std::vector<span_of_text> blocks;
  opened inside{0, 0};  // ticks are 0 outside
  for (std::size_t line = 0; line < text.size();) {
    const auto end = std::min(text.find('\n', line), text.size());
    const auto content = trimmed(text.substr(line, end - line));
    const auto ticks = std::min(content.find_first_not_of('`'), content.size());
    const auto language = content.substr(ticks);
    if (ticks >= 3 && language.find('`') == std::string_view::npos) {
      if (inside.ticks == 0 || !language.empty()) {
        inside = {std::min(end + 1, text.size()), ticks};
      } else if (ticks >= inside.ticks) {
        if (!trimmed(text.substr(inside.begin, line - inside.begin)).empty()) {
          blocks.push_back({inside.begin, line});
        }
        inside.ticks = 0;
      }
    }
    line = end + 1;
  }
  return blocks;
}

// What the prompt itself holds as JSON. An agent that repeats it has not answered; unless the prompt lists several
// objects of the same keys: these are the answers to choose from.
class questions {
 public:
  explicit questions(std::string_view prompt) {
    for (const auto block : fenced_blocks(prompt)) {
      add(trimmed(part(prompt, block)));
    }
    for (const auto balanced : balanced_parts(prompt, quotes::count)) {
      add(part(prompt, balanced));
    }
  }

  bool any() const { return !shapes_.empty(); }

  bool holds(const std::string& value) const {
    const auto found = shapes_.find(value);
    return found != shapes_.end() && (found->second.empty() || of_shape_.at(found->second) == 1);
  }

 private:
  void add(std::string_view text) {
    const auto value = parse(text);
    if (!value) {
      return;
    }
    std::string shape;
    if (const auto* object = value->if_object()) {
      json::object keys;
      for (const auto& member : *object) {
        keys[member.key()] = nullptr;
      }
      shape = canonical(keys).str();
    }
    if (shapes_.try_emplace(canonical(*value).str(), shape).second) {
      ++of_shape_[shape];
    }
  }

  std::map<std::string, std::string> shapes_;    // of each value; empty where it is no object
  std::map<std::string, std::size_t> of_shape_;  // how many values
};

class answer_search {
 public:
  answer_search(std::string_view output, std::string_view prompt) : output_(output), prompt_(prompt) {}

  result<parsed_output> find() {
    const auto whole = parse(output_);
    if (whole) {
      if (auto found = accept(*whole, "whole")) {
        return *std::move(found);
      }
    }
    if (auto found = find_in(without_echo())) {
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
  const questions& asked() {
    if (!asked_) {
      asked_.emplace(prompt_);
    }
    return *asked_;
  }

  // The output without the prompt, where the agent printed that too, word for word.
  std::string_view without_echo() {
    const auto prompt = trimmed(prompt_);
    if (prompt.empty() || !asked().any()) {
      return output_;
    }
    const auto* at = static_cast<const char*>(::memmem(output_.data(), output_.size(), prompt.data(), prompt.size()));
    if (at == nullptr) {
      return output_;
    }
    skipped_ = true;
    const auto before = static_cast<std::size_t>(at - output_.data());
    remainder_ = std::string{output_.substr(0, before)} + '\n' + std::string{output_.substr(before + prompt.size())};
    return remainder_;
  }

  std::optional<parsed_output> find_in(std::string_view text) {
    const auto blocks = fenced_blocks(text);
    for (auto at = blocks.rbegin(); at != blocks.rend(); ++at) {
      if (auto found = attempt(trimmed(part(text, *at)), "fenced")) {
        return found;
      }
    }
    bytes_left_ = passes_max * text.size();
    if (auto found = find_balanced(text, quotes::count)) {
      return found;
    }
    bytes_left_ = passes_max * text.size();
    return find_balanced(text, quotes::mean_nothing);  // an odd quote in prose hid it
  }

  // Objects before arrays: "[1]" in prose is a footnote. Then within what is balanced and not JSON.
  std::optional<parsed_output> find_balanced(std::string_view text, quotes as) {
    if (text.size() > bytes_left_) {
      return std::nullopt;
    }
    bytes_left_ -= text.size();
    const auto parts = balanced_parts(text, as);
    for (const char bracket : {'{', '['}) {
      for (auto at = parts.rbegin(); at != parts.rend(); ++at) {
        if (text[at->begin] == bracket) {
          if (auto found = attempt(part(text, *at), "balanced")) {
            return found;
          }
        }
      }
    }
    for (auto at = parts.rbegin(); at != parts.rend(); ++at) {
      if (at->end - at->begin > 2 && !parses(part(text, *at))) {
        if (auto found = find_balanced(text.substr(at->begin + 1, at->end - at->begin - 2), as)) {
          return found;
        }
      }
    }
    return std::nullopt;
  }

  static bool parses(std::string_view text) { return parse(text).has_value(); }

  std::optional<parsed_output> attempt(std::string_view text, const char* found_by) {
    if (tried_++ >= candidates_max) {
      return std::nullopt;
    }
    const auto value = parse(text);
    return value ? accept(*value, found_by) : std::nullopt;
  }

  std::optional<parsed_output> accept(const json::value& value, const char* found_by) {
    auto text = canonical(value);
    if (asked().holds(text.str())) {
      skipped_ = true;
      return std::nullopt;
    }
    return parsed_output{std::move(text), found_by};
  }

  std::string_view output_;
  std::string_view prompt_;
  std::string remainder_;  // of the output, without the prompt
  std::optional<questions> asked_;
  std::size_t tried_ = 0;
  std::size_t bytes_left_ = 0;
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

std::string_view without_mark(std::string_view output) {
  constexpr std::string_view mark = "\xEF\xBB\xBF";  // U+FEFF; RFC 8259, 8.1, lets a reader ignore it
  return output.starts_with(mark) ? output.substr(mark.size()) : output;
}

result<parsed_output> parse_as(output_format format, std::string_view output, std::string_view prompt) {
  switch (format) {
    case output_format::text:
      return parse_text(output);
    case output_format::json:
      return answer_search{without_mark(output), prompt}.find();
    case output_format::jsonl:
      return parse_lines(without_mark(output));
  }
  return parse_text(output);
}

}  // namespace

std::optional<error> lacks_required(const agent_spec& spec, const json_text& value) {
  if (spec.require.empty()) {
    return std::nullopt;
  }
  const auto looked_at = parse(value);
  for (const auto& pointer : spec.require) {
    if (find(looked_at, pointer) == nullptr) {
      return error{error_code::output_invalid,
                   "the output has nothing at " + pointer + ", which agent '" + spec.name.str() + "' requires",
                   "the raw output is kept: troupe output RUN STEP"};
    }
  }
  return std::nullopt;
}

result<parsed_output> parse_output(const agent_spec& spec, std::string_view output, std::string_view prompt) {
  auto parsed = parse_as(spec.parse, output, prompt);
  if (parsed) {
    if (auto lacking = lacks_required(spec, parsed->value)) {
      return *std::move(lacking);
    }
  }
  return parsed;
}

}  // namespace troupe

#include "actors/agent/recognition.hpp"

#include "actors/json/json.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

namespace troupe {
namespace {

namespace json = boost::json;

constexpr std::size_t words_shown_max = 300;

using documents = std::vector<json::value>;

documents lines_of(std::string_view text) {
  documents all;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    if (auto value = parse(text.substr(0, end))) {
      all.push_back(*std::move(value));
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return all;
}

documents document_in(const agent_spec& spec, std::string_view text, std::string_view prompt) {
  agent_spec plain;
  plain.name = spec.name;
  plain.parse = output_format::json;
  const auto found = parse_output(plain, text, prompt);
  return found ? documents{parse(found->value)} : documents{};
}

documents documents_in(const agent_spec& spec, output_format format, std::string_view text, std::string_view prompt) {
  switch (format) {
    case output_format::text:
      return {};
    case output_format::json:
      return document_in(spec, text, prompt);
    case output_format::jsonl:
      return lines_of(text);
  }
  return {};
}

bool holds(const value_test& test, const json::value& of) {
  const auto* found = find(of, test.path);
  if (test.any_of.empty()) {
    return (found != nullptr) == test.exists;
  }
  return found != nullptr && std::ranges::find(test.any_of, canonical(*found)) != test.any_of.end();
}

// What `source` leads to within one document.
std::vector<const json::value*> values_in(const json::value& document, const value_source& source) {
  std::vector<const json::value*> all;
  const auto add = [&](const json::value& from) {
    if (const auto* found = find(from, source.path)) {
      all.push_back(found);
    }
  };
  const auto* place = source.each.empty() ? nullptr : find(document, source.each);
  if (source.each.empty()) {
    add(document);
  } else if (place != nullptr && place->is_array()) {
    std::ranges::for_each(place->get_array(), add);
  } else if (place != nullptr && place->is_object()) {
    std::ranges::for_each(place->get_object(), [&](const auto& member) { add(member.value()); });
  }
  return all;
}

std::vector<const json::value*> values_of(const documents& all, const value_source& source) {
  const auto in = [&](const json::value& document) {
    const bool counts = !source.where || holds(*source.where, document);
    return counts ? values_in(document, source) : std::vector<const json::value*>{};
  };
  const bool from_front = source.line == line_choice::first;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (auto found = in(from_front ? all[i] : all[all.size() - 1 - i]); !found.empty()) {
      return found;
    }
  }
  return {};
}

// A count of tokens: whole, and never negative.
std::optional<std::int64_t> count_of(const json::value& value) {
  constexpr auto most = std::numeric_limits<std::int64_t>::max();
  if (const auto* number = value.if_int64()) {
    return std::max<std::int64_t>(*number, 0);
  }
  if (value.is_uint64()) {
    return most;
  }
  const auto* real = value.if_double();
  if (real == nullptr) {
    return std::nullopt;
  }
  return *real < 9e18 ? static_cast<std::int64_t>(std::llround(std::max(*real, 0.0))) : most;
}

std::optional<std::int64_t> sum_of(const documents& all, const std::vector<value_source>& sources) {
  std::optional<std::int64_t> sum;
  for (const auto& source : sources) {
    for (const auto* value : values_of(all, source)) {
      if (const auto count = count_of(*value)) {
        const auto room = std::numeric_limits<std::int64_t>::max() - sum.value_or(0);
        sum = sum.value_or(0) + std::min(*count, room);
      }
    }
  }
  return sum;
}

std::string text_of(const documents& all, const value_source& source) {
  if (source.empty()) {
    return {};
  }
  const auto found = values_of(all, source);
  if (found.empty()) {
    return {};
  }
  if (source.only_key) {
    const auto* object = found.front()->if_object();
    return object != nullptr && object->size() == 1 ? std::string{object->begin()->key()} : std::string{};
  }
  const auto* text = found.front()->if_string();
  return text != nullptr ? std::string{*text} : std::string{};
}

std::optional<token_usage> usage_of(const agent_spec& spec, const documents& all) {
  const auto& from = spec.reading.usage;
  const auto input = sum_of(all, from.input);
  const auto output = sum_of(all, from.output);
  if (!input && !output) {
    return std::nullopt;
  }
  const auto model = text_of(all, from.model);
  return token_usage{model.empty() ? spec.model : model, input.value_or(0), output.value_or(0)};
}

// Seconds, also broken ones, or a duration as "30s". Nothing where it is neither, or longer than a year.
std::optional<milliseconds> delay_of(const json::value& value) {
  constexpr double longest_s = 365.0 * 86'400.0;
  double seconds = -1;
  if (const auto* text = value.if_string()) {
    const std::string_view written{text->data(), text->size()};
    const auto [stop, failed] = std::from_chars(written.data(), written.data() + written.size(), seconds);
    if (failed != std::errc{} || stop != written.data() + written.size()) {
      return parse_duration(written);
    }
  } else if (value.is_number()) {
    seconds = value.to_number<double>();
  }
  if (!(seconds >= 0 && seconds <= longest_s)) {
    return std::nullopt;
  }
  return milliseconds{std::llround(seconds * 1'000)};
}

std::string hint_of(error_code code) {
  if (code == error_code::auth_required) {
    return "log in with the program itself, or name the variable that holds its key in pass_env";
  }
  if (code == error_code::rate_limited) {
    return "try again later, or let fewer agents of this provider run at once";
  }
  return "see what it printed: troupe output RUN STEP, troupe logs RUN --stderr";
}

// The document that a rule holds of, null where its exit code alone decides. None: it does not hold.
std::optional<const json::value*> document_of(const failure_rule& rule, const documents& all, int code) {
  if (!rule.exit.empty() && std::ranges::find(rule.exit, code) == rule.exit.end()) {
    return std::nullopt;
  }
  if (!rule.test) {
    return all.empty() ? nullptr : &all.back();
  }
  const auto found = std::ranges::find_if(all, [&](const json::value& each) { return holds(*rule.test, each); });
  return found == all.end() ? std::nullopt : std::optional{&*found};
}

// What the rule found, where the output has no words for it.
std::string finding_of(const failure_rule& rule, const json::value* document, int code) {
  const auto* value = rule.test && document != nullptr ? find(*document, rule.test->path) : nullptr;
  std::string text = "it ended with status " + std::to_string(code);
  if (rule.test) {
    const auto shown = value == nullptr ? "missing" : for_display(canonical(*value).str(), words_shown_max);
    text += ", and " + (rule.test->path.empty() ? "its output" : rule.test->path) + " is " + shown;
  }
  return text;
}

error failure_by(const agent_spec& spec, const failure_rule& rule, const json::value* document, int code) {
  const auto at = [&](const std::string& pointer) {
    return pointer.empty() || document == nullptr ? nullptr : find(*document, pointer);
  };
  const auto* words = at(rule.message);
  const auto* text = words != nullptr ? words->if_string() : nullptr;
  auto said =
      text != nullptr ? for_display(std::string_view{text->data(), text->size()}, words_shown_max) : std::string{};
  if (said.empty()) {
    said = finding_of(rule, document, code);
  }
  error why{rule.code, "agent '" + spec.name.str() + "' failed: " + said, hint_of(rule.code), rule.retry_after};
  if (const auto* delay = at(rule.retry_after_path)) {
    const auto told = delay_of(*delay);
    why.retry_after = told ? told : why.retry_after;
  }
  return why;
}

result<parsed_output> answer_in(const agent_spec& spec, const documents& all, std::string_view prompt) {
  const auto found = values_of(all, spec.reading.answer);
  if (found.empty()) {
    const auto& path = spec.reading.answer.path;
    return error{error_code::output_invalid,
                 all.empty() ? "the output of agent '" + spec.name.str() + "' holds no JSON"
                             : "the output of agent '" + spec.name.str() + "' has no answer at '" + path + "'",
                 "the raw output is kept: troupe output RUN STEP; the agent's answer says where it is"};
  }
  const auto* text = found.front()->if_string();
  if (text != nullptr && spec.reading.answer_parse == answer_format::json) {
    agent_spec inner;
    inner.name = spec.name;
    inner.parse = output_format::json;
    inner.require = spec.require;
    return parse_output(inner, std::string_view{text->data(), text->size()}, prompt);
  }
  parsed_output answer{canonical(*found.front()), "answer"};
  if (auto lacking = lacks_required(spec, answer.value)) {
    return *std::move(lacking);
  }
  return answer;
}

}  // namespace

recognised_output recognise(const agent_spec& spec, const exit_facts& facts, std::string_view prompt) {
  recognised_output told;
  const auto& rules = spec.reading;
  if (rules.empty()) {
    return told;
  }
  const auto printed = documents_in(spec, spec.parse, facts.standard_output, prompt);
  const bool looks_at_errors = std::ranges::any_of(
      rules.failures, [](const failure_rule& each) { return each.from == output_stream::standard_error; });
  const auto complained = looks_at_errors ? document_in(spec, facts.standard_error, prompt) : documents{};
  told.usage = usage_of(spec, printed);
  told.session = text_of(printed, rules.session);
  const int code = facts.exit.exit_code.value_or(0);
  for (const auto& rule : rules.failures) {
    const auto& from = rule.from == output_stream::standard_error ? complained : printed;
    if (const auto document = document_of(rule, from, code)) {
      told.failure = failure_by(spec, rule, *document, code);
      return told;
    }
  }
  if (!rules.answer.empty()) {
    told.answer = answer_in(spec, printed, prompt);
  }
  return told;
}

}  // namespace troupe

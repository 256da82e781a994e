#include "runtime/probes.hpp"

#include "actors/crash_orders.hpp"
#include "actors/json/json.hpp"
#include "config/probe_arguments.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <map>
#include <random>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace troupe {
namespace {

namespace json = boost::json;

// One probe, working through the tables of its args into the reply.
class probe_call {
 public:
  probe_call(const probe_arguments& what, const function_request& request, function_reply& reply, crash_orders& crashes)
      : what_(what), request_(request), reply_(reply), crashes_(crashes) {}

  using body = std::optional<error> (probe_call::*)();

  std::optional<error> run(const json::object& args, body what) {
    args_ = &args;
    for (const auto& member : args) {
      if (const std::string_view key = member.key(); !takes(what_, key)) {
        return refuse("has no argument '" + std::string{key} + "'");
      }
    }
    return (this->*what)();
  }

  std::optional<error> set() { return delta("value"); }

  std::optional<error> sleep() {
    const auto ms = number("ms", 0);
    const auto cooperative = flag("cooperative", true);
    if (!ms || *ms < 0 || !cooperative) {
      return refuse("wants ms, a number from 0, and cooperative, a boolean");
    }
    if (*cooperative) {
      static_cast<void>(request_.sleep(milliseconds{*ms}));
    } else {
      std::this_thread::sleep_for(milliseconds{*ms});  // what the probe is for: a function that hears no stop
    }
    if (*cooperative && request_.stop.stop_requested()) {
      return error{error_code::cancelled, "probe.sleep was asked to stop", ""};
    }
    return optional_delta();
  }

  std::optional<error> fail() {
    const auto times = number("times", 1);
    const auto* text = string("message");
    const auto retry_after = number("retry_after_ms", 0);
    const bool has_text = text != nullptr || !args_->contains("message");
    if (!times || *times < 0 || !retry_after || *retry_after < 0 || !has_text) {
      return refuse("wants times and retry_after_ms, numbers from 0, and message, a text");
    }
    const auto code = class_of();
    if (!code) {
      return refuse("wants class: retryable, permanent, degraded, unknown, or the name of an error code");
    }
    if (request_.attempt.value() > *times) {
      return std::nullopt;
    }
    return error{*code, text != nullptr ? std::string{*text} : "probe.fail was asked to fail", ""};
  }

  std::optional<error> echo() {
    json::object back{{"prompt", request_.prompt}, {"args", *args_}};
    reply_.value = canonical(back);
    return optional_delta();
  }

  std::optional<error> log() {
    const auto bytes = number("bytes", 0);
    if (!bytes || *bytes < 0 || *bytes > 1'000'000'000) {
      return refuse("wants bytes, a number from 0 to 1000000000");
    }
    constexpr std::string_view line = "probe.log writes lines of 64 bytes, this one and all that follow\n";
    const auto end = reply_.printed.size() + static_cast<std::size_t>(*bytes);
    while (reply_.printed.size() < end) {
      reply_.printed += line.substr(0, std::min(line.size(), end - reply_.printed.size()));
    }
    return optional_delta();
  }

  std::optional<error> expect() {
    const auto* path = string("path");
    const auto* wanted = args_->if_contains("eq");
    if (path == nullptr || wanted == nullptr) {
      return refuse("wants path, a JSON pointer into the state, and eq, a value");
    }
    const auto state = parse(*request_.state);
    const auto* found = find(state, *path);
    if (found == nullptr || canonical(*found) != canonical(*wanted)) {
      return error{error_code::invalid_input,
                   "probe.expect sees " + (found == nullptr ? "nothing" : canonical(*found).str()) + " at " +
                       std::string{*path} + ", and expects " + canonical(*wanted).str(),
                   ""};
    }
    return optional_delta();
  }

  std::optional<error> rng() {
    const auto draws = number("draws", 1);
    const auto* field = string("field");
    if (!draws || *draws < 1 || *draws > 1'000'000 || field == nullptr) {
      return refuse("wants field, a name, and draws, a number from 1 to 1000000");
    }
    if (!stream_) {
      stream_.emplace(request_.seed);
    }
    json::array numbers;
    for (std::int64_t i = 0; i < *draws; ++i) {
      numbers.emplace_back(static_cast<std::int64_t>((*stream_)() >> 11U));  // 53 bits: exact in every JSON reader
    }
    reply_.deltas.push_back({field_name{std::string{*field}}, canonical(numbers)});
    return std::nullopt;
  }

  std::optional<error> usage() {
    const auto* model = string("model");
    const auto in = number("input_tokens", 0);
    const auto out = number("output_tokens", 0);
    if (model == nullptr || !in || !out || *in < 0 || *out < 0) {
      return refuse("wants model, a name, and input_tokens and output_tokens, numbers from 0");
    }
    reply_.usage = token_usage{std::string{*model}, *in, *out};
    return optional_delta();
  }

  // Several tables name one route, in their order.
  std::optional<error> route() {
    const auto* to = args_->if_contains("to");
    const json::array names = to != nullptr && to->is_array() ? to->get_array()
                              : to != nullptr                 ? json::array{*to}
                                                              : json::array{json::value{}};
    if (!std::ranges::all_of(names, [](const json::value& each) { return each.is_string(); })) {
      return refuse("wants to, the name of a step or a list of names");
    }
    auto& taken = reply_.route ? *reply_.route : reply_.route.emplace();
    for (const auto& each : names) {
      taken.emplace_back(std::string{each.get_string()});
    }
    return std::nullopt;
  }

  std::optional<error> crash() {
    const auto* name = string("point");
    const auto point = name != nullptr ? crash_point_from(*name) : std::nullopt;
    const auto on_attempt = number("on_attempt", 1);
    if (!point || !on_attempt || *on_attempt < 1) {
      return refuse("wants point (" + points() + ") and on_attempt, a number from 1");
    }
    if (request_.attempt.value() == *on_attempt) {
      order(*point);
    }
    return optional_delta();
  }

  /// The work is done; the reply is still ours.
  void finish() {
    if (dies_after_) {
      crashes_.die();
    }
  }

 private:
  static std::string points() {
    std::string all;
    for (const auto& [point, name] : crash_points) {
      all += (all.empty() ? "" : ", ") + std::string{name};
    }
    return all;
  }

  void order(crash_point where) {
    switch (where) {
      case crash_point::before_execute:
        crashes_.die();
        return;
      case crash_point::after_execute:
        dies_after_ = true;
        return;
      case crash_point::in_transaction:
      case crash_point::after_commit:
      case crash_point::in_publish:
        crashes_.order(request_.task, request_.attempt, where);
        return;
    }
  }

  error refuse(const std::string& what) const {
    return {error_code::invalid_input, std::string{what_.probe} + ' ' + what, "its arguments: " + listed(what_)};
  }

  const json::string* string(std::string_view key) const {
    const auto* value = args_->if_contains(key);
    return value == nullptr ? nullptr : value->if_string();
  }

  std::optional<std::int64_t> number(std::string_view key, std::int64_t otherwise) const {
    const auto* value = args_->if_contains(key);
    if (value == nullptr) {
      return otherwise;
    }
    const auto* whole = value->if_int64();
    return whole == nullptr ? std::nullopt : std::optional{*whole};
  }

  std::optional<bool> flag(std::string_view key, bool otherwise) const {
    const auto* value = args_->if_contains(key);
    if (value == nullptr) {
      return otherwise;
    }
    const auto* known = value->if_bool();
    return known == nullptr ? std::nullopt : std::optional{*known};
  }

  std::optional<error> delta(std::string_view key) {
    const auto* field = string("field");
    const auto* value = args_->if_contains(key);
    if (field == nullptr || value == nullptr) {
      return refuse("wants field, a name, and value");
    }
    reply_.deltas.push_back({field_name{std::string{*field}}, canonical(*value)});
    return std::nullopt;
  }

  std::optional<error> optional_delta() {
    return args_->contains("field") || args_->contains("value") ? delta("value") : std::nullopt;
  }

  // Each class by an error code that belongs to it (requirements RT-3).
  std::optional<error_code> class_of() const {
    constexpr std::array<std::pair<std::string_view, error_code>, 4> classes{
        {{"retryable", error_code::provider_unavailable},
         {"permanent", error_code::invalid_input},
         {"degraded", error_code::quorum_not_met},
         {"unknown", error_code::agent_exit}}};
    const auto* wanted = string("class");
    if (wanted == nullptr) {
      return args_->contains("class") ? std::nullopt : std::optional{error_code::provider_unavailable};
    }
    const auto* found = std::ranges::find(classes, std::string_view{*wanted}, &decltype(classes)::value_type::first);
    return found != classes.end() ? std::optional{found->second} : error_code_from(*wanted);
  }

  const probe_arguments& what_;
  const function_request& request_;
  function_reply& reply_;
  crash_orders& crashes_;
  bool dies_after_ = false;
  const json::object* args_ = nullptr;
  std::optional<std::mt19937_64> stream_;  // The attempt's own: its sequence is fixed by the standard (C++20, 28.5.6).
};

probe_call::body body_of(std::string_view probe) {
  const std::map<std::string_view, probe_call::body> bodies{{"probe.set", &probe_call::set},
                                                            {"probe.append", &probe_call::set},
                                                            {"probe.add", &probe_call::set},
                                                            {"probe.sleep", &probe_call::sleep},
                                                            {"probe.fail", &probe_call::fail},
                                                            {"probe.echo", &probe_call::echo},
                                                            {"probe.log", &probe_call::log},
                                                            {"probe.expect", &probe_call::expect},
                                                            {"probe.rng", &probe_call::rng},
                                                            {"probe.usage", &probe_call::usage},
                                                            {"probe.route", &probe_call::route},
                                                            {"probe.crash", &probe_call::crash}};
  return bodies.at(probe);
}

result<function_reply> call(const probe_arguments& which,
                            probe_call::body body,
                            const function_request& request,
                            crash_orders& crashes) {
  function_reply reply;
  const auto args = parse(request.args);
  probe_call calling{which, request, reply, crashes};
  const auto one = args.is_null() ? json::value(json::object{}) : args;
  const auto tables = one.is_array() ? one.get_array() : json::array{one};
  for (const auto& table : tables) {
    if (!table.is_object()) {
      return error{error_code::invalid_input,
                   std::string{which.probe} + " wants args to be a table or a list of tables",
                   "for example: args = { field = \"x\", value = 1 }"};
    }
    if (auto why = calling.run(table.get_object(), body)) {
      return *std::move(why);
    }
  }
  if (!reply.value && reply.deltas.empty()) {
    reply.value = json_text{};
  }
  calling.finish();
  return reply;
}

}  // namespace

function_table probe_functions(const std::shared_ptr<crash_orders>& crashes) {
  function_table table;
  for (const auto& each : known_probes) {
    table[std::string{each.probe}] = [&each, body = body_of(each.probe), crashes](const function_request& request) {
      return call(each, body, request, *crashes);
    };
  }
  return table;
}

}  // namespace troupe

#include "runtime/json/node_json.hpp"

#include "runtime/json/json_writer.hpp"
#include "runtime/json/members.hpp"

#include <boost/json/array.hpp>

#include <optional>

namespace troupe {
namespace {

std::optional<std::int64_t> unless_zero(std::int64_t number) {
  return number == 0 ? std::nullopt : std::optional{number};
}

std::string children_json(const std::vector<child_view>& children) {
  list_writer list;
  for (const auto& each : children) {
    list.raw(child_json(each));
  }
  return list.str();
}

child_state state_in(const boost::json::object& from) {
  const auto name = text_in(from, "state");
  for (const auto each : {child_state::running, child_state::stopping, child_state::restarting}) {
    if (name == to_string(each)) {
      return each;
    }
  }
  return child_state::ended;
}

std::vector<child_view> children_in(const boost::json::object& from) {
  std::vector<child_view> all;
  const auto* const list = from.if_contains("children");
  if (list == nullptr || !list->is_array()) {
    return all;
  }
  for (const auto& each : list->get_array()) {
    if (!each.is_object()) {
      continue;
    }
    const auto& object = each.get_object();
    auto& child = all.emplace_back();
    child.name = text_in(object, "name");
    child.state = state_in(object);
    child.restarts = number_in(object, "restarts");
    child.last_reason = text_in(object, "last_reason");
    child.answers = truth_in(object, "answers");
    child.age = milliseconds{number_in(object, "age_ms")};
    child.waiting = number_in(object, "waiting");
    child.step = step_id{text_in(object, "step")};
    child.attempt = attempt_no{number_in(object, "attempt")};
    child.pid = number_in(object, "pid");
    child.children = children_in(object);
  }
  return all;
}

}  // namespace

std::string child_json(const child_view& child) {
  object_writer object;
  object.text("name", child.name).text("state", to_string(child.state)).number("restarts", child.restarts);
  object.text_or_null("last_reason", child.last_reason).boolean("answers", child.answers);
  object.number_or_null("age_ms", child.answers ? std::optional{child.age.count()} : std::nullopt);
  object.number_or_null("waiting", child.answers ? std::optional{child.waiting} : std::nullopt);
  object.text_or_null("step", child.step.str()).number_or_null("attempt", unless_zero(child.attempt.value()));
  object.number_or_null("pid", unless_zero(child.pid));
  return object.raw("children", children_json(child.children)).str();
}

std::string tree_json(const tree_view& tree, std::int64_t pid) {
  return object_writer{}.number("pid", pid).raw("children", children_json(tree.children)).str();
}

std::string health_json(const health_view& health) {
  list_writer actors;
  for (const auto& each : health.actors) {
    actors.raw(object_writer{}
                   .text("name", each.name)
                   .boolean("well", each.well)
                   .time("last_answer", each.last_answer)
                   .number("latency_us", each.latency.count())
                   .number("waiting", each.waiting)
                   .str());
  }
  list_writer jobs;
  for (const auto& each : health.jobs) {
    jobs.raw(object_writer{}
                 .text("name", each.name)
                 .boolean("well", each.well)
                 .time("last_success", each.last_success)
                 .str());
  }
  return object_writer{}
      .boolean("healthy", health.healthy())
      .time("looked_at", health.looked_at)
      .raw("actors", actors.str())
      .raw("jobs", jobs.str())
      .str();
}

result<node_tree> read_tree(std::string_view json) {
  const auto object = object_of(json, "children");
  if (!object) {
    return object.error();
  }
  return node_tree{{children_in(*object)}, number_in(*object, "pid")};
}

result<health_view> read_health(std::string_view json) {
  const auto object = object_of(json, "healthy");
  if (!object) {
    return object.error();
  }
  health_view health;
  for_each_in(*object, "actors", [&](const boost::json::object& each) {
    auto& actor = health.actors.emplace_back();
    actor.name = text_in(each, "name");
    actor.well = truth_in(each, "well");
    actor.waiting = number_in(each, "waiting");
  });
  for_each_in(*object, "jobs", [&](const boost::json::object& each) {
    health.jobs.push_back({text_in(each, "name"), truth_in(each, "well"), std::nullopt});
  });
  return health;
}

}  // namespace troupe

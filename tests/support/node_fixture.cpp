#include "tests/support/node_fixture.hpp"

#include "config/workflow_inputs.hpp"

#include <algorithm>
#include <filesystem>
#include <utility>

namespace troupe {

run_listener run_recorder::listener() {
  run_listener listener;
  listener.events = [to = shared_](const event_batch& batch) {
    const std::scoped_lock lock{to->guard};
    to->events.insert(to->events.end(), batch.begin(), batch.end());
    to->changed.notify_all();
  };
  listener.progress = [to = shared_](const task_progress& progress) {
    const std::scoped_lock lock{to->guard};
    to->progress.push_back(progress);
    to->changed.notify_all();
  };
  listener.stopped = [to = shared_](const error& why) {
    const std::scoped_lock lock{to->guard};
    to->stopped = why;
    to->changed.notify_all();
  };
  return listener;
}

bool run_recorder::wait_for(event_kind kind, const std::string& step, std::chrono::seconds patience) {
  std::unique_lock lock{shared_->guard};
  return shared_->changed.wait_for(lock, patience, [&] {
    return std::ranges::any_of(shared_->events, [&](const event& fact) {
      return fact.kind == kind && (step.empty() || (fact.step && fact.step->str() == step));
    });
  });
}

bool run_recorder::wait_for_end(std::chrono::seconds patience) {
  std::unique_lock lock{shared_->guard};
  return shared_->changed.wait_for(lock, patience, [&] {
    return shared_->stopped || (!shared_->events.empty() && ends_run(shared_->events.back().kind));
  });
}

event_batch run_recorder::events() const {
  const std::scoped_lock lock{shared_->guard};
  return shared_->events;
}

std::vector<std::string> run_recorder::kinds() const {
  std::vector<std::string> kinds;
  for (const auto& fact : events()) {
    kinds.emplace_back(to_string(fact.kind));
  }
  return kinds;
}

std::vector<task_progress> run_recorder::progress() const {
  const std::scoped_lock lock{shared_->guard};
  return shared_->progress;
}

std::optional<error> run_recorder::stopped() const {
  const std::scoped_lock lock{shared_->guard};
  return shared_->stopped;
}

std::unique_ptr<node> node_fixture::start_node(const std::string& config, function_table functions) {
  config_ = config;
  functions_ = functions;
  config_sources sources;
  sources.files.push_back({(folder_ / "troupe.toml").string(), config, true});
  sources.environment["TROUPE_RETRY__AGENT__MAX_ATTEMPTS"] = "1";  // unless a test is about retries
  sources.assignments.push_back("storage.path=" + database_path());
  sources.assignments.emplace_back("runtime.custodian=" TROUPE_CUSTODIAN_PATH);
  sources.working_directory = folder_.path();
  const auto loaded = load_config(sources);
  for (const auto& each : loaded.problems) {
    ADD_FAILURE() << each.key << ": " << each.message;
  }
  auto started = node::start({loaded.values, std::move(functions)});
  if (!started) {
    ADD_FAILURE() << started.error().message;
    return nullptr;
  }
  return *std::move(started);
}

std::unique_ptr<node> node_fixture::start_node_anew(const std::string& config, function_table functions) {
  for (const auto* end : {"", "-wal", "-shm"}) {
    std::filesystem::remove(database_path() + end);
  }
  return start_node(config, std::move(functions));
}

workflow_ptr node_fixture::flow(const std::string& toml) {
  const auto loaded = parse_workflow(toml, "test.toml", "");
  for (const auto& each : loaded.problems) {
    ADD_FAILURE() << each.at.line << ':' << each.at.column << ": " << each.message;
  }
  return loaded.flow;
}

run_view node_fixture::run_to_end(node& in, const std::string& toml, const std::string& inputs) {
  submission what;
  what.flow = flow(toml);
  what.inputs = json_text{inputs};
  const auto run = in.submit(what);
  if (!run) {
    ADD_FAILURE() << run.error().message;
    return {};
  }
  recorder_ = run_recorder{};
  in.subscribe(run->run, event_seq{0}, recorder_.listener());
  EXPECT_TRUE(recorder_.wait_for_end());
  const auto view = in.find_run(run->run);
  EXPECT_TRUE(view.has_value());
  return view ? *view : run_view{};
}

}  // namespace troupe

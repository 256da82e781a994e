#include "runtime/observe/log.hpp"

#include "actors/log_place.hpp"
#include "config/setting_codec.hpp"
#include "messages/base/time.hpp"
#include "runtime/json/json_writer.hpp"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

namespace troupe {
namespace {

class json_formatter final : public spdlog::formatter {
 public:
  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& into) override {
    const auto level = spdlog::level::to_string_view(message.level);
    object_writer object;
    object.time("time", std::chrono::time_point_cast<std::chrono::microseconds>(message.time))
        .text("level", std::string_view{level.data(), level.size()})
        .text("message", std::string_view{message.payload.data(), message.payload.size()});
    if (const auto* const place = current_log_place()) {
      add(object, *place);
    }
    const std::string line = object.str() + '\n';
    into.append(line.data(), line.data() + line.size());
  }

  std::unique_ptr<spdlog::formatter> clone() const override { return std::make_unique<json_formatter>(); }

 private:
  static void add(object_writer& object, const log_place& place) {
    for (const auto& [name, value] : {std::pair{"run", &place.run.str()},
                                      std::pair{"step", &place.step.str()},
                                      std::pair{"task", &place.task.str()}}) {
      if (!value->empty()) {
        object.text(name, *value);
      }
    }
    if (place.attempt != attempt_no{}) {
      object.number("attempt", place.attempt.value());
    }
  }
};

// A task's name holds its run and its step.
std::string human_text(const log_place& place) {
  std::string text = place.task.empty() ? place.run.str() : place.task.str();
  if (place.task.empty() && !place.step.empty()) {
    text += (text.empty() ? "" : "/") + place.step.str();
  }
  if (place.attempt != attempt_no{}) {
    text += ", attempt " + std::to_string(place.attempt.value());
  }
  return text;
}

/// At the end of a line, where it is known: ` (r-1/2/ask/claude, attempt 2)`.
class place_flag final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg&, const std::tm&, spdlog::memory_buf_t& into) override {
    const auto* const place = current_log_place();
    if (place != nullptr && !place->empty()) {
      const auto text = " (" + human_text(*place) + ')';
      into.append(text.data(), text.data() + text.size());
    }
  }

  std::unique_ptr<spdlog::custom_flag_formatter> clone() const override { return std::make_unique<place_flag>(); }
};

std::unique_ptr<spdlog::formatter> human_formatter() {
  auto formatter = std::make_unique<spdlog::pattern_formatter>();
  formatter->add_flag<place_flag>('*').set_pattern("%H:%M:%S.%e %l: %v%*");
  return formatter;
}

class writer_sink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit writer_sink(log_writer writer) : writer_(std::move(writer)) {}

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    if (!writer_) {
      return;
    }
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    writer_({line.data(), line.size()});
  }

  void flush_() override {}

 private:
  log_writer writer_;
};

/// Hands every line to a sink that can be replaced while others log.
class changing_sink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  /// Afterwards nobody is in the one before. What that holds ends with the call, on this thread.
  void pass_to(spdlog::sink_ptr next) {
    const std::scoped_lock lock{mutex_};
    behind_.swap(next);
  }

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override { behind_->log(message); }
  void flush_() override { behind_->flush(); }

 private:
  spdlog::sink_ptr behind_ = std::make_shared<writer_sink>(log_writer{});
};

spdlog::level::level_enum level_of(log_level level) noexcept {
  switch (level) {
    case log_level::trace:
      return spdlog::level::trace;
    case log_level::debug:
      return spdlog::level::debug;
    case log_level::info:
      return spdlog::level::info;
    case log_level::warn:
      return spdlog::level::warn;
    case log_level::error:
      return spdlog::level::err;
    case log_level::off:
      return spdlog::level::off;
  }
  return spdlog::level::info;
}

constexpr int by_settings = -1;
std::mutex choosing;             // so that the level that was chosen last is the one in force
int chosen_level = by_settings;  // by set_log_level

spdlog::level::level_enum level_to_begin_with(const log_settings& with) noexcept {
  return level_of(chosen_level == by_settings ? with.level : static_cast<log_level>(chosen_level));
}

// spdlog hands its default logger out as a bare pointer: replacing it takes it from under whoever logs at that moment. So
// there is one for good, and only where its lines go is replaced.
const std::shared_ptr<changing_sink>& the_sink() {
  static const auto only = std::make_shared<changing_sink>();
  return only;
}

const std::shared_ptr<spdlog::logger>& the_logger() {
  static const auto only = [] {
    auto made = std::make_shared<spdlog::logger>("troupe", the_sink());
    made->flush_on(spdlog::level::warn);
    return made;
  }();
  return only;
}

void install(const log_settings& with, spdlog::sink_ptr sink) {
  if (with.format == log_format::json) {
    sink->set_formatter(std::make_unique<json_formatter>());
  } else {
    sink->set_formatter(human_formatter());
  }
  const std::scoped_lock lock{choosing};
  the_logger()->set_level(level_to_begin_with(with));
  the_sink()->pass_to(std::move(sink));
  if (spdlog::default_logger_raw() != the_logger().get()) {
    spdlog::set_default_logger(the_logger());
  }
}

}  // namespace

std::string_view to_string(log_level level) noexcept {
  return choice_names<log_level>[static_cast<std::size_t>(level)];
}

std::optional<log_level> log_level_from(std::string_view name) noexcept {
  const auto& names = choice_names<log_level>;
  const auto found = std::ranges::find(names, name);
  return found == names.end() ? std::nullopt : std::optional{static_cast<log_level>(found - names.begin())};
}

std::vector<std::string> log_level_names() { return {choice_names<log_level>.begin(), choice_names<log_level>.end()}; }

void set_log_level(log_level level) {
  const std::scoped_lock lock{choosing};
  chosen_level = static_cast<int>(level);
  spdlog::default_logger()->set_level(level_of(level));
}

void start_log(const log_settings& with, log_writer to_stderr) {
  if (with.file.empty()) {
    if (!to_stderr) {
      const std::scoped_lock lock{choosing};
      chosen_level = by_settings;
    }
    install(with, std::make_shared<writer_sink>(std::move(to_stderr)));
    return;
  }
  try {
    install(with, std::make_shared<spdlog::sinks::basic_file_sink_mt>(with.file));
  } catch (const spdlog::spdlog_ex& fault) {
    install(with, std::make_shared<writer_sink>(std::move(to_stderr)));
    spdlog::warn("the log goes to stderr: {}", fault.what());
  }
}

}  // namespace troupe

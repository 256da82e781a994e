#include "runtime/observe/log.hpp"

#include "messages/base/time.hpp"
#include "runtime/json/json_writer.hpp"

#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

namespace troupe {
namespace {

class line_formatter final : public spdlog::formatter {
 public:
  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& into) override {
    const auto level = spdlog::level::to_string_view(message.level);
    const std::string line = object_writer{}
                                 .time("time", std::chrono::time_point_cast<std::chrono::microseconds>(message.time))
                                 .text("level", std::string_view{level.data(), level.size()})
                                 .text("message", std::string_view{message.payload.data(), message.payload.size()})
                                 .str() +
                             '\n';
    into.append(line.data(), line.data() + line.size());
  }

  std::unique_ptr<spdlog::formatter> clone() const override { return std::make_unique<line_formatter>(); }
};

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

void install(const log_settings& with, spdlog::sink_ptr sink) {
  if (with.format == log_format::json) {
    sink->set_formatter(std::make_unique<line_formatter>());
  } else {
    sink->set_pattern("%H:%M:%S.%e %l: %v");
  }
  auto logger = std::make_shared<spdlog::logger>("troupe", std::move(sink));
  logger->set_level(level_of(with.level));
  logger->flush_on(spdlog::level::warn);
  spdlog::set_default_logger(std::move(logger));
}

}  // namespace

void start_log(const log_settings& with, log_writer to_stderr) {
  if (with.file.empty()) {
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

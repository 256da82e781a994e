// What the end of a request over HTTP comes to. Pure; by status and by fields of the answer that have a meaning, never
// by words in a text. docs/http-agents.md has the table.
#pragma once

#include "actors/agent/http_port.hpp"
#include "messages/attempt.hpp"
#include "messages/run.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace troupe {

/// `body` is what was committed of the answer. Not for an attempt that we stopped: who stopped it knows why.
task_outcome judge_http(const attempt_order& order, const http_end& end, std::string_view body);

/// How long to wait, by `retry-after-ms` or `Retry-After` in seconds or as a date; a date counts from the answer's own
/// `Date`, so that clocks need not agree. At most 30 days; none if nothing readable is said.
std::optional<milliseconds> retry_after_of(const http_end& end);

/// Whether a header of an answer tells about the provider or the answer, and nothing about who asked. Small letters.
bool tells_about_provider(std::string_view header) noexcept;

/// The status and those headers that tell about the provider, a line each: kept beside the answer, as a command's
/// standard error is.
std::string head_of(const http_end& end);

}  // namespace troupe

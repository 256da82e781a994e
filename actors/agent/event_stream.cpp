#include "actors/agent/event_stream.hpp"

#include <utility>

namespace troupe {

std::vector<std::string> event_stream::feed(std::string_view bytes) {
  std::vector<std::string> done;
  while (!bytes.empty()) {
    if (std::exchange(after_return_, false) && bytes.front() == '\n') {
      bytes.remove_prefix(1);
      continue;
    }
    const auto end = bytes.find_first_of("\r\n");
    line_ += bytes.substr(0, end);
    if (end == std::string_view::npos) {
      break;
    }
    after_return_ = bytes[end] == '\r';
    bytes.remove_prefix(end + 1);
    take_line(line_, done);
    line_.clear();
  }
  return done;
}

std::optional<std::string> event_stream::rest() {
  std::vector<std::string> none;
  if (!line_.empty()) {
    take_line(line_, none);
    line_.clear();
  }
  return std::exchange(data_, std::nullopt);
}

void event_stream::take_line(std::string_view line, std::vector<std::string>& done) {
  constexpr std::string_view mark = "\xEF\xBB\xBF";  // U+FEFF
  if (std::exchange(at_start_, false) && line.starts_with(mark)) {
    line.remove_prefix(mark.size());
  }
  if (line.empty()) {
    if (data_) {
      done.push_back(*std::exchange(data_, std::nullopt));
    }
    return;
  }
  const auto colon = line.find(':');
  if (line.substr(0, colon) != "data") {
    return;
  }
  auto value = colon == std::string_view::npos ? std::string_view{} : line.substr(colon + 1);
  if (value.starts_with(' ')) {
    value.remove_prefix(1);
  }
  if (data_) {
    *data_ += '\n';
    *data_ += value;
  } else {
    data_ = value;
  }
}

}  // namespace troupe

#include "runtime/os/line_watch.hpp"

namespace troupe {
namespace {

constexpr std::size_t line_bytes_max = 200;
constexpr std::string_view line_ends = "\r\n";

}  // namespace

bool line_watch::take(std::string_view bytes) {
  bool is_newer = false;
  while (true) {  // each round jumps to the last whole line: few rounds, whatever the number of lines
    const auto end = bytes.find_first_of(line_ends);
    const auto piece = bytes.substr(0, end);
    partial_.append(piece.substr(0, line_bytes_max - partial_.size()));
    if (end == std::string_view::npos) {
      return is_newer;
    }
    if (!partial_.empty()) {
      newest_.swap(partial_);
      partial_.clear();
      is_newer = true;
    }
    bytes.remove_prefix(end + 1);
    const auto last_end = bytes.find_last_of(line_ends);
    if (last_end != std::string_view::npos && last_end > 0) {
      const auto before = bytes.find_last_of(line_ends, last_end - 1);
      bytes.remove_prefix(before == std::string_view::npos ? 0 : before + 1);
    }
  }
}

}  // namespace troupe

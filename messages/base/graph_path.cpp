#include "messages/base/graph_path.hpp"

#include "messages/base/sha256.hpp"

#include <algorithm>
#include <charconv>

namespace troupe {
namespace {

template <class Number>
bool read_number(std::string_view& text, Number& into) {
  const bool canonical = !text.empty() && (text.front() != '0' || text.size() == 1 || text[1] == '.' || text[1] == '*');
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), into);
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return canonical && failed == std::errc{};
}

}  // namespace

graph_path graph_path::then(std::uint32_t index) const {
  graph_path longer = *this;
  if (longer.stretches_.empty() || longer.stretches_.back().index != index) {
    longer.stretches_.push_back({index, 0});
  }
  ++longer.stretches_.back().count;
  return longer;
}

std::uint64_t graph_path::length() const noexcept {
  std::uint64_t sum = 0;
  for (const auto& each : stretches_) {
    sum += each.count;
  }
  return sum;
}

std::string graph_path::str() const {
  std::string text;
  for (const auto& each : stretches_) {
    text += text.empty() ? "" : ".";
    text += std::to_string(each.index);
    text += each.count > 1 ? '*' + std::to_string(each.count) : "";
  }
  return text;
}

std::optional<graph_path> graph_path::from(std::string_view text) {
  graph_path path;
  while (!text.empty()) {
    stretch next{0, 1};
    bool good = read_number(text, next.index);
    if (good && text.starts_with('*')) {
      text.remove_prefix(1);
      good = read_number(text, next.count) && next.count > 1;
    }
    if (!good || (!path.stretches_.empty() && path.stretches_.back().index == next.index)) {
      return std::nullopt;
    }
    path.stretches_.push_back(next);
    if (!text.empty() && (!text.starts_with('.') || text.size() == 1)) {
      return std::nullopt;
    }
    text.remove_prefix(text.empty() ? 0 : 1);
  }
  return path;
}

std::uint64_t graph_path::key() const {
  std::string bytes;
  for (const auto& each : stretches_) {
    const auto digits = std::to_string(each.index);
    std::string element(8, '\0');
    element.back() = static_cast<char>(digits.size());
    element += digits;
    for (std::uint64_t i = 0; i < each.count; ++i) {
      bytes += element;
    }
  }
  const auto digest = sha256(bytes);
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < 8; ++i) {
    number = (number << 8U) | digest[i];
  }
  return number;
}

std::strong_ordering operator<=>(const graph_path& a, const graph_path& b) noexcept {
  auto left = a.stretches_.begin();
  auto right = b.stretches_.begin();
  std::uint64_t used_left = 0;  // of the stretch that each has come to
  std::uint64_t used_right = 0;
  while (left != a.stretches_.end() && right != b.stretches_.end()) {
    if (left->index != right->index) {
      return left->index <=> right->index;
    }
    const auto both = std::min(left->count - used_left, right->count - used_right);
    used_left += both;
    used_right += both;
    if (used_left == left->count) {
      ++left;
      used_left = 0;
    }
    if (used_right == right->count) {
      ++right;
      used_right = 0;
    }
  }
  return (left != a.stretches_.end()) <=> (right != b.stretches_.end());
}

}  // namespace troupe

#include "actors/json/difference.hpp"

#include "actors/json/json.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <algorithm>
#include <set>
#include <string_view>

namespace troupe {
namespace {

std::string below(const std::string& pointer, std::string_view name) {
  auto longer = pointer + '/';
  for (const char letter : name) {  // RFC 6901, section 3
    longer += letter == '~' ? "~0" : letter == '/' ? "~1" : std::string(1, letter);
  }
  return longer;
}

class comparison {
 public:
  void compare(const std::string& pointer, const boost::json::value* left, const boost::json::value* right) {
    if (left != nullptr && right != nullptr) {
      if (left->is_object() && right->is_object()) {
        compare_members(pointer, left->get_object(), right->get_object());
        return;
      }
      if (left->is_array() && right->is_array()) {
        compare_elements(pointer, left->get_array(), right->get_array());
        return;
      }
    }
    auto was = text_of(left);
    auto is = text_of(right);
    if (was != is) {
      found.push_back({pointer, std::move(was), std::move(is)});
    }
  }

  std::vector<json_difference> found;

 private:
  static std::optional<json_text> text_of(const boost::json::value* value) {
    return value == nullptr ? std::nullopt : std::optional{canonical(*value)};
  }

  void compare_members(const std::string& pointer, const boost::json::object& left, const boost::json::object& right) {
    std::set<std::string_view> names;
    for (const auto& member : left) {
      names.insert(std::string_view{member.key()});
    }
    for (const auto& member : right) {
      names.insert(std::string_view{member.key()});
    }
    for (const auto name : names) {
      const boost::json::string_view key{name.data(), name.size()};
      compare(below(pointer, name), left.if_contains(key), right.if_contains(key));
    }
  }

  void compare_elements(const std::string& pointer, const boost::json::array& left, const boost::json::array& right) {
    for (std::size_t i = 0; i < std::max(left.size(), right.size()); ++i) {
      compare(pointer + '/' + std::to_string(i),
              i < left.size() ? &left[i] : nullptr,
              i < right.size() ? &right[i] : nullptr);
    }
  }
};

}  // namespace

std::vector<json_difference> differences(const boost::json::value& left, const boost::json::value& right) {
  comparison made;
  made.compare("", &left, &right);
  return std::move(made.found);
}

}  // namespace troupe

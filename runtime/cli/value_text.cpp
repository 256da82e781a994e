#include "runtime/cli/value_text.hpp"

#include "actors/json/json.hpp"
#include "runtime/cli/json_parts.hpp"
#include "runtime/cli/printed_text.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <algorithm>

namespace troupe {
namespace {

constexpr std::size_t short_text_max = 60;

std::string scalar_text(const boost::json::value& value) {
  return value.is_string() ? printable(std::string_view{value.get_string()}) : canonical(value).str();
}

std::string indented_by(int columns, const std::string& lines) {
  const std::string indent(static_cast<std::size_t>(columns), ' ');
  std::string text;
  for (std::size_t at = 0; at < lines.size();) {
    const std::size_t end = std::min(lines.find('\n', at), lines.size());
    text += end > at ? indent : std::string{};
    text += lines.substr(at, end - at) + '\n';
    at = end + 1;
  }
  return text;
}

/// Something about a line of a file, as compilers, linters and reviewers say it.
bool is_finding(const boost::json::value& value) {
  const boost::json::value* line = member(value, "line");
  return line != nullptr && line->is_number() && !text_member(value, "file").empty() &&
         !text_member(value, "message").empty();
}

ink ink_of_severity(std::string_view severity) noexcept {
  if (severity == "error") {
    return ink::red;
  }
  return severity == "warning" ? ink::yellow : ink::cyan;
}

/// The rule is the finder's own; it is left out where several found the same.
std::string finding_text(const boost::json::value& value, bool with_rule, const style& look) {
  std::string place = text_member(value, "file") + ':' + canonical(*member(value, "line")).str();
  if (const auto column = number_member(value, "column")) {
    place += ':' + std::to_string(*column);
  }
  std::string text = look.paint(ink::bold, printable(place) + ':') + ' ';
  if (const std::string severity = printable(text_member(value, "severity")); !severity.empty()) {
    text += look.paint(ink_of_severity(severity), severity + ':') + ' ';
  }
  text += printable(text_member(value, "message"));
  if (const std::string rule = text_member(value, "rule"); with_rule && !rule.empty()) {
    text += look.paint(ink::dim, " [" + printable(rule) + ']');
  }
  return text;
}

const std::vector<std::string>& givers_of(const boost::json::value& value, const value_look& with) {
  static const std::vector<std::string> nobody;
  const auto found = with.givers.find(canonical(value).str());
  return found == with.givers.end() ? nobody : found->second;
}

std::string givers_text(const boost::json::value& value, const value_look& with) {
  std::string names;
  for (const std::string& each : givers_of(value, with)) {
    names += (names.empty() ? "" : ", ") + each;
  }
  return names.empty() ? names : with.look.paint(ink::cyan, " (" + names + ')');
}

std::string element_text(const boost::json::value& value, const value_look& with) {
  if (is_finding(value)) {
    return finding_text(value, givers_of(value, with).size() < 2, with.look) + givers_text(value, with) + '\n';
  }
  if (is_short(value)) {
    return "- " + scalar_text(value) + givers_text(value, with) + '\n';
  }
  std::string lines = indented_by(2, value_text(value, with));
  if (lines.starts_with("  ")) {
    lines[0] = '-';
  }
  if (const std::string givers = givers_text(value, with); !givers.empty()) {
    lines.insert(std::min(lines.find('\n'), lines.size()), givers);
  }
  return lines;
}

std::string list_text(const boost::json::array& list, const value_look& with) {
  std::string text;
  const std::size_t shown = with.elements_max == 0 ? list.size() : std::min(list.size(), with.elements_max);
  for (std::size_t i = 0; i < shown; ++i) {
    text += element_text(list[i], with);
  }
  if (shown < list.size()) {
    text += with.look.paint(ink::dim, "and " + std::to_string(list.size() - shown) + " more") + '\n';
  }
  return text;
}

std::string object_text(const boost::json::object& object, const value_look& with) {
  std::string text;
  for (const auto& each : object) {
    const std::string key = with.look.paint(ink::bold, printable(std::string_view{each.key()}) + ':');
    if (is_short(each.value())) {
      text += key + ' ' + scalar_text(each.value()) + '\n';
    } else {
      text += key + '\n' + indented_by(2, value_text(each.value(), with));
    }
  }
  return text;
}

}  // namespace

bool is_short(const boost::json::value& value) {
  if (value.is_string()) {
    const std::string_view text = value.get_string();
    return text.size() <= short_text_max && text.find('\n') == std::string_view::npos;
  }
  if (value.is_array()) {
    return value.get_array().empty();
  }
  return value.is_object() ? value.get_object().empty() : true;
}

std::string value_text(const boost::json::value& value, const value_look& with) {
  if (value.is_array() && !value.get_array().empty()) {
    return list_text(value.get_array(), with);
  }
  if (value.is_object() && !value.get_object().empty()) {
    return object_text(value.get_object(), with);
  }
  if (value.is_string()) {
    return printable_lines(value.get_string());
  }
  return scalar_text(value) + '\n';
}

}  // namespace troupe

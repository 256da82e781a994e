#include "messages/base/json_fields.hpp"

#include <algorithm>
#include <compare>
#include <span>
#include <utility>

namespace troupe {
namespace {

bool is_plain(std::string_view quoted) { return quoted.find('\\') == std::string_view::npos; }

std::string_view inside(std::string_view quoted) { return quoted.substr(1, quoted.size() - 2); }

std::string name_in(std::string_view quoted) {
  return is_plain(quoted) ? std::string{inside(quoted)} : decode_string(quoted).value_or("");
}

// By code point, which is the order of UTF-8, but not that of escapes.
std::strong_ordering compare(std::string_view quoted, std::string_view name) {
  return is_plain(quoted) ? inside(quoted) <=> name : std::string_view{name_in(quoted)} <=> name;
}

std::strong_ordering compare_quoted(std::string_view a, std::string_view b) {
  return is_plain(b) ? compare(a, inside(b)) : compare(a, name_in(b));
}

// The text of an object while its members come one after the other.
class object_writer {
 public:
  explicit object_writer(std::size_t bytes) {
    text_.reserve(bytes);
    text_ += '{';
  }

  void add(std::string_view name, std::string_view value) {
    separate();
    member_place at;
    at.name = text_.size();
    append_json_string(text_, name);
    text_ += ':';
    at.value = text_.size();
    text_ += value;
    at.end = text_.size();
    members_.push_back(at);
  }

  // Members that follow each other in `from`, with what is between them.
  void add(std::string_view from, std::span<const member_place> members) {
    if (members.empty()) {
      return;
    }
    separate();
    const auto begin = members.front().name;
    const auto here = text_.size();
    text_ += from.substr(begin, members.back().end - begin);
    for (const auto& at : members) {
      members_.push_back({at.name - begin + here, at.value - begin + here, at.end - begin + here});
    }
  }

  std::pair<json_text, std::vector<member_place>> finish() {
    text_ += '}';
    return {json_text{std::move(text_)}, std::move(members_)};
  }

 private:
  void separate() {
    if (!members_.empty()) {
      text_ += ',';
    }
  }

  std::string text_;
  std::vector<member_place> members_;
};

}  // namespace

std::optional<json_fields> json_fields::from(json_text object) {
  auto members = find_members(object.str());
  if (!members) {
    return std::nullopt;
  }
  json_fields made{std::move(object), *std::move(members)};
  const auto& all = made.members_;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto name = made.quoted_name(all[i]);
    const bool is_name = is_plain(name) || decode_string(name);
    if (!is_name || (i > 0 && compare_quoted(made.quoted_name(all[i - 1]), name) >= 0)) {
      return std::nullopt;
    }
  }
  return made;
}

std::string_view json_fields::quoted_name(const member_place& at) const {
  return std::string_view{text_.str()}.substr(at.name, at.value - 1 - at.name);
}

std::string_view json_fields::value(const member_place& at) const {
  return std::string_view{text_.str()}.substr(at.value, at.end - at.value);
}

std::size_t json_fields::first_not_before(std::string_view name) const {
  const auto found = std::ranges::partition_point(
      members_, [&](const member_place& at) { return compare(quoted_name(at), name) < 0; });
  return static_cast<std::size_t>(found - members_.begin());
}

std::optional<std::string_view> json_fields::find(std::string_view name) const {
  const auto at = first_not_before(name);
  const bool is_there = at < members_.size() && compare(quoted_name(members_[at]), name) == 0;
  return is_there ? std::optional{value(members_[at])} : std::nullopt;
}

json_fields::changes json_fields::changes_to(const json_fields& after) const {
  changes found;
  std::size_t left = 0;
  std::size_t right = 0;
  while (left < members_.size() || right < after.members_.size()) {
    const auto was = left < members_.size() ? quoted_name(members_[left]) : std::string_view{};
    const auto is = right < after.members_.size() ? after.quoted_name(after.members_[right]) : std::string_view{};
    const auto order = was == is     ? std::strong_ordering::equal
                       : was.empty() ? std::strong_ordering::greater
                       : is.empty()  ? std::strong_ordering::less
                                     : compare_quoted(was, is);
    if (order < 0) {
      found.emplace(name_in(was), std::nullopt);
    } else if (order > 0 || value(members_[left]) != after.value(after.members_[right])) {
      found.emplace(name_in(is), after.value(after.members_[right]));
    }
    left += order <= 0 ? 1 : 0;
    right += order >= 0 ? 1 : 0;
  }
  return found;
}

json_fields json_fields::with(const changes& what) const {
  std::size_t bytes = text_.str().size();
  for (const auto& [name, value] : what) {
    bytes += value ? name.size() + value->size() + 4 : 0;
  }
  object_writer out{bytes};
  const std::span all{members_};
  std::size_t next = 0;
  for (const auto& [name, value] : what) {
    const auto at = first_not_before(name);
    out.add(text_.str(), all.subspan(next, at - next));
    const bool is_there = at < members_.size() && compare(quoted_name(members_[at]), name) == 0;
    next = at + (is_there ? 1 : 0);
    if (value) {
      out.add(name, *value);
    }
  }
  out.add(text_.str(), all.subspan(next));
  auto [text, members] = out.finish();
  return json_fields{std::move(text), std::move(members)};
}

}  // namespace troupe

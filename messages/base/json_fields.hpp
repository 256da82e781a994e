// A large JSON object of which little changes at a time: the state of a run.
#pragma once

#include "messages/base/json_slices.hpp"
#include "messages/base/json_text.hpp"

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// An object as its canonical text and the places of its members in it. One member is read, or replaced, without a look
/// into the others: what changes a field of a state costs a copy of the text, and no parsing. Never changes itself.
class json_fields {
 public:
  /// Name to the canonical text of the new value; none: the member goes. The texts are the caller's.
  using changes = std::map<std::string, std::optional<std::string_view>, std::less<>>;

  /// `{}`
  json_fields() : text_("{}") {}

  /// None: `object` is not an object in canonical form, as far as its outermost level shows.
  static std::optional<json_fields> from(json_text object);

  const json_text& text() const noexcept { return text_; }
  std::size_t size() const noexcept { return members_.size(); }

  /// The text of the member's value, a view into text(). None: there is no such member.
  std::optional<std::string_view> find(std::string_view name) const;

  /// What makes `after` of this object: views into `after`.
  changes changes_to(const json_fields& after) const;

  json_fields with(const changes& what) const;

 private:
  explicit json_fields(json_text text, std::vector<member_place> members)
      : text_(std::move(text)), members_(std::move(members)) {}

  std::string_view quoted_name(const member_place& at) const;
  std::string_view value(const member_place& at) const;
  std::size_t first_not_before(std::string_view name) const;

  json_text text_;
  std::vector<member_place> members_;  // in the order of their names
};

}  // namespace troupe

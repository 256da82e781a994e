#include "actors/json/opened_fields.hpp"

#include "actors/json/json.hpp"
#include "messages/base/invariant.hpp"

#include <algorithm>

namespace troupe {

opened_fields opened_fields::of(const json_text& object) {
  auto fields = json_fields::from(object);
  invariant(fields.has_value(), "it is an object in canonical form");
  return opened_fields{*std::move(fields)};
}

const boost::json::value* opened_fields::find(std::string_view pointer) const {
  if (pointer.empty()) {
    if (!whole_) {
      whole_ = parse(text());
    }
    return &*whole_;
  }
  const auto name = first_name(pointer);
  const auto* value = name ? member(*name) : nullptr;
  return value == nullptr ? nullptr
                          : troupe::find(*value, pointer.substr(std::min(pointer.find('/', 1), pointer.size())));
}

const boost::json::value* opened_fields::member(const std::string& name) const {
  const auto known = opened_.find(name);
  if (known != opened_.end()) {
    return &known->second;
  }
  const auto text = fields_.find(name);
  return text ? &opened_.emplace(name, parse_canonical(*text)).first->second : nullptr;
}

}  // namespace troupe

// [prices."MODEL"] in the layers of configuration.
#include "config/config_layers.hpp"
#include "config/toml_text.hpp"

#include <algorithm>
#include <utility>

namespace troupe {

const setting_facts* find_price_key(std::string_view name) noexcept {
  const auto keys = price_keys();
  const auto found = std::find_if(keys.begin(), keys.end(), [&](const auto& key) { return key.name == name; });
  return found == keys.end() ? nullptr : &*found;
}

std::string path_of_price(std::string_view model) { return "prices." + toml_key(model); }

void config_layers::apply_prices(const toml_member& prices, const origin& from, problem_sink& sink) {
  const auto* members = prices.value.as<toml_table>();
  if (members == nullptr) {
    sink.error(prices.value.begin, prices.key, "'prices' must be a table; write [prices.\"MODEL\"]");
    return;
  }
  for (const auto& member : members->members) {
    if (member.key.empty()) {
      sink.error(member.at, "prices", "a model has a name", "write [prices.\"MODEL\"]");
    } else {
      apply_price(member, from, sink);
    }
  }
}

void config_layers::apply_price(const toml_member& price, const origin& from, problem_sink& sink) {
  const auto path = path_of_price(price.key);
  const auto* members = price.value.as<toml_table>();
  if (members == nullptr) {
    sink.error(price.value.begin,
               path,
               "'" + path + "' must be a table; this is " + std::string{kind_name(price.value)},
               "write { input = 3, output = 15 }; a name with a dot in it needs quotes");
    return;
  }
  auto& amounts = values_.prices[price.key];
  if (!out_.positions.contains(path)) {
    note(path, price.at, from);
  }
  const auto keys = price_keys();
  for (const auto& member : members->members) {
    const std::string full_key = path + '.' + member.key;
    const auto key = std::find_if(keys.begin(), keys.end(), [&](const auto& each) { return each.name == member.key; });
    if (key == keys.end()) {
      std::vector<std::string> names;
      for (const auto& each : keys) {
        names.emplace_back(each.name);
      }
      sink.error(member.at, full_key, "unknown key '" + member.key + "'", suggestion(member.key, names));
    } else if (key->read(amounts, *key, {member.value, full_key, sink}, from.paths)) {
      note(full_key, member.value.begin, from);
    }
  }
}

// What is not known must not count as free.
void config_layers::check_prices() {
  std::vector<problem> found;
  for (const auto& [model, price] : values_.prices) {
    const auto path = path_of_price(model);
    const bool has_mistake = std::any_of(out_.problems.begin(), out_.problems.end(), [&](const problem& each) {
      return each.weight == problem::severity::error && each.key.starts_with(path + '.');
    });
    for (const auto& key : price_keys()) {
      if (!has_mistake && !out_.origins.contains(path + '.' + std::string{key.name})) {
        found.push_back({problem::severity::error,
                         error_code::invalid_config,
                         out_.positions.find(path),
                         path + '.' + std::string{key.name},
                         "the price of '" + model + "' has no '" + std::string{key.name} + "'",
                         "write 0 where it costs nothing"});
      }
    }
  }
  keep(std::move(found));
}

}  // namespace troupe

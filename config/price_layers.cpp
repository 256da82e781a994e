// [prices."MODEL"] in the layers of configuration.
#include "config/config_layers.hpp"
#include "config/toml_text.hpp"

#include <algorithm>
#include <utility>

namespace troupe {

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
  const std::string hint = "write { input = 3, output = 15 }; a name with a dot in it needs quotes";
  if (const auto* members = table_in(price, path, hint, sink)) {
    note_first(path, price.at, from);
    const auto any = [](std::string_view) { return true; };
    apply_keys(price_keys(), any, values_.prices[price.key], *members, path, from, sink);
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

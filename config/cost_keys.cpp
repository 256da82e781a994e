// The table of prices. A new key is a member in messages/cost.hpp and a line here.
#include "config/setting_codec.hpp"

namespace troupe {
namespace {

// Also the bound of the arithmetic in actors/agent/pricing.cpp.
constexpr double price_max_usd = 1e6;

constexpr std::array price_table_keys{
    make_setting_key<token_price, &token_price::input>(
        {.name = "input", .numbers = {0, price_max_usd}, .doc = "A million tokens of prompts."}),
    make_setting_key<token_price, &token_price::output>(
        {.name = "output", .numbers = {0, price_max_usd}, .doc = "A million tokens of answers."}),
};

}  // namespace

std::span<const setting_key<token_price>> price_keys() noexcept { return price_table_keys; }

}  // namespace troupe

#include "storage/provider_use.hpp"

namespace troupe {

provider_use use_of(statement_cache& sql, const provider_name& provider, timestamp minute_from, timestamp day_from) {
  provider_use use{provider, 0, {}};
  {
    auto row = sql.use(
        "SELECT count(*) FROM attempts WHERE provider = ? AND started_at >= ? AND error_code IS NOT 'RATE_LIMITED'",
        provider,
        day_from);
    use.requests_today = row.step() ? row.number(0) : 0;
  }
  auto row = sql.use(
      "SELECT started_at, coalesce(input_tokens, input_estimate, 0), coalesce(output_tokens, output_estimate, 0)"
      " FROM attempts WHERE provider = ? AND started_at >= ? AND error_code IS NOT 'RATE_LIMITED' ORDER BY started_at",
      provider,
      minute_from);
  while (row.step()) {
    use.last_minute.push_back({row.time(0), {row.number(1), row.number(2)}});
  }
  return use;
}

}  // namespace troupe

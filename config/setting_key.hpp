// What one key of troupe.toml is: name, type, range, meaning, and how it gets into its struct and out again. Parsing,
// `config show`, the schema, the reference file and docs/configuration.md all come from tables of these.
#pragma once

#include "config/settings.hpp"
#include "config/toml_values.hpp"

#include <span>
#include <string>
#include <string_view>
#include <type_traits>

namespace troupe {

enum class value_kind {
  integer,
  boolean,
  duration,
  duration_or_off,
  time_of_day,
  size,  ///< Bytes.
  text,
  path,  ///< Made absolute.
  choice,
  command,  ///< Program and arguments; a program with a slash in it is a path.
  texts,
  pointers,  ///< RFC 6901.
  integers,
  number,          ///< With a fraction.
  variable_names,  ///< Of the environment.
  variables,       ///< Names and values of the same.
  retry,           ///< A table with retry_keys().
  breaker,         ///< A table with breaker_keys().
  headers,         ///< Of HTTP: names and values.
  source,          ///< Where in an output a value is.
  usage,           ///< Where the tokens are.
  failures,        ///< What of an output means which error.
  money,           ///< USD, at most six decimal places.
};

/// When a changed value counts: for everything that begins after the change, or only in a new process.
enum class takes_effect { live, restart };

struct number_range {
  double min = 0;
  double max = 1;
};

struct setting_facts {
  std::string_view name;   ///< `writer.max_batch`; in an agent's table `command`.
  integer_range range{};   ///< Inclusive; in milliseconds for a duration, in bytes for a size.
  number_range numbers{};  ///< Inclusive; of value_kind::number.
  bool may_be_empty = true;
  takes_effect effect = takes_effect::restart;
  std::string_view shown_default{};  ///< Instead of the value, where that depends on the machine.
  std::string_view doc;              ///< One sentence.
  value_kind kind = value_kind::integer;
  std::span<const std::string_view> choices{};
};

/// What relative paths count from, and what `~/` stands for.
struct path_context {
  std::string folder;  ///< Absolute.
  std::string home;    ///< Empty if unknown.
};

std::string absolute_path(std::string_view written, const path_context& paths);

template <class Owner>
struct setting_key : setting_facts {
  /// False after a complaint; the owner is then unchanged.
  bool (*read)(Owner& into, const setting_facts& facts, const toml_value_ref& value, const path_context& paths);
  toml_node (*write)(const Owner& from);
};

/// In the order of the documentation. Names have two parts; the first is the table.
std::span<const setting_key<settings>> settings_keys() noexcept;

/// The keys of `[agents.NAME]`; all but `kind` and `adapter_key` are keys of `[adapters.NAME]` too.
std::span<const setting_key<agent_spec>> agent_keys() noexcept;

/// The keys of `[providers.NAME]`, of its `breaker`, and of each table of `[retry]`.
std::span<const setting_key<provider_spec>> provider_keys() noexcept;
std::span<const setting_key<breaker_spec>> breaker_keys() noexcept;
std::span<const setting_key<retry_policy>> retry_keys() noexcept;
/// The keys of `[prices."MODEL"]`.
std::span<const setting_key<token_price>> price_keys() noexcept;
/// Says where the keys come from that an agent does not give itself. A run is pinned to these, and not to the name.
inline constexpr std::string_view adapter_key = "adapter";
bool is_adapters_key(std::string_view name) noexcept;

/// `integer, 1 to 65536`, `duration, 0ms to 1h`, `"full" or "normal"`: for people.
std::string type_text(const setting_facts& facts);

/// The default as a file spells it. `value` is what `write` makes of a new owner.
std::string default_text(const setting_facts& facts, const toml_node& value);

/// `TROUPE_WRITER__MAX_BATCH` of `writer.max_batch`.
std::string variable_of(std::string_view key);

/// Tables of the format that this version refuses.
std::span<const std::string_view> later_tables() noexcept;

}  // namespace troupe

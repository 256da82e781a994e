// Arguments and options that several commands have, so that they are named and explained the same everywhere.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace troupe {

void add_workflow_argument(CLI::App& command, std::string& target);
void add_run_argument(CLI::App& command, std::string& target, bool required = true);

/// A word that has to be there, or may be absent.
CLI::Option& add_argument(CLI::App& command, const char* name, std::string& target, const char* what);
CLI::Option& add_argument(CLI::App& command, const char* name, std::optional<std::string>& target, const char* what);

CLI::Option& add_text(
    CLI::App& command, const char* names, std::optional<std::string>& target, const char* kind, const char* what);
/// May be repeated.
CLI::Option& add_texts(
    CLI::App& command, const char* names, std::vector<std::string>& target, const char* kind, const char* what);
/// One of `choices`; anything else is refused.
CLI::Option& add_choice(CLI::App& command,
                        const char* names,
                        std::optional<std::string>& target,
                        const std::vector<std::string>& choices,
                        const char* what);
/// A whole number from `least`.
CLI::Option& add_number(
    CLI::App& command, const char* names, std::int64_t& target, std::int64_t least, const char* kind, const char* what);
/// What completion offers for it (value_kind), in place of its name.
void set_kind(CLI::Option& option, const char* kind);

CLI::Option& add_flag(CLI::App& command, const char* names, bool& target, const char* what);

}  // namespace troupe

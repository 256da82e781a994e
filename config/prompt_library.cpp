#include "config/file_text.hpp"
#include "config/toml_text.hpp"
#include "config/workflow_parser.hpp"

#include <filesystem>
#include <utility>

namespace troupe {

void prompt_library::add_inlined(const toml_value_ref& table, std::string_view source) {
  const auto* members = read_table(table);
  if (members == nullptr) {
    return;
  }
  has_table_ = true;
  for (const auto& member : members->members) {
    const toml_value_ref value{member.value, table.path + '.' + member.key, table.sink};
    if (auto text = read_text(value)) {
      prompt inlined{std::move(*text),
                     table.sink.position(member.value.begin),
                     raw_text(source, member.value.begin, member.value.end)};
      entries_.insert_or_assign(member.key, entry{std::move(inlined), member.at, false, false});
    }
  }
}

std::optional<prompt_library::prompt> prompt_library::find(const toml_value_ref& name) {
  const auto file = read_text(name);
  if (!file) {
    return std::nullopt;
  }
  if (const auto known = entries_.find(*file); known != entries_.end()) {
    known->second.is_used = true;
    return known->second.text;
  }
  if (has_table_) {
    return name.refuse("names '" + *file + "', which is not in [prompt_files]",
                       "with that table in the file, no prompt is read from disk");
  }
  const std::string path = (std::filesystem::path{folder_} / *file).lexically_normal().string();
  auto content = read_file_text(path);
  if (!content.text) {
    return name.refuse("names '" + path + "', which cannot be read: " + content.why);
  }
  if (repair_utf8(*content.text) != *content.text) {
    return name.refuse("names '" + path + "', which is not UTF-8");
  }
  if (content.text->find('\0') != std::string::npos) {
    return name.refuse("names '" + path + "', which holds a NUL character");
  }
  prompt read{*content.text, {path, 1, 1}, *content.text};
  entries_.insert_or_assign(*file, entry{read, {}, true, true});
  return read;
}

std::string prompt_library::inlined_table() const {
  std::string out;
  for (const auto& [name, held] : entries_) {
    if (held.from_disk) {
      out += toml_key(name) + " = " + toml_string(held.text.text) + '\n';
    }
  }
  return out.empty() ? out : "\n[prompt_files]\n" + out;
}

void prompt_library::finish(problem_sink& sink) const {
  for (const auto& [name, held] : entries_) {
    if (!held.is_used) {
      sink.error(held.at, "prompt_files." + name, "no step has prompt_file = " + toml_string(name), "take it out");
    }
  }
}

}  // namespace troupe

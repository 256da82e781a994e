#include "config/file_text.hpp"
#include "config/toml_text.hpp"
#include "config/workflow_parser.hpp"

#include <algorithm>
#include <filesystem>
#include <utility>

namespace troupe {
namespace {

constexpr std::size_t depth_max = 8;

std::string chain_text(const std::vector<std::string>& files, const std::string& last) {
  std::string text;
  for (const auto& file : files) {
    text += std::filesystem::path{file}.filename().string() + " -> ";
  }
  return text + std::filesystem::path{last}.filename().string();
}

}  // namespace

void workflow_library::add_inlined(const toml_value_ref& table) {
  const auto* members = read_table(table);
  if (members == nullptr) {
    return;
  }
  has_table_ = true;
  for (const auto& member : members->members) {
    const toml_value_ref value{member.value, table.path + '.' + member.key, table.sink};
    if (auto text = read_text(value)) {
      texts_.insert_or_assign(member.key, std::move(*text));
      entries_[member.key].at = member.at;
    }
  }
}

const loaded_workflow* workflow_library::find(const toml_value_ref& name) {
  const auto file = read_text(name);
  if (!file) {
    return nullptr;
  }
  const auto known = entries_.find(*file);
  if (known != entries_.end() && known->second.is_used) {
    return &known->second.loaded;
  }
  if (has_table_ && known == entries_.end()) {
    name.refuse("names '" + *file + "', which is not in [workflow_files]",
                "with that table in the file, no workflow is read from disk");
    return nullptr;
  }
  if (reading_.files.size() > depth_max || *reading_.files_left == 0) {
    name.refuse("leads too deep: " + (*reading_.files_left == 0 ? "too many files" : chain_text(reading_.files, *file)),
                "a workflow may lead to others, at most " + std::to_string(depth_max) + " deep");
    return nullptr;
  }
  --*reading_.files_left;
  return read(name, *file);
}

const loaded_workflow* workflow_library::read(const toml_value_ref& name, const std::string& file) {
  auto reading = reading_;
  if (has_table_) {
    reading.files.push_back(file);
    auto& held = entries_.at(file);
    held.loaded = parse_workflow_in(texts_.at(file), file, {}, std::move(reading));
    held.is_used = true;
    return &held.loaded;
  }
  const auto path = (std::filesystem::path{folder_} / file).lexically_normal();
  const auto identity = file_identity(path.string());
  if (std::ranges::find(reading.files, identity) != reading.files.end()) {
    name.refuse("leads back to itself: " + chain_text(reading.files, identity),
                "a loop belongs into one workflow; there it has a limit");
    return nullptr;
  }
  const auto content = read_file_text(path.string());
  if (!content.text) {
    name.refuse("names '" + path.string() + "', which cannot be read: " + content.why);
    return nullptr;
  }
  reading.files.push_back(identity);
  auto& held = entries_[file];
  held.loaded = parse_workflow_in(*content.text, path.string(), path.parent_path().string(), std::move(reading));
  held.from_disk = true;
  held.is_used = true;
  return &held.loaded;
}

std::string workflow_library::inlined_table() const {
  std::string out;
  for (const auto& [name, held] : entries_) {
    if (held.from_disk && held.loaded.draft != nullptr) {
      out += toml_key(name) + " = " + toml_string(held.loaded.draft->source) + '\n';
    }
  }
  return out.empty() ? out : "\n[workflow_files]\n" + out;
}

void workflow_library::finish(problem_sink& sink) const {
  for (const auto& [name, held] : entries_) {
    if (!held.is_used) {
      sink.error(held.at, "workflow_files." + name, "no map has workflow = " + toml_string(name), "take it out");
    }
  }
}

}  // namespace troupe

#include "runtime/cli/run_inputs.hpp"

#include "actors/json/json.hpp"
#include "config/file_text.hpp"
#include "config/toml_text.hpp"

#include <boost/json/object.hpp>

#include <iostream>
#include <sstream>

namespace troupe {
namespace {

using inputs = std::map<std::string, json_text>;

error refused(std::string message, std::string hint = {}) {
  return {.code = error_code::invalid_input, .message = std::move(message), .hint = std::move(hint)};
}

result<inputs> from_json(const std::string& text, const std::string& name) {
  const auto value = parse(text);
  if (!value) {
    return refused(name + ": " + value.error().message);
  }
  if (!value->is_object()) {
    return refused(name + ": the inputs are one JSON object", "as {\"topic\": \"parsers\"}");
  }
  inputs given;
  for (const auto& member : value->get_object()) {
    given.emplace(member.key(), canonical(member.value()));
  }
  return given;
}

result<inputs> from_toml(const std::string& text, const std::string& name) {
  const toml_document document = parse_toml(text, name, error_code::invalid_input);
  if (document.fault) {
    return refused(name + ':' + std::to_string(document.fault->at.line) + ": " + document.fault->message,
                   document.fault->hint);
  }
  inputs given;
  for (const toml_member& member : document.root.members) {
    if (find_not_finite(member.value) != nullptr) {
      return refused(name + ": '" + member.key + "' holds inf or nan, which JSON does not have");
    }
    given.emplace(member.key, to_json(member.value));
  }
  return given;
}

result<inputs> from_file(const std::string& path) {
  if (path == "-") {
    std::ostringstream text;
    text << std::cin.rdbuf();
    return from_json(text.str(), "standard input");
  }
  const file_text file = read_file_text(path);
  if (!file.text) {
    return refused("cannot read " + path + ": " + file.why);
  }
  return path.ends_with(".toml") ? from_toml(*file.text, path) : from_json(*file.text, path);
}

std::optional<error> put(inputs& given, const std::string& name, json_text value) {
  if (given.emplace(name, std::move(value)).second) {
    return std::nullopt;
  }
  return refused("input '" + name + "' is given twice",
                 "say it once; a list is --input '" + name + ":=[\"a\", \"b\"]'");
}

std::optional<error> take(inputs& given, const std::string& assignment) {
  const std::size_t equals = assignment.find('=');
  if (equals == std::string::npos || equals == 0) {
    return refused("'" + assignment + "' is not NAME=VALUE",
                   "write --input topic=parsers, or --input 'files:=[\"a.cpp\"]' for JSON");
  }
  const bool json = assignment[equals - 1] == ':';
  const std::string name = assignment.substr(0, json ? equals - 1 : equals);
  const std::string text = assignment.substr(equals + 1);
  if (!json) {
    return put(given, name, json_text{json_string(text)});
  }
  const auto value = parse(text);
  if (!value) {
    return refused("--input " + name + ":= takes JSON: " + value.error().message,
                   "write --input " + name + "=VALUE for a text");
  }
  return put(given, name, canonical(*value));
}

}  // namespace

result<inputs> read_inputs(const std::vector<std::string>& assignments, const std::optional<std::string>& file) {
  inputs given;
  if (file) {
    auto read = from_file(*file);
    if (!read) {
      return read.error();
    }
    given = *std::move(read);
  }
  inputs named;  // these win over the file's, and each is said once
  for (const std::string& each : assignments) {
    if (auto why = take(named, each)) {
      return *std::move(why);
    }
  }
  for (auto& [name, value] : named) {
    given.insert_or_assign(name, std::move(value));
  }
  return given;
}

}  // namespace troupe

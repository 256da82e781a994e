#include "actors/run/template_rendering.hpp"

#include "actors/json/json.hpp"
#include "actors/json/opened_fields.hpp"
#include "config/template_text.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <algorithm>
#include <optional>
#include <span>

namespace troupe {
namespace {

namespace json = boost::json;

error unknown(const template_piece& reference) {
  return {error_code::invalid_input,
          "the prompt names " + reference.text + ", and there is no such value",
          "declare it under [inputs] or [state], or let an earlier step give it"};
}

const json::value* child_of(const json::value& value, const std::string& name) {
  if (const auto* object = value.if_object()) {
    return object->if_contains(name);
  }
  const auto* list = value.if_array();
  const bool is_index = name.size() < 10 && std::ranges::all_of(name, [](char c) { return c >= '0' && c <= '9'; }) &&
                        (name == "0" || !name.starts_with('0'));
  return list != nullptr && !name.empty() && is_index ? list->if_contains(std::stoul(name)) : nullptr;
}

const json::value* walk(const json::value& from, std::span<const std::string> path) {
  const auto* at = &from;
  for (const auto& name : path) {
    at = child_of(*at, name);
    if (at == nullptr) {
      return nullptr;
    }
  }
  return at;
}

// Parsed when first named: a prompt without placeholders costs nothing, whatever the size of the state.
class documents {
 public:
  explicit documents(const prompt_names& names) : names_(names) {}

  std::optional<std::string> look_up(const std::vector<std::string>& path) {
    const std::span rest{path.begin() + 1, path.end()};
    if (path.front() == "inputs") {
      return text_of(walk(opened(inputs_, names_.inputs), rest));
    }
    if (path.front() == "state") {
      return in_state(rest);
    }
    if (names_.item != nullptr && path.front() == names_.item_name) {
      return text_of(walk(opened(item_, *names_.item), rest));
    }
    if (path.size() == 1 && path.front() == "outputs" && names_.outputs != nullptr) {
      return names_.outputs->str();
    }
    if (path.size() == 2 && path.front() == "run") {
      return path[1] == "id"        ? std::optional{names_.run.str()}
             : path[1] == "subject" ? std::optional{names_.subject}
                                    : std::nullopt;
    }
    return path.size() == 2 && path.front() == "step" && path[1] == "id" ? std::optional{names_.step.str()}
                                                                         : std::nullopt;
  }

 private:
  std::optional<std::string> in_state(std::span<const std::string> path) {
    if (path.empty()) {
      return names_.state.str();
    }
    if (!state_) {
      state_ = opened_fields::of(names_.state);
    }
    const auto* member = state_->member(path.front());
    return member == nullptr ? std::nullopt : text_of(walk(*member, path.subspan(1)));
  }

  static const json::value& opened(std::optional<json::value>& slot, const json_text& text) {
    if (!slot) {
      slot = parse(text);
    }
    return *slot;
  }

  static std::optional<std::string> text_of(const json::value* value) {
    if (value == nullptr) {
      return std::nullopt;
    }
    if (const auto* text = value->if_string()) {
      return std::string{*text};
    }
    return canonical(*value).str();
  }

  const prompt_names& names_;
  std::optional<json::value> inputs_;
  std::optional<opened_fields> state_;
  std::optional<json::value> item_;
};

}  // namespace

result<std::string> render_prompt(std::string_view prompt, const prompt_names& names) {
  const auto parsed = parse_template(prompt);
  if (!parsed.faults.empty()) {
    const auto& fault = parsed.faults.front();
    return error{error_code::invalid_input, fault.message, fault.hint};
  }
  documents look{names};
  std::string out;
  for (const auto& piece : parsed.pieces) {
    if (piece.is == template_piece::kind::literal) {
      out += piece.text;
    } else if (auto text = look.look_up(piece.path)) {
      out += *text;
    } else {
      return unknown(piece);
    }
  }
  return out;
}

}  // namespace troupe

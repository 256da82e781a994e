#include "runtime/json/error_json.hpp"

#include "actors/json/json.hpp"
#include "runtime/json/json_writer.hpp"

namespace troupe {
namespace {

object_writer error_members(const error& what, const error_place& where) {
  object_writer object;
  object.text("code", to_string(what.code)).text("message", what.message).text_or_null("hint", what.hint);
  object.text_or_null("run", where.run ? where.run->str() : "");
  object.text_or_null("step", where.step ? where.step->str() : "");
  return object;
}

std::optional<std::int64_t> from_one(int place) {
  return place > 0 ? std::optional<std::int64_t>{place} : std::nullopt;
}

}  // namespace

std::string error_json(const error& what, const error_place& where) { return error_members(what, where).str(); }

std::string error_document(const error& what, const error_place& where, std::span<const problem> problems) {
  object_writer inner = error_members(what, where);
  if (!problems.empty()) {
    inner.raw("problems", problems_json(problems));
  }
  return object_writer{}.raw("error", inner.str()).str();
}

error read_error_document(std::string_view document) {
  const auto value = parse(document);
  const auto text = [&](std::string_view pointer) {
    const auto* const found = value ? find(*value, pointer) : nullptr;
    return found != nullptr && found->is_string() ? std::string{std::string_view{found->get_string()}} : std::string{};
  };
  const auto code = error_code_from(text("/error/code"));
  if (!code) {
    return {error_code::internal, "the running process refused: " + std::string{document}, "see its log"};
  }
  return {*code, text("/error/message"), text("/error/hint")};
}

std::string problem_json(const problem& found) {
  const bool error = found.weight == problem::severity::error;
  return object_writer{}
      .text_or_null("file", found.at.file)
      .number_or_null("line", from_one(found.at.line))
      .number_or_null("column", from_one(found.at.column))
      .text("severity", error ? "error" : "warning")
      .text("code", to_string(found.code))
      .text_or_null("key", found.key)
      .text("message", found.message)
      .text_or_null("hint", found.hint)
      .str();
}

std::string problems_json(std::span<const problem> found) {
  list_writer list;
  for (const problem& each : found) {
    list.raw(problem_json(each));
  }
  return list.str();
}

}  // namespace troupe

#include "actors/database_writer/large_outputs.hpp"

namespace troupe {
namespace {

std::shared_ptr<const std::string> if_large(const std::shared_ptr<const std::string>& stream, std::size_t limit) {
  return stream && stream->size() > limit ? stream : nullptr;
}

}  // namespace

std::optional<put_blobs> streams_above(const write_command& command, std::size_t inline_limit) {
  const auto* const told = std::get_if<record_output>(&command);
  if (told == nullptr) {
    return std::nullopt;
  }
  put_blobs large{if_large(told->standard_output, inline_limit), if_large(told->standard_error, inline_limit)};
  return large.standard_output || large.standard_error ? std::optional{std::move(large)} : std::nullopt;
}

std::shared_ptr<const write_command> with_blobs(const write_command& command, const output_blobs& blobs) {
  auto told = std::get<record_output>(command);
  told.blobs = blobs;
  return std::make_shared<const write_command>(std::move(told));
}

}  // namespace troupe

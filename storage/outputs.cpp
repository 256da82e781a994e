#include "storage/outputs.hpp"

#include "messages/base/sha256.hpp"
#include "storage/blobs.hpp"
#include "storage/stored_names.hpp"
#include "storage/tasks.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

namespace troupe {
namespace {

std::string_view bytes_of(const std::shared_ptr<const std::string>& stream) {
  return stream ? std::string_view{*stream} : std::string_view{};
}

/// Never less than what was kept.
std::int64_t printed_of(const std::shared_ptr<const std::string>& stream, std::int64_t told) {
  return std::max(static_cast<std::int64_t>(bytes_of(stream).size()), told);
}

// One stream as the row has it: bytes, or the hash of the file that has them.
struct stored_stream {
  std::optional<borrowed_blob> bytes;
  std::optional<std::string> hash;
  std::int64_t kept = 0;
  std::int64_t printed = 0;
};

stored_stream stream_of(run_change& change,
                        const std::shared_ptr<const std::string>& stream,
                        const std::optional<blob_ref>& blob,
                        std::int64_t printed) {
  stored_stream stored;
  stored.kept = static_cast<std::int64_t>(bytes_of(stream).size());
  stored.printed = printed_of(stream, printed);
  if (!blob) {
    stored.bytes = borrowed_blob{bytes_of(stream)};
    return stored;
  }
  stored.hash = to_hex(blob->digest);
  change.sql().run("INSERT INTO blobs (hash, bytes, created_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                   *stored.hash,
                   blob->bytes,
                   change.at());
  return stored;
}

void insert_output(run_change& change, const record_output& told) {
  const auto out = stream_of(change, told.standard_output, told.blobs.standard_output, told.standard_output_bytes);
  const auto err = stream_of(change, told.standard_error, told.blobs.standard_error, told.standard_error_bytes);
  change.sql().run(
      "INSERT INTO attempt_output (task_id, attempt, stdout, stdout_hash, stdout_kept, stdout_printed, stderr,"
      " stderr_hash, stderr_kept, stderr_printed, recorded_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      told.task,
      told.attempt,
      out.bytes,
      out.hash,
      out.kept,
      out.printed,
      err.bytes,
      err.hash,
      err.kept,
      err.printed,
      told.at);
}

bool fits(const std::shared_ptr<const std::string>& stream, const std::optional<blob_ref>& blob) {
  return !blob || blob->bytes == static_cast<std::int64_t>(bytes_of(stream).size());
}

status is_there(const std::filesystem::path& folder, const std::optional<blob_ref>& blob) {
  if (!blob || is_blob_there(folder, *blob)) {
    return done;
  }
  return error{
      error_code::storage_unavailable,
      "the file of a large output is gone, so the output was not recorded: " + blob_path(folder, blob->digest).string(),
      "ask again: it is put there anew"};
}

void save_exit(run_change& change, const record_output& told) {
  change.sql().run(
      "UPDATE attempts SET state = 'validating', output_at = ?3, exit_code = ?4, signal = ?5, cpu_us = ?6,"
      " resident_bytes_max = ?7, tree_gone = ?8, http_status = ?9, first_output_at = ?10, last_output_at = ?11"
      " WHERE task_id = ?1 AND attempt = ?2",
      told.task,
      told.attempt,
      told.at,
      told.exit.exit_code,
      told.exit.signal,
      std::int64_t{told.exit.cpu_time.count()},
      told.exit.resident_bytes_max,
      told.exit.tree_gone,
      told.exit.http_status,
      told.exit.first_output_at,
      told.exit.last_output_at);
}

}  // namespace

status record(run_change& change, const record_output& told) {
  if (!fits(told.standard_output, told.blobs.standard_output) ||
      !fits(told.standard_error, told.blobs.standard_error)) {
    return illegal("an output of task " + told.task.str() + " and the file for it have different sizes");
  }
  auto found = find_task(change, told.task);
  if (!found) {
    return found.error();
  }
  auto& task = *found;
  if (auto latest = must_be_latest(task, told.attempt); !latest) {
    return latest;
  }
  if (auto moved = move_task(task, task_state::validating); !moved) {
    return moved;
  }
  insert_output(change, told);
  save_exit(change, told);
  change.sql().run("UPDATE tasks SET state = 'validating' WHERE task_id = ?", told.task);
  task.facts = attempt_facts{told.exit.exit_code,
                             told.exit.signal,
                             std::pair{printed_of(told.standard_output, told.standard_output_bytes),
                                       printed_of(told.standard_error, told.standard_error_bytes)}};
  change.known().keep(task);
  return done;
}

status blobs_are_there(const std::filesystem::path& database, const write_command& command) {
  const auto* const told = std::get_if<record_output>(&command);
  if (told == nullptr) {
    return done;
  }
  const auto folder = blob_folder_of(database);
  auto there = is_there(folder, told->blobs.standard_output);
  return there ? is_there(folder, told->blobs.standard_error) : there;
}

std::optional<blob_ref> blob_in(const prepared& row, int hash, int bytes) {
  if (row.is_null(hash)) {
    return std::nullopt;
  }
  const auto digest = digest_from_hex(row.text(hash));
  if (!digest) {
    throw damaged_row{"an output refers to a file that has no possible name"};
  }
  return blob_ref{*digest, row.number(bytes)};
}

}  // namespace troupe

// SQLite's result codes as errors of ours: the one place that knows both.
#pragma once

#include "messages/base/error.hpp"

#include <filesystem>
#include <string_view>

namespace SQLite {
class Exception;
}

namespace troupe {

/// `code` is an extended result code (sqlite.org/rescode.html). `doing` says what was not done: "cannot commit".
/// The message keeps SQLite's text and both codes, so that it can be looked up. Where SQLite says no more than that it may
/// not, the file and its folder are looked at: a read-only file system and a missing permission have codes of their own.
error sqlite_error(int code, std::string_view text, std::string_view doing, const std::filesystem::path& file);
error sqlite_error(const SQLite::Exception& thrown, std::string_view doing, const std::filesystem::path& file);

/// True for errors after which a transaction cannot be trusted: disk, memory, damage, a lock lost. What is left are
/// errors of one statement (a constraint, a value too large).
bool ends_session(int code) noexcept;

}  // namespace troupe

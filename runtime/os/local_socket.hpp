// Questions and answers between processes of one user on one machine: a Unix socket beside a file.
#pragma once

#include "messages/base/result.hpp"
#include "messages/base/time.hpp"

#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace troupe {

/// Answers `answers_at_once` questions at a time, on threads of its own that sleep in between: one that takes its time is
/// in nobody's way. Others wait to connect. Only processes of the same user, and of
/// root, are answered: the socket has mode 0600, and who is at the other end is asked of the kernel (SO_PEERCRED).
///
/// A path may be longer than an address of a socket (108 bytes): then it is reached through its open folder.
class local_server {
 public:
  /// The whole answer to what has come so far; nothing where more has to come. On any of the server's threads.
  using answerer = std::function<std::optional<std::string>(std::string_view so_far)>;

  static constexpr int answers_at_once = 4;
  static constexpr std::size_t question_bytes_max = std::size_t{1} << 20U;
  static constexpr milliseconds patience{2'000};  ///< For a question to come, and for an answer to be taken.

  /// Takes the place of whatever is at `path`: that nobody else serves there is for the caller to know. STORAGE_UNAVAILABLE where
  /// the file system has no sockets, or the name alone is too long.
  static result<std::unique_ptr<local_server>> listen(const std::filesystem::path& path, answerer answer);

  /// Ends within the answers under way; nothing is left at the path.
  ~local_server();
  local_server(const local_server&) = delete;
  local_server& operator=(const local_server&) = delete;

 private:
  class loop;
  explicit local_server(std::unique_ptr<loop> inner);
  std::unique_ptr<loop> loop_;
};

/// Asks the server at `path`, and takes what it says until it hangs up. NOT_FOUND: nobody serves there (no socket, or one
/// that a dead process left). STORAGE_UNAVAILABLE: it may not be asked, or does not answer within `patience`.
result<std::string> ask_locally(const std::filesystem::path& path, std::string_view question, milliseconds patience);

}  // namespace troupe

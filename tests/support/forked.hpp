// A part of a test in a process of its own: for what a process cannot take back (its user, its mounts).
#pragma once

#include <gtest/gtest.h>

#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <optional>
#include <string>
#include <system_error>

namespace troupe {

/// Runs `body` in a child process, where the EXPECTs and ASSERTs of its failures print as ever. True: it had none.
template <class Body>
bool passes_in_child(Body body) {
  std::cout.flush();
  std::fflush(nullptr);
  const pid_t child = ::fork();
  if (child == 0) {
    body();
    std::cout.flush();
    std::fflush(nullptr);
    ::_exit(testing::Test::HasFailure() ? 1 : 0);
  }
  int ended = 0;
  return child > 0 && ::waitpid(child, &ended, 0) == child && WIFEXITED(ended) && WEXITSTATUS(ended) == 0;
}

/// Gives up the rights of root, for which no permission is missing. Nothing to do for anybody else.
inline void become_nobody() {
  constexpr unsigned nobody = 65534;
  if (::geteuid() == 0) {
    ASSERT_EQ(::setgid(nobody), 0);
    ASSERT_EQ(::setuid(nobody), 0);
  }
}

/// A file system in memory over `folder`, seen by this process alone and gone with it. Why not, where the rights are
/// missing.
inline std::optional<std::string> mount_in_memory(const std::filesystem::path& folder, const std::string& options) {
  const bool mounted = ::unshare(CLONE_NEWNS) == 0 &&
                       ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                       ::mount("tmpfs", folder.c_str(), "tmpfs", 0, options.c_str()) == 0;
  return mounted ? std::nullopt : std::optional{std::generic_category().message(errno)};
}

/// Whether mount_in_memory works here.
inline std::optional<std::string> why_no_mounts(const std::filesystem::path& folder) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::_exit(mount_in_memory(folder, "size=1m") ? errno : 0);
  }
  int ended = 0;
  ::waitpid(child, &ended, 0);
  const int code = WIFEXITED(ended) ? WEXITSTATUS(ended) : EIO;
  return code == 0 ? std::nullopt : std::optional{std::generic_category().message(code)};
}

}  // namespace troupe

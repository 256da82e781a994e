#include "storage/system_error.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>

namespace troupe {
namespace {

std::string_view hint_of(error_code code, std::string_view otherwise) noexcept {
  if (code == error_code::storage_full) {
    return "free some space on this file system, then try again: nothing was lost";
  }
  if (code == error_code::storage_readonly) {
    return "this file system may only be read: mount it for writing, or choose another place";
  }
  if (code == error_code::storage_denied) {
    return "look at the owner and mode of the file and its folder";
  }
  return otherwise;
}

// By the rights of the effective user, as open has it.
int refusal(const std::filesystem::path& path, int rights) noexcept {
  const bool refused = ::faccessat(AT_FDCWD, path.c_str(), rights, AT_EACCESS) != 0;
  return refused && storage_code(errno) != error_code::storage_unavailable ? errno : 0;
}

}  // namespace

error_code storage_code(int number) noexcept {
  switch (number) {
    case ENOSPC:
    case EDQUOT:
      return error_code::storage_full;
    case EROFS:
      return error_code::storage_readonly;
    case EACCES:
    case EPERM:
      return error_code::storage_denied;
    default:
      return error_code::storage_unavailable;
  }
}

error system_error(int number, std::string_view doing, const std::filesystem::path& path, std::string_view otherwise) {
  const auto code = storage_code(number);
  return {code,
          std::string{doing} + " (" + std::generic_category().message(number) + "): " + path.string(),
          std::string{hint_of(code, otherwise)}};
}

int why_not_writable(const std::filesystem::path& file) noexcept {
  const int of_file = refusal(file, R_OK | W_OK);
  return of_file != 0 ? of_file
                      : refusal(file.has_parent_path() ? file.parent_path() : std::filesystem::path{"."}, W_OK | X_OK);
}

}  // namespace troupe

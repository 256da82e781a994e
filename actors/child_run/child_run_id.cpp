#include "actors/child_run/child_run_id.hpp"

#include "messages/base/sha256.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace troupe {

run_id child_run_id(const task_id& task, int failures) {
  constexpr std::string_view digits = "0123456789abcdefghjkmnpqrstvwxyz";
  constexpr std::size_t length = 20;
  const auto digest = sha256("child of " + task.str() + '\n' + std::to_string(failures));
  std::string id = "r-";
  unsigned bits = 0;
  unsigned waiting = 0;
  for (std::size_t i = 0; id.size() < length + 2; ++i) {
    bits = (bits << 8U) | digest[i];
    for (waiting += 8; waiting >= 5 && id.size() < length + 2; waiting -= 5) {
      id += digits[(bits >> (waiting - 5)) & 31U];
    }
  }
  return run_id{id};
}

}  // namespace troupe

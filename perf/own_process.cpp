#include "perf/own_process.hpp"

#include <filesystem>
#include <fstream>
#include <limits>
#include <stdexcept>
#include <string>

namespace troupe::perf {

process_use own_process_use() {
  process_use use;
  std::ifstream file{"/proc/self/status"};
  std::string name;
  while (file >> name) {
    std::int64_t value = 0;
    if (name == "RssAnon:" && file >> value) {
      use.memory_bytes += value * 1'024;
    } else if ((name == "RssFile:" || name == "RssShmem:") && file >> value) {
      use.mapped_bytes += value * 1'024;
    } else if (name == "Threads:" && file >> value) {
      use.threads = value;
    }
    file.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
  }
  if (use.memory_bytes == 0) {
    throw std::runtime_error{"/proc/self/status says nothing of memory"};
  }
  for ([[maybe_unused]] const auto& each : std::filesystem::directory_iterator{"/proc/self/fd"}) {
    ++use.descriptors;
  }
  --use.descriptors;  // the one that the folder is read through
  return use;
}

}  // namespace troupe::perf

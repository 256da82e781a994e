// A process with a reactor, to be killed: troupe-reactor-host CUSTODIAN MEGABYTES CHILDREN PROGRAM [ARGUMENT...]
//
// Touches as much memory, starts as many children, prints `ready PID-OF-CUSTODIAN` and a line break when each of them has
// printed something, and then waits to be killed.
#include "runtime/os/process_reactor.hpp"

#include <unistd.h>

#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string>
#include <vector>

int main(int count, char** arguments) {
  using troupe::process_end, troupe::process_listener, troupe::process_reactor, troupe::process_request;
  if (count < 5) {
    return 2;
  }
  const std::vector<std::string> given(arguments + 1, arguments + count);
  const std::vector<char> memory(std::stoull(given[1]) << 20U, '\1');
  std::mutex guard;
  std::condition_variable changed;
  int silent = std::stoi(given[2]);
  process_reactor reactor{{given[0]}};
  for (int i = silent; i > 0; --i) {
    process_request what;
    what.argv.assign(given.begin() + 3, given.end());
    process_listener listener;
    listener.progress = [&, spoke = false](const std::string&, std::int64_t) mutable {
      const std::scoped_lock lock{guard};
      silent -= spoke ? 0 : 1;
      spoke = true;
      changed.notify_all();
    };
    listener.ended = [](const process_end&) {};
    reactor.start(what, listener);
  }
  std::unique_lock lock{guard};
  changed.wait(lock, [&] { return silent == 0; });
  std::printf("ready %lld\n", static_cast<long long>(reactor.custodian_pid()));
  std::fflush(stdout);
  changed.wait(lock, [] { return false; });
  return memory.empty() ? 1 : 0;
}

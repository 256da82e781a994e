#include "runtime/os/worker_thread.hpp"

#include <pthread.h>
#include <signal.h>

namespace troupe {

void become_worker_thread(const char* name) noexcept {
  ::pthread_setname_np(::pthread_self(), name);
  sigset_t all;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, nullptr);
}

}  // namespace troupe

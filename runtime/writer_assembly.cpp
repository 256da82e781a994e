#include "runtime/writer_assembly.hpp"

#include "storage/log_checkpoint.hpp"
#include "storage/read_pool.hpp"
#include "storage/write_session.hpp"

#include <spdlog/spdlog.h>

#include <chrono>
#include <thread>
#include <utility>

namespace troupe {
namespace {

using std::chrono::microseconds;

constexpr std::int64_t begins_anew_at = 4;
constexpr std::int64_t writer_helps_at = 8;
constexpr microseconds moment{100};              // a thread sleeps no shorter
constexpr std::int64_t blobs_at_start = 10'000;  // looked at before the writer is up; the rest is for later passes

microseconds elapsed() { return std::chrono::floor<microseconds>(std::chrono::steady_clock::now().time_since_epoch()); }

gathering_port gathering_by_clock() {
  return {moment, elapsed, [] { std::this_thread::sleep_for(moment); }};
}

// What nothing refers to any more is removed first. Where that fails, there is only garbage left.
result<std::unique_ptr<write_session>> open_for_writing(const storage_options& storage, lease_epoch epoch) {
  auto opened = write_session::open(storage, epoch);
  if (opened) {
    if (const auto collected = (*opened)->collect_blobs(blobs_at_start); !collected) {
      spdlog::warn("unused outputs were not removed: {}", collected.error().message);
    }
  }
  return opened;
}

}  // namespace

database_writer_deps writer_deps(const storage_options& storage,
                                 lease_epoch epoch,
                                 service<event_hub> hub,
                                 service<log_checkpointer> checkpointer) {
  database_writer_deps deps;
  deps.open = [epoch, options = storage] {
    auto of_writer = options;
    of_writer.wal_autocheckpoint *= writer_helps_at;
    return open_for_writing(of_writer, epoch);
  };
  deps.hub = std::move(hub);
  deps.checkpointer = std::move(checkpointer);
  deps.checkpoint_pages = storage.wal_autocheckpoint;
  deps.gather = gathering_by_clock();
  return deps;
}

std::shared_ptr<read_pool> pool_of_readers(const storage_options& storage, std::size_t readers_max) {
  read_pool_options options;
  options.storage = storage;
  options.readers_max = readers_max;
  options.elapsed = elapsed;
  return std::make_shared<read_pool>(std::move(options));
}

log_checkpointer_deps checkpointer_deps(const storage_options& storage, std::shared_ptr<read_pool> readers) {
  return {[storage] { return log_checkpoint::open(storage); },
          std::move(readers),
          begins_anew_at * storage.wal_autocheckpoint};
}

}  // namespace troupe

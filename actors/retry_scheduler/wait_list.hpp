// Who waits for which time of day: the brain.
#pragma once

#include "messages/base/ids.hpp"
#include "messages/base/time.hpp"
#include "messages/limits.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe {

/// Waiters by time, each under a key that is unique in its run. Every call costs O(log n); forgetting a run, O(log n)
/// for each of its waiters.
class wait_list {
 public:
  using waiter = std::uint64_t;  ///< Whose meaning is the caller's.

  /// The waiter whose place this one took: the one before it under the same key.
  std::optional<waiter> add(const run_id& run, const std::string& key, timestamp due, waiter who);

  /// The one that waited under the key; with an empty key all of the run, by key.
  std::vector<waiter> forget(const run_id& run, std::string_view key);

  /// Those whose time has come, the earliest first, of one time in the order in which they came. They wait no more.
  std::vector<waiter> take_due(timestamp now);

  /// The earliest.
  std::optional<timestamp> next() const;

  /// So many of them at most, in the order in which take_due() takes them.
  std::vector<wait_view> earliest(std::size_t count_max) const;
  std::size_t size() const noexcept { return by_time_.size(); }

 private:
  using keys = std::map<std::string, std::pair<timestamp, std::uint64_t>, std::less<>>;

  // The names are those in by_run_, whose nodes stay where they are.
  struct waiting {
    waiter who;
    const run_id* run;
    const std::string* key;
  };

  waiter remove(keys& of, keys::iterator which);

  std::map<run_id, keys> by_run_;
  std::map<std::pair<timestamp, std::uint64_t>, waiting> by_time_;
  std::uint64_t arrivals_ = 0;
};

}  // namespace troupe

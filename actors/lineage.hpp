// Who works for a run, over all its lives.
#pragma once

#include "messages/base/ids.hpp"

#include <caf/actor_addr.hpp>

#include <map>
#include <memory>
#include <mutex>
#include <vector>

namespace troupe {

/// The actors of each run that may still have a message to handle, or one under way to the writer. A later life of a run
/// waits for their end before it reads its rows: what an actor of an earlier life had told the writer is then on its way
/// to disk before anything that the later one tells. Copies mean the same. Any thread.
class lineage {
 public:
  /// The run has an actor more.
  void add(const run_id& run, const caf::actor_addr& member) const {
    const std::scoped_lock lock{all_->guard};
    all_->members[run].push_back(member);
  }

  /// That one has nothing more to tell. An actor that dies before its time does not leave: so a later life knows that it
  /// is one.
  void leave(const run_id& run, const caf::actor_addr& member) const {
    const std::scoped_lock lock{all_->guard};
    const auto found = all_->members.find(run);
    if (found != all_->members.end() && std::erase(found->second, member) > 0 && found->second.empty()) {
      all_->members.erase(found);
    }
  }

  /// Some of them may have ended without having left.
  std::vector<caf::actor_addr> members(const run_id& run) const {
    const std::scoped_lock lock{all_->guard};
    const auto found = all_->members.find(run);
    return found == all_->members.end() ? std::vector<caf::actor_addr>{} : found->second;
  }

 private:
  struct shared {
    std::mutex guard;
    std::map<run_id, std::vector<caf::actor_addr>> members;
  };
  std::shared_ptr<shared> all_ = std::make_shared<shared>();
};

}  // namespace troupe

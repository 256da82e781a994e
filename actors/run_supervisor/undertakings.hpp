// What a node has undertaken to do with runs, over all lives of its run supervisor.
#pragma once

#include "messages/base/ids.hpp"
#include "messages/control.hpp"

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace troupe {

/// Runs that were accepted and have not ended, and those of them that are to be cancelled. A run supervisor that dies takes
/// its runs with it, and may not have read its last messages; its successor reads here what it owes. Not durable: with the
/// process both end, who wanted something and who was to do it. Copies mean the same. Any thread.
class undertakings {
 public:
  /// The run is to be carried out.
  void carry_out(const run_id& run) const {
    const std::scoped_lock lock{all_->guard};
    all_->runs[run].carried_out = true;
  }

  /// The run is to end as cancelled. Once asked for, `at_once` stays.
  void cancel(const cancel_run& what) const {
    const std::scoped_lock lock{all_->guard};
    auto& known = all_->runs[what.run].cancelled;
    const bool at_once = what.at_once || (known && known->at_once);
    known = cancel_run{what.run, at_once};
  }

  std::optional<cancel_run> cancelled(const run_id& run) const {
    const std::scoped_lock lock{all_->guard};
    const auto found = all_->runs.find(run);
    return found == all_->runs.end() ? std::nullopt : found->second.cancelled;
  }

  /// Nothing more is to be done with the run: it has ended, is left as it stands, or was never ours.
  void forget(const run_id& run) const {
    const std::scoped_lock lock{all_->guard};
    all_->runs.erase(run);
  }

  /// So of all runs that are not to be carried out.
  void forget_others() const {
    const std::scoped_lock lock{all_->guard};
    std::erase_if(all_->runs, [](const auto& each) { return !each.second.carried_out; });
  }

  /// Those that are to be carried out, by id.
  std::vector<run_id> to_carry_out() const {
    const std::scoped_lock lock{all_->guard};
    std::vector<run_id> found;
    for (const auto& [run, what] : all_->runs) {
      if (what.carried_out) {
        found.push_back(run);
      }
    }
    return found;
  }

 private:
  struct undertaking {
    bool carried_out = false;
    std::optional<cancel_run> cancelled;
  };
  struct shared {
    std::mutex guard;
    std::map<run_id, undertaking> runs;
  };
  std::shared_ptr<shared> all_ = std::make_shared<shared>();
};

}  // namespace troupe

// Which attempt of all runs begins next: the brain of the governor. Requirements RT-4 to RT-7.
#pragma once

#include "actors/governor/fair_queue.hpp"
#include "actors/governor/moment.hpp"
#include "actors/governor/provider_limits.hpp"
#include "messages/limits.hpp"
#include "messages/provider.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <unordered_map>
#include <vector>

namespace troupe {

struct admission_rules {
  int attempts_max = 1'024;  ///< Of the node, at one time.
  std::map<provider_name, provider_spec> providers;
  std::int64_t first_permit = 1;  ///< Permits are numbered from here.
};

/// Decides; does nothing.
///
/// Invariants (each with a test of that number):
///   1. Of the node no more than attempts_max run, of retries no more than retries_allowed(), of a provider no more
///      than provider_limits lets through.
///   2. Each question gets one answer, a grant or a refusal, unless it is replaced, withdrawn, or its holder goes.
///   3. What a provider, or the retry budget, holds up does not hold up the attempts that need neither.
///   4. When a holder goes, what he holds is returned, and what he asks is withdrawn.
///   5. What a provider refuses for long is refused at once, also while the node or the retry budget has no room.
///   6. `wake` is when more can be decided without anything else happening; none where only something else helps.
class admission {
 public:
  using question = fair_queue::ticket;  ///< Numbered by the caller, each higher than those before.
  using holder = std::uint64_t;         ///< Who asks, and holds the permit; numbered by the caller.

  struct grant {
    question to;
    permit_id permit;
  };

  struct refusal {
    question to;
    error why;
  };

  struct decisions {
    std::vector<grant> grants;
    std::vector<refusal> refusals;
    std::vector<question> dropped;  ///< Are not answered.
    std::optional<instant> wake;
  };

  explicit admission(admission_rules rules);
  admission(const admission&) = delete;
  admission& operator=(const admission&) = delete;
  ~admission();

  decisions ask(question number, holder who, const ask_permit& what, moment now);

  /// Only what he asked himself: a run that was restarted may have asked for the same attempt.
  decisions withdraw(holder who, const withdraw_permit& what, moment now);

  /// A permit that is not held is nothing: it was of another governor, or went with its holder.
  decisions returned(const return_permit& what, moment now);
  decisions holder_gone(holder who, moment now);
  decisions woken(moment now);

  /// Whose use has to be read before anything of theirs begins.
  std::vector<provider_name> providers_to_read() const;
  decisions restored(const std::vector<provider_use>& uses, moment now);

  limits_view view(moment now);

 private:
  struct provider_state;
  struct asked;
  struct held;

  struct attempt_key {
    task_id task;
    attempt_no attempt;
    friend bool operator==(const attempt_key&, const attempt_key&) = default;
  };
  struct attempt_hash {
    std::size_t operator()(const attempt_key& key) const noexcept;
  };
  struct belongings {
    std::set<permit_id> permits;
    std::set<question> questions;
  };

  std::size_t provider_no(const provider_name& name);
  void decide(decisions& out, moment now);
  void refuse_hopeless(decisions& out, moment now);
  bool may_retry() const noexcept;
  void let_go(question number, fair_queue::lane_no lane, decisions& out, moment now);
  void refuse_all(std::size_t provider, const error& why, decisions& out);
  void forget(question number);
  void give_back(permit_id permit, const return_permit& how, moment now);
  void count_retry(const ask_permit& what);

  admission_rules rules_;
  fair_queue queue_;  ///< Lanes: of each provider one for first attempts, one for retries.
  std::vector<std::unique_ptr<provider_state>> providers_;
  std::map<provider_name, std::size_t> provider_numbers_;
  std::unordered_map<question, asked> questions_;
  std::unordered_map<attempt_key, question, attempt_hash> by_attempt_;
  std::unordered_map<permit_id, held> permits_;
  std::unordered_map<holder, belongings> holders_;
  std::int64_t next_permit_;
  int retries_running_ = 0;
  retry_counts retries_;
};

}  // namespace troupe

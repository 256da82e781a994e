#include "actors/governor/admission.hpp"

#include "actors/governor/retry_budget.hpp"

#include <algorithm>
#include <functional>
#include <utility>
#include <variant>

namespace troupe {

// Attempts without a provider are of the first, which limits nothing.
struct admission::provider_state {
  provider_name name;
  std::optional<provider_limits> limits;
  std::int64_t rejected = 0;
  bool is_blocked = false;  // while decide() looks
};

struct admission::asked {
  holder who;
  ask_permit what;
};

struct admission::held {
  holder who;
  std::size_t provider;
  bool is_retry;
  std::optional<provider_limits::started> began;
};

namespace {

std::size_t provider_of(fair_queue::lane_no lane) { return lane / 2; }
bool is_retry_lane(fair_queue::lane_no lane) { return lane % 2 == 1; }
fair_queue::lane_no lane_of(std::size_t provider, bool is_retry) { return 2 * provider + (is_retry ? 1 : 0); }

std::optional<instant> earlier(std::optional<instant> one, std::optional<instant> other) {
  return one && other ? std::min(one, other) : (one ? one : other);
}

}  // namespace

std::size_t admission::attempt_hash::operator()(const attempt_key& key) const noexcept {
  constexpr std::size_t spread = 0x9E3779B9U;
  return std::hash<task_id>{}(key.task) ^ (static_cast<std::size_t>(key.attempt.value()) * spread);
}

admission::admission(admission_rules rules) : rules_(std::move(rules)), next_permit_(rules_.first_permit) {
  provider_no({});
  for (const auto& [name, spec] : rules_.providers) {
    provider_no(name);
  }
}

admission::~admission() = default;

std::size_t admission::provider_no(const provider_name& name) {
  const auto [found, is_new] = provider_numbers_.try_emplace(name, providers_.size());
  if (is_new) {
    auto& made = *providers_.emplace_back(std::make_unique<provider_state>());
    made.name = name;
    if (!name.empty()) {
      const auto known = rules_.providers.find(name);
      auto spec = known == rules_.providers.end() ? provider_spec{} : known->second;
      spec.name = name;
      made.limits.emplace(spec);
    }
  }
  return found->second;
}

admission::decisions admission::ask(question number, holder who, const ask_permit& what, moment now) {
  decisions out;
  const auto [key, is_new] = by_attempt_.try_emplace(attempt_key{what.task, what.attempt}, number);
  if (!is_new) {
    const auto former = key->second;
    out.dropped.push_back(former);
    queue_.remove(former, now.steady);
    holders_[questions_.at(former).who].questions.erase(former);
    questions_.erase(former);
    key->second = number;
  }
  questions_.emplace(number, asked{who, what});
  holders_[who].questions.insert(number);
  queue_.push(lane_of(provider_no(what.provider), what.is_retry), what.run, what.priority, number, now.steady);
  decide(out, now);
  return out;
}

admission::decisions admission::withdraw(holder who, const withdraw_permit& what, moment now) {
  decisions out;
  const auto found = by_attempt_.find(attempt_key{what.task, what.attempt});
  if (found != by_attempt_.end() && questions_.at(found->second).who == who) {
    const auto number = found->second;
    queue_.remove(number, now.steady);
    forget(number);
    out.dropped.push_back(number);
  }
  decide(out, now);
  return out;
}

admission::decisions admission::returned(const return_permit& what, moment now) {
  decisions out;
  if (permits_.contains(what.id)) {
    give_back(what.id, what, now);
  }
  decide(out, now);
  return out;
}

admission::decisions admission::holder_gone(holder who, moment now) {
  decisions out;
  if (const auto found = holders_.find(who); found != holders_.end()) {
    const auto all = found->second;
    for (const auto number : all.questions) {
      queue_.remove(number, now.steady);
      forget(number);
      out.dropped.push_back(number);
    }
    for (const auto permit : all.permits) {
      give_back(permit, {permit, permit_end::not_counted, std::nullopt, std::nullopt}, now);
    }
    holders_.erase(who);
  }
  decide(out, now);
  return out;
}

admission::decisions admission::woken(moment now) {
  decisions out;
  decide(out, now);
  return out;
}

std::vector<provider_name> admission::providers_to_read() const {
  std::vector<provider_name> names;
  for (const auto& each : providers_) {
    if (each->limits && each->limits->needs_rows()) {
      names.push_back(each->name);
    }
  }
  return names;
}

admission::decisions admission::restored(const std::vector<provider_use>& uses, moment now) {
  decisions out;
  for (const auto& use : uses) {
    auto& limits = providers_[provider_no(use.provider)]->limits;
    if (limits && limits->needs_rows()) {
      limits->restore(use, now);
    }
  }
  decide(out, now);
  return out;
}

bool admission::may_retry() const noexcept {
  return retries_running_ < retries_allowed(static_cast<int>(permits_.size()));
}

// Nobody waits for room that is of no use to him.
void admission::refuse_hopeless(decisions& out, moment now) {
  for (std::size_t number = 0; number < providers_.size(); ++number) {
    auto& limits = providers_[number]->limits;
    const bool is_asked = queue_.size(lane_of(number, false)) + queue_.size(lane_of(number, true)) > 0;
    if (is_asked && limits) {
      if (const auto why = limits->refusal(now)) {
        refuse_all(number, *why, out);
      }
    }
  }
}

// Lets go whoever may, in the order of the queue. Where the next of a provider has to wait, so have all of it:
// otherwise small ones would pass a large one for ever.
void admission::decide(decisions& out, moment now) {
  for (const auto& each : providers_) {
    each->is_blocked = false;
  }
  const auto is_open = [this](fair_queue::lane_no lane) {
    return !providers_[provider_of(lane)]->is_blocked && (!is_retry_lane(lane) || may_retry());
  };
  while (permits_.size() < static_cast<std::size_t>(rules_.attempts_max)) {
    const auto next = queue_.front(is_open, now.steady);
    if (!next) {
      break;
    }
    const auto [lane, number] = *next;
    const auto provider = provider_of(lane);
    auto& state = *providers_[provider];
    const auto verdict = state.limits ? state.limits->look(questions_.at(number).what.estimate, now)
                                      : provider_limits::verdict{provider_limits::go{}};
    if (const auto* const later = std::get_if<provider_limits::wait>(&verdict)) {
      state.is_blocked = true;
      out.wake = earlier(out.wake, later->until);
    } else if (const auto* const never = std::get_if<provider_limits::refuse>(&verdict)) {
      refuse_all(provider, never->why, out);
    } else {
      let_go(number, lane, out, now);
    }
  }
  refuse_hopeless(out, now);
}

void admission::let_go(question number, fair_queue::lane_no lane, decisions& out, moment now) {
  auto& question_of = questions_.at(number);
  auto& state = *providers_[provider_of(lane)];
  const permit_id permit{next_permit_++};
  held begun{question_of.who, provider_of(lane), question_of.what.is_retry, std::nullopt};
  if (state.limits) {
    begun.began = state.limits->begin(question_of.what.estimate, now);
  }
  retries_running_ += begun.is_retry ? 1 : 0;
  count_retry(question_of.what);
  holders_[begun.who].permits.insert(permit);
  permits_.emplace(permit, begun);
  queue_.pop(number, now.steady);
  forget(number);
  out.grants.push_back({number, permit});
}

void admission::refuse_all(std::size_t provider, const error& why, decisions& out) {
  for (const bool is_retry : {false, true}) {
    for (const auto number : queue_.clear(lane_of(provider, is_retry))) {
      forget(number);
      out.refusals.push_back({number, why});
      ++providers_[provider]->rejected;
    }
  }
}

// Keeps the holder even where nothing is left of him: he is forgotten when he goes.
void admission::forget(question number) {
  const auto found = questions_.find(number);
  const auto& [who, what] = found->second;
  by_attempt_.erase(attempt_key{what.task, what.attempt});
  holders_[who].questions.erase(number);
  questions_.erase(found);
}

void admission::give_back(permit_id permit, const return_permit& how, moment now) {
  const auto taken = permits_.extract(permit);
  const auto& was = taken.mapped();
  auto& limits = providers_[was.provider]->limits;
  if (limits && was.began) {
    limits->end(*was.began, how, now);
  }
  retries_running_ -= was.is_retry ? 1 : 0;
  holders_[was.who].permits.erase(permit);
}

void admission::count_retry(const ask_permit& what) {
  if (!what.is_retry || !what.failed_as) {
    return;
  }
  switch (*what.failed_as) {
    case error_class::retryable:
      ++retries_.retryable;
      break;
    case error_class::permanent:
      ++retries_.permanent;
      break;
    case error_class::degraded:
      ++retries_.degraded;
      break;
    case error_class::unknown:
      ++retries_.unknown;
      break;
  }
}

limits_view admission::view(moment now) {
  limits_view told;
  told.running = static_cast<int>(permits_.size());
  told.attempts_max = rules_.attempts_max;
  told.waiting = static_cast<std::int64_t>(queue_.size());
  told.retries_running = retries_running_;
  told.retries_max = retries_allowed(told.running);
  told.retries = retries_;
  for (const auto& [name, number] : provider_numbers_) {
    auto& state = *providers_[number];
    if (state.limits) {
      auto each = state.limits->view(now);
      each.waiting =
          static_cast<std::int64_t>(queue_.size(lane_of(number, false)) + queue_.size(lane_of(number, true)));
      each.rejected = state.rejected;
      told.providers.push_back(std::move(each));
    }
  }
  return told;
}

}  // namespace troupe

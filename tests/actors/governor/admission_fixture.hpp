// An admission in virtual time, and what became of its questions.
#pragma once

#include "actors/governor/admission.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace troupe::test {

class admission_fixture : public testing::Test {
 protected:
  void make(admission_rules rules) { brain_.emplace(std::move(rules)); }

  static provider_spec limited(const std::string& name) {
    provider_spec spec;
    spec.name = provider_name{name};
    return spec;
  }

  static admission_rules with(const provider_spec& spec) {
    admission_rules rules;
    rules.providers[spec.name] = spec;
    return rules;
  }

  moment now() const { return now_; }

  void pass(std::chrono::nanoseconds time) {
    now_.steady += time;
    now_.day += std::chrono::floor<std::chrono::microseconds>(time);
  }

  admission::question ask(const std::string& run, const std::string& provider = "p") {
    ask_permit what;
    what.provider = provider_name{provider};
    return ask(run, what);
  }

  admission::question ask(const std::string& run, ask_permit what) {
    const auto number = ++newest_;
    what.run = run_id{run};
    if (what.task.empty()) {
      what.task = task_id{run + "/1/s/" + std::to_string(number)};
      what.attempt = attempt_no{1};
    }
    asked_[number] = what;
    take(brain_->ask(number, holder_of(run), what, now_));
    return number;
  }

  admission::holder holder_of(const std::string& run) {
    return holders_.try_emplace(run, holders_.size() + 1).first->second;
  }

  // The permit of a question that was granted; a failure where it was not.
  permit_id permit_of(admission::question number) const {
    const auto found = granted_.find(number);
    EXPECT_NE(found, granted_.end()) << "question " << number << " was not granted";
    return found == granted_.end() ? permit_id{} : found->second;
  }

  bool is_granted(admission::question number) const { return granted_.contains(number); }

  bool is_refused(admission::question number) const { return refused_.contains(number); }

  error refusal_of(admission::question number) const {
    EXPECT_TRUE(is_refused(number)) << "question " << number << " was not refused";
    return is_refused(number) ? refused_.at(number) : error{};
  }

  bool waits(admission::question number) const { return !is_granted(number) && !is_refused(number); }

  void end(admission::question number,
           permit_end how = permit_end::succeeded,
           std::optional<token_estimate> used = std::nullopt,
           std::optional<milliseconds> retry_after = std::nullopt) {
    take(brain_->returned({permit_of(number), how, used, retry_after}, now_));
  }

  void wake() {
    ASSERT_TRUE(wake_);
    const auto by = *wake_ - now_.steady;
    pass(std::max(by, std::chrono::nanoseconds{0}));
    take(brain_->woken(now_));
  }

  provider_view provider(const std::string& name = "p") {
    for (const auto& each : brain_->view(now_).providers) {
      if (each.provider.str() == name) {
        return each;
      }
    }
    ADD_FAILURE() << "no provider " << name;
    return {};
  }

  void take(const admission::decisions& out) {
    for (const auto& each : out.grants) {
      EXPECT_TRUE(waits(each.to) && !dropped_.contains(each.to)) << "answered twice: " << each.to;
      granted_[each.to] = each.permit;
      order_.push_back(each.to);
    }
    for (const auto& each : out.refusals) {
      EXPECT_TRUE(waits(each.to) && !dropped_.contains(each.to)) << "answered twice: " << each.to;
      refused_[each.to] = each.why;
    }
    dropped_.insert(out.dropped.begin(), out.dropped.end());
    wake_ = out.wake;
  }

  std::optional<admission> brain_;
  moment now_{timestamp{std::chrono::sys_days{std::chrono::year{2026} / 11 / 21}} + 12h, instant{1h}};
  admission::question newest_ = 0;
  std::map<admission::question, ask_permit> asked_;
  std::map<std::string, admission::holder> holders_;
  std::map<admission::question, permit_id> granted_;
  std::map<admission::question, error> refused_;
  std::set<admission::question> dropped_;
  std::vector<admission::question> order_;  // of the grants
  std::optional<instant> wake_;
};

}  // namespace troupe::test

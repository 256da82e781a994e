#include "actors/vacuum/vacuum_plan.hpp"

#include <algorithm>
#include <utility>

namespace troupe {
namespace {

// Soon, so that a process that lives for a minute vacuums as well; not at once, so that its first commits have the disk.
constexpr milliseconds first_look_after{1'000};

// What one cut takes off. Measured: 150 MB at once take 75 ms, 4 MiB take 5 to 15.
constexpr std::int64_t cut_bytes = std::int64_t{4} << 20U;

constexpr milliseconds busy_pause_first{5};
constexpr milliseconds busy_pause_max{80};
constexpr milliseconds patience{250};

constexpr int tries_max = 3;
constexpr milliseconds failure_pause{10'000};
constexpr milliseconds rest_max{3'600'000};

constexpr int cuts_held_max = 5;
constexpr milliseconds held_pause{200};

// Half of the time is for everybody else, also where nobody commits: the disk is shared.
milliseconds as_long_again(std::chrono::microseconds took) {
  return std::max(std::chrono::ceil<milliseconds>(took), milliseconds{1});
}

milliseconds doubled(milliseconds first, int times, milliseconds most) {
  return std::min(first * (std::int64_t{1} << std::min(times, 20)), most);
}

error disk_is_full(std::int64_t available) {
  return {error_code::storage_full,
          "vacuum does not begin: " + std::to_string(available) + " bytes are left on the disk of the database",
          "free some space on this file system, or try `troupe db vacuum`, which begins all the same"};
}

}  // namespace

vacuum_plan::vacuum_plan(const vacuum_rules& rules, moment born) : rules_(rules), born_(born), pace_(rules.slice) {}

vacuum_plan::effect vacuum_plan::begin() const { return rest{std::min(first_look_after, rules_.check_every)}; }

vacuum_plan::effect vacuum_plan::woken(moment now) {
  if (pass_) {
    return step(now);
  }
  phase_ = phase::looking;
  return look{};
}

vacuum_plan::effect vacuum_plan::asked(moment now) {
  if (phase_ == phase::writing || phase_ == phase::looking || (phase_ == phase::shrinking && !pass_)) {
    is_asked_ = true;
    return nothing{};
  }
  if (pass_) {
    pass_->reason = vacuum_reason::manual;
    return nothing{};
  }
  is_asked_ = true;
  return woken(now);
}

vacuum_plan::effect vacuum_plan::looked(const maintenance_view& found, moment now) {
  size_ = found.size;
  history_ = found.vacuum;
  last_error_ = history_.last ? history_.last->failure : std::nullopt;
  const auto reason = reason_to_begin(found, now);
  if (!reason) {
    failures_ = 0;
    if (std::exchange(cut_is_due_, false)) {
      phase_ = phase::shrinking;
      return shrink{maintenance_turn::when_idle};
    }
    return take_rest(now);
  }
  is_asked_ = false;
  busy_ = 0;
  pass_ = pass{.reason = *reason, .started = now, .before = size_, .got_on = now.steady};
  if (is_enough(size_) && !cut_is_due_) {
    return finish(now, std::nullopt);
  }
  return step(now);
}

std::optional<vacuum_reason> vacuum_plan::reason_to_begin(const maintenance_view& found, moment now) {
  if (is_asked_) {
    return vacuum_reason::manual;
  }
  const auto free = found.size.free_bytes();
  const bool too_much = free > rules_.free_bytes && free > found.size.bytes() * rules_.free_percent / 100;
  if (!too_much && !is_daily_due(now)) {
    return std::nullopt;
  }
  if (free > 0 && found.disk_free_bytes && *found.disk_free_bytes < rules_.disk_reserve_bytes) {
    last_error_ = disk_is_full(*found.disk_free_bytes);
    return std::nullopt;
  }
  return is_daily_due(now) ? vacuum_reason::daily : vacuum_reason::threshold;
}

vacuum_plan::effect vacuum_plan::step(moment now) {
  if (cut_is_due_) {
    phase_ = phase::shrinking;
    return shrink{turn(now)};
  }
  phase_ = phase::freeing;
  return free_some{pace_.next(turn(now))};
}

vacuum_plan::effect vacuum_plan::freed(const vacuum_progress& told, moment now) {
  pace_.learn(told);
  size_ = told.size;
  pass_->tries = 0;
  pass_->slices += 1;
  pass_->longest_slice = std::max(pass_->longest_slice, told.took);
  if (told.freed_pages > 0) {
    pass_->freed_pages += told.freed_pages;
    pass_->bytes_to_cut += told.freed_pages * told.size.page_size;
    pass_->got_on = now.steady;
    busy_ = 0;
  }
  cut_is_due_ = pass_->bytes_to_cut >= cut_bytes || is_enough(size_);
  return pause(as_long_again(told.took));
}

vacuum_plan::effect vacuum_plan::shrunk(const file_shrunk& told, moment now) {
  if (!pass_) {
    cut_is_due_ = told.end == shrink_end::held_back;
    if (is_asked_) {
      return woken(now);
    }
    return take_rest(now);
  }
  pass_->tries = 0;
  pass_->bytes_to_cut = 0;
  cut_is_due_ = is_enough(size_);
  if (!cut_is_due_) {
    return pause(as_long_again(told.took));
  }
  if (told.end == shrink_end::held_back && ++pass_->cuts_held < cuts_held_max) {
    return pause(held_pause);
  }
  cut_is_due_ = told.end == shrink_end::held_back;
  return finish(now, std::nullopt);
}

vacuum_plan::effect vacuum_plan::writer_was_busy(moment now) {
  if (!pass_) {
    cut_is_due_ = true;
    return is_asked_ ? woken(now) : take_rest(now);
  }
  return pause(doubled(busy_pause_first, busy_++, busy_pause_max));
}

vacuum_plan::effect vacuum_plan::finish(moment now, std::optional<error> why) {
  vacuum_report report;
  report.reason = pass_->reason;
  report.started_at = pass_->started.day;
  report.finished_at = now.day;
  report.bytes_before = pass_->before.bytes();
  report.bytes_after = size_.bytes();
  report.reclaimed_bytes = pass_->freed_pages * size_.page_size;
  report.freed_pages = pass_->freed_pages;
  report.slices = pass_->slices;
  report.longest_slice = pass_->longest_slice;
  report.took = std::chrono::duration_cast<std::chrono::microseconds>(now.steady - pass_->started.steady);
  report.failure = std::move(why);
  failures_ = report.failure ? failures_ + 1 : 0;
  last_error_ = report.failure;
  history_.last = report;
  if (!report.failure) {
    history_.last_success = now.day;
  }
  pass_.reset();
  phase_ = phase::writing;
  return write_down{std::move(report)};
}

vacuum_plan::effect vacuum_plan::written(moment now) { return is_asked_ ? woken(now) : take_rest(now); }

vacuum_plan::effect vacuum_plan::failed(const error& why, moment now) {
  last_error_ = why;
  if (phase_ == phase::writing) {
    return written(now);
  }
  if (!pass_) {
    ++failures_;
    if (phase_ == phase::shrinking && is_asked_) {
      return woken(now);
    }
    is_asked_ = false;
    return take_rest(now);
  }
  if (++pass_->tries < tries_max && why.code != error_code::stale_epoch) {
    return pause(doubled(failure_pause, pass_->tries - 1, rest_max));
  }
  return finish(now, why);
}

vacuum_plan::effect vacuum_plan::pause(milliseconds length) {
  phase_ = phase::pausing;
  return rest{length};
}

vacuum_plan::effect vacuum_plan::take_rest(moment now) {
  phase_ = phase::resting;
  if (failures_ > 0) {
    const auto first = std::max(rules_.check_every, failure_pause);
    return rest{std::max(first, doubled(first, failures_ - 1, rest_max))};
  }
  const auto to_daily = last_daily_time(now) + vacuum_period - now.day;
  return rest{std::min(rules_.check_every, std::chrono::ceil<milliseconds>(to_daily))};
}

// Half of the part that may be free: stopping where it began, a pass would begin again with the next page. The others
// leave nothing of what they found, but do not run after those who go on deleting.
bool vacuum_plan::is_enough(const database_size& size) const {
  const bool is_all_given_back = pass_->freed_pages >= pass_->before.free_pages;
  const bool may_leave_some = pass_->reason == vacuum_reason::threshold || is_all_given_back;
  return size.free_bytes() <= (may_leave_some ? size.bytes() * rules_.free_percent / 200 : 0);
}

timestamp vacuum_plan::last_daily_time(moment now) const {
  const auto today = std::chrono::floor<std::chrono::days>(now.day) + rules_.at.after_midnight;
  return today <= now.day ? today : today - vacuum_period;
}

// One in the future was told by a clock that has been set back since: it says nothing.
std::optional<timestamp> vacuum_plan::last_success(moment now) const {
  return history_.last_success && *history_.last_success <= now.day ? history_.last_success : std::nullopt;
}

bool vacuum_plan::is_daily_due(moment now) const {
  const auto last = last_success(now);
  return !last || *last < last_daily_time(now);
}

maintenance_turn vacuum_plan::turn(moment now) const {
  return now.steady - pass_->got_on >= patience ? maintenance_turn::now : maintenance_turn::when_idle;
}

vacuum_view vacuum_plan::view(moment now) const {
  const auto good_until = std::max(born_.day, last_success(now).value_or(born_.day)) + 2 * vacuum_period;
  return {now.day <= good_until,
          pass_.has_value(),
          history_,
          last_error_,
          is_daily_due(now) ? now.day : last_daily_time(now) + vacuum_period};
}

}  // namespace troupe

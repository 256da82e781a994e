#include "runtime/comparing.hpp"

#include "actors/json/json.hpp"
#include "runtime/replaying.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace troupe {
namespace {

// The committed supersteps of a run from 0 on, those before a fork from the run that it was forked from.
class run_history {
 public:
  static result<run_history> of(read_session& stored, const run_id& run) {
    run_history made{stored};
    std::set<run_id> seen;
    auto at = stored.find_pinned(run);
    if (!at) {
      return at.error();
    }
    made.run_ = at->run;
    std::int64_t until = at->run.supersteps;
    bool goes_back = true;
    while (goes_back) {
      const auto& view = at->run;
      const auto from = view.forked_at ? view.forked_at->value() : 0;
      made.stretches_.push_back({view.run, from, until});
      seen.insert(view.run);
      goes_back = view.forked_at && view.parent && !seen.contains(*view.parent);
      if (goes_back) {
        until = from;
        at = stored.find_pinned(run_id{*view.parent});
        if (!at && at.error().code != error_code::not_found) {
          return at.error();
        }
        goes_back = at.has_value();  // where it was removed meanwhile, its past is gone with it
      }
    }
    std::ranges::reverse(made.stretches_);
    return made;
  }

  const run_view& run() const { return run_; }

  /// Whose rows hold the superstep; empty: nobody's. A fork's first row repeats the other's.
  run_id owner_of(std::int64_t superstep) const {
    const auto found = std::ranges::find_if(
        stretches_, [&](const stretch& each) { return each.from <= superstep && superstep <= each.until; });
    return found == stretches_.end() ? run_id{} : found->run;
  }

  std::int64_t last() const { return stretches_.back().until; }
  std::int64_t first() const { return stretches_.front().from; }

  /// None: it has no row. Called with rising numbers.
  result<std::optional<recorded_superstep>> find(std::int64_t superstep) {
    const auto owner = owner_of(superstep);
    if (owner.empty()) {
      return std::optional<recorded_superstep>{};
    }
    if (!reader_ || reading_ != owner) {
      reading_ = owner;
      reader_.emplace(*stored_, owner, superstep_no{superstep});
    }
    while (true) {
      auto row = reader_->next();
      if (!row || !*row || (*row)->row.superstep.value() == superstep) {
        return row;
      }
      if ((*row)->row.superstep.value() > superstep) {
        reader_.reset();
        return std::optional<recorded_superstep>{};
      }
    }
  }

 private:
  struct stretch {
    run_id run;
    std::int64_t from = 0;
    std::int64_t until = 0;
  };

  explicit run_history(read_session& stored) : stored_(&stored) {}

  read_session* stored_;
  run_view run_;
  std::vector<stretch> stretches_;
  std::optional<journal_reader> reader_;
  run_id reading_;
};

std::vector<json_difference> differences_of(const json_text& left, const json_text& right) {
  const auto was = parse(std::string_view{left.str()});
  const auto is = parse(std::string_view{right.str()});
  if (was && is) {
    return differences(*was, *is);
  }
  return left == right ? std::vector<json_difference>{} : std::vector<json_difference>{{"", left, right}};
}

std::string end_text(const run_view& run) {
  return std::string{to_string(run.state)} + (run.why ? ' ' + std::string{to_string(run.why->code)} : "") +
         (run.failed_step ? " in " + run.failed_step->str() : "");
}

// Both have come to their last superstep, or one of them.
std::optional<superstep_difference> end_difference(const run_history& left,
                                                   const run_history& right,
                                                   std::int64_t superstep) {
  superstep_difference found;
  found.superstep = superstep_no{superstep};
  const auto text = [&](const run_history& of) {
    return superstep <= of.last() ? "has it" : end_text(of.run()) + " after superstep " + std::to_string(of.last());
  };
  if (left.last() != right.last()) {
    found.what = difference_subject::length;
    found.left = text(left);
    found.right = text(right);
    return found;
  }
  found.what = difference_subject::end;
  found.superstep = superstep_no{superstep - 1};
  found.left = end_text(left.run());
  found.right = end_text(right.run());
  return found.left == found.right ? std::nullopt : std::optional{found};
}

void compare_states(run_comparison& into, const recorded_superstep* left, const recorded_superstep* right) {
  into.state_is_known = left != nullptr && right != nullptr && left->state && right->state;
  if (into.state_is_known) {
    into.state = differences_of(*left->state, *right->state);
  }
}

status compare_supersteps(run_comparison& into, run_history& left, run_history& right) {
  const auto until = std::min(left.last(), right.last());
  auto at = std::max(left.first(), right.first());
  while (at <= until && left.owner_of(at) == right.owner_of(at)) {
    into.shared = superstep_no{at++};
  }
  for (; at <= until; ++at) {
    const auto was = left.find(at);
    const auto is = right.find(at);
    if (!was || !is) {
      return was ? is.error() : was.error();
    }
    if (!*was || !*is) {
      superstep_difference missing;
      missing.superstep = superstep_no{at};
      missing.what = difference_subject::length;
      missing.left = *was ? "has it" : "has no row of it";
      missing.right = *is ? "has it" : "has no row of it";
      into.first = std::move(missing);
      into.state_is_known = false;
      return done;
    }
    if (auto found = first_difference(**was, **is)) {
      into.first = std::move(found);
      compare_states(into, &**was, &**is);
      return done;
    }
    into.supersteps += at > 0 ? 1 : 0;  // 0 is what they begin with
  }
  into.first = end_difference(left, right, until + 1);
  into.state_is_known = !into.first || into.first->what == difference_subject::end;
  return done;
}

}  // namespace

result<run_comparison> compare_runs(read_session& stored, const run_id& left, const run_id& right) {
  auto was = run_history::of(stored, left);
  if (!was) {
    return was.error();
  }
  auto is = run_history::of(stored, right);
  if (!is) {
    return is.error();
  }
  run_comparison made;
  made.left = was->run();
  made.right = is->run();
  made.inputs = differences_of(made.left.inputs, made.right.inputs);
  if (auto compared = compare_supersteps(made, *was, *is); !compared) {
    return compared.error();
  }
  return made;
}

}  // namespace troupe

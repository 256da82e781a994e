#include "runtime/cli/awaited_end.hpp"

#include "runtime/cli/printed_text.hpp"

#include <algorithm>

namespace troupe {
namespace {

constexpr milliseconds first_pause{20};
constexpr milliseconds longest_pause{500};
constexpr milliseconds ask_every{3'000};
constexpr milliseconds first_word{3'000};
constexpr milliseconds longest_silence{60'000};

// The database is there, and somebody else is at it.
bool may_pass(error_code code) {
  return code == error_code::storage_busy || code == error_code::storage_unavailable ||
         code == error_code::backpressure;
}

std::string waits_for(const run_id& run, const std::vector<std::string>& under_way) {
  const std::string text = "run " + run.str() + " has not ended yet";
  return under_way.empty() ? text
                           : text + ": " + listed(under_way) + (under_way.size() == 1 ? " is" : " are") + " at work";
}

error not_in_time(const run_id& run, milliseconds patience, const std::vector<std::string>& under_way) {
  return {error_code::lease_held,
          waits_for(run, under_way) + "; this command has waited " + to_text(patience),
          "it was asked for its end, and comes to it later: troupe cancel RUN --now kills its tasks, --timeout waits "
          "longer"};
}

}  // namespace

std::optional<result<run_view>> await_end(const run_id& run, milliseconds patience, const end_ports& ports) {
  const auto begun = ports.now();
  auto pause = first_pause;
  auto asks_at = begun + ask_every;
  auto silence = first_word;
  auto tells_at = begun + silence;
  for (;;) {
    const bool has_owner = ports.has_owner();  // before the rows, which its end comes after
    auto view = ports.look();
    if (view ? is_final(view->state) : !may_pass(view.error().code)) {
      return view;
    }
    if (!has_owner) {
      return std::nullopt;
    }
    const auto now = ports.now();
    if (now - begun >= patience) {
      return not_in_time(run, patience, ports.under_way());
    }
    if (now >= asks_at) {
      ports.ask_again();
      asks_at = now + ask_every;
    }
    if (now >= tells_at) {
      ports.tell(waits_for(run, ports.under_way()));
      silence = std::min(silence * 2, longest_silence);
      tells_at = now + silence;
    }
    ports.sleep(std::min(pause, std::chrono::ceil<milliseconds>(begun + patience - now)));
    pause = std::min(pause * 2, longest_pause);
  }
}

}  // namespace troupe

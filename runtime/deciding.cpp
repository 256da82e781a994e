#include "runtime/deciding.hpp"

#include "runtime/gate_edit.hpp"
#include "runtime/short_ownership.hpp"
#include "storage/read_session.hpp"

#include <utility>

namespace troupe {
namespace {

result<gate_place> find_in_rows(const storage_options& storage,
                                const run_id& run,
                                const gate_question& which,
                                const gate_decision& decision) {
  auto stored = read_session::open(storage);
  const auto gates = stored ? (*stored)->list_gates(run) : result<std::vector<gate_view>>{stored.error()};
  const auto place = gates ? find_gate(run, *gates, which, decision) : result<gate_place>{gates.error()};
  const auto sound = place ? check_edit(**stored, run, *place, decision) : status{place.error()};
  return sound ? place : result<gate_place>{sound.error()};
}

}  // namespace

result<gate_receipt> decide_in_rows(const storage_options& storage,
                                    const run_id& run,
                                    const gate_question& which,
                                    gate_decision decision) {
  // What would be refused anyhow is refused before the lease is taken for it.
  if (const auto place = find_in_rows(storage, run, which, decision); !place) {
    return place.error();
  }
  const auto own = own_shortly(storage);
  if (!own) {
    return own.error();
  }
  // Who had the lease until now may have changed what it was decided on.
  const auto place = find_in_rows(storage, run, which, decision);
  if (!place) {
    return place.error();
  }
  decision.at = own->since;
  gate_receipt receipt{*place};
  auto& session = *own->session;
  const auto written = write_at_once(session, [&]() -> status {
    const auto applied = session.apply(decide_gate{run, *place, std::move(decision)});
    if (!applied) {
      return applied.error();
    }
    receipt.repeated = applied->receipt.repeated;
    return done;
  });
  return written ? result<gate_receipt>{std::move(receipt)} : result<gate_receipt>{written.error()};
}

}  // namespace troupe

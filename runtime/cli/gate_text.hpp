// What a gate asks, told to a person, with the commands that answer it. Pure.
#pragma once

#include "messages/gate.hpp"
#include "runtime/cli/style.hpp"

#include <span>
#include <string>

namespace troupe {

/// Open: the question, votes so far, who may decide, the action, when it expires, and the commands that decide it.
/// Closed: one line of what became of it. Lines, each with its line break. `beside` are the gates of the same run, which
/// may make the step's name alone ambiguous.
std::string gate_text(const gate_view& gate, std::span<const gate_view> beside, timestamp now, const style& look);

/// `troupe approve r-1 approve --action sha256:...`: for the action that is asked about now, and no other. Where voters are
/// named, with `--as`: the only one who has not voted, else the word WHO.
std::string approve_command(const gate_view& gate, std::span<const gate_view> beside);

/// `1 of 2 votes`
std::string votes_text(const gate_view& gate);

/// `expires in 23h59m, then it is approved`; empty where it never does.
std::string expiry_text(const gate_view& gate, timestamp now);

/// `approved`, `rejected`, `asked of the next level`, `failed`: what expiry comes to.
std::string_view outcome_of(expiry_policy policy) noexcept;

}  // namespace troupe

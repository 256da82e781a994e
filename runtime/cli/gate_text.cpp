#include "runtime/cli/gate_text.hpp"

#include "runtime/cli/human_time.hpp"
#include "runtime/cli/printed_text.hpp"
#include "runtime/gate_question.hpp"

#include <algorithm>
#include <cctype>

namespace troupe {
namespace {

constexpr int name_width = 9;

std::string fact(std::string_view name, const std::string& value, const style& look) {
  return value.empty() ? std::string{} : "    " + look.paint(ink::dim, pad_right(name, name_width)) + value + '\n';
}

std::string prompt_text(const std::string& prompt) {
  std::string text;
  std::string_view rest = prompt;
  while (!rest.empty()) {
    const auto line = rest.substr(0, rest.find('\n'));
    text += "    " + printable(line) + '\n';
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
  }
  return text;
}

std::string decision_text(const gate_decision& decision) {
  std::string text =
      printable(decision.by) + ' ' + std::string{to_string(decision.choice)} + " at " + local_time(decision.at);
  text += decision.state_edit ? ", with an edit" : "";
  return decision.comment.empty() ? text : text + ": " + printable(decision.comment);
}

bool asks_several_times(const gate_view& gate, std::span<const gate_view> beside) {
  return std::ranges::count_if(beside, [&](const gate_view& other) {
           return other.state == gate_state::open && other.run == gate.run &&
                  other.asked.place.step == gate.asked.place.step;
         }) > 1;
}

constexpr std::string_view any_voter = "WHO";

/// Who is left to vote; of several, nobody is made to vote in the name of another by copying a line.
std::string voter_word(const gate_view& gate) {
  std::vector<std::string> left;
  std::ranges::copy_if(gate.asked.voters, std::back_inserter(left), [&](const std::string& voter) {
    return std::ranges::find(gate.decisions, voter, &gate_decision::by) == gate.decisions.end();
  });
  const bool is_plain = left.size() == 1 && std::ranges::all_of(left.front(), [](unsigned char each) {
                          return std::isalnum(each) != 0 || each == '-' || each == '_' || each == '.' || each == '@';
                        });
  return is_plain ? left.front() : std::string{any_voter};
}

sign sign_of(gate_state state) noexcept {
  switch (state) {
    case gate_state::open:
      return sign::waiting;
    case gate_state::approved:
      return sign::good;
    case gate_state::rejected:
    case gate_state::expired:
      return sign::warned;
    case gate_state::cancelled:
      return sign::stopped;
  }
  return sign::waiting;
}

std::string open_text(const gate_view& gate, std::span<const gate_view> beside, timestamp now, const style& look) {
  const auto& asked = gate.asked;
  std::string text = look.paint(ink::yellow, "?") + ' ' + look.paint(ink::bold, asked.place.step.str());
  text += asked.place.level > 1 && !asked.place.task ? "  level " + std::to_string(asked.place.level) : "";
  text += look.paint(ink::dim, "  since " + local_time(gate.opened_at)) + '\n';
  text += prompt_text(asked.prompt);
  const bool says_votes = asked.votes > 1 || !gate.decisions.empty();
  text += fact("votes", says_votes ? votes_text(gate) : "", look);
  for (const auto& decision : gate.decisions) {
    text += fact("", decision_text(decision), look);
  }
  std::vector<std::string> voters;
  std::ranges::transform(asked.voters, std::back_inserter(voters), [](const auto& each) { return printable(each); });
  const bool is_choice = voter_word(gate) == any_voter;
  text += fact("who", voters.empty() ? "" : listed(voters) + (is_choice ? ": say who you are" : ""), look);
  text += fact("action", asked.action_hash, look);
  text += fact("expiry", expiry_text(gate, now), look);
  const auto command = approve_command(gate, beside);
  return text + fact("approve", command, look) + fact("reject", command + " --reject", look);
}

}  // namespace

std::string_view outcome_of(expiry_policy policy) noexcept {
  switch (policy) {
    case expiry_policy::approve:
      return "approved";
    case expiry_policy::reject:
      return "rejected";
    case expiry_policy::escalate:
      return "asked of the next level";
    case expiry_policy::fail:
      return "failed";
  }
  return "failed";
}

std::string votes_text(const gate_view& gate) {
  return std::to_string(approvals_of(gate)) + " of " + counted(gate.asked.votes, "vote", "votes");
}

std::string expiry_text(const gate_view& gate, timestamp now) {
  if (!gate.expires_at) {
    return {};
  }
  const std::string outcome{outcome_of(gate.asked.on_expiry)};
  return *gate.expires_at > now ? "in " + whole_seconds(*gate.expires_at - now) + ", then it is " + outcome
                                : "over: it is " + outcome + " as soon as the run goes on";
}

std::string approve_command(const gate_view& gate, std::span<const gate_view> beside) {
  const auto& place = gate.asked.place;
  std::string command = "troupe approve " + gate.run.str() + ' ' + place.step.str();
  if (asks_several_times(gate, beside)) {
    command += " --superstep " + std::to_string(place.superstep.value());
    command += place.task ? " --task " + place.task->str() : "";
  }
  command += gate.asked.voters.empty() ? "" : " --as " + voter_word(gate);
  return gate.asked.action_hash.empty() ? command : command + " --action " + gate.asked.action_hash;
}

std::string gate_text(const gate_view& gate, std::span<const gate_view> beside, timestamp now, const style& look) {
  if (gate.state == gate_state::open) {
    return open_text(gate, beside, now, look);
  }
  std::string text = look.mark(sign_of(gate.state)) + ' ' + gate.asked.place.step.str() + "  ";
  text += std::string{to_string(gate.state)};
  if (gate.closed_at) {
    text += " after " + human_duration(*gate.closed_at - gate.opened_at);
  }
  text += gate.decisions.empty() && gate.state != gate_state::cancelled ? ", since nobody decided in time\n" : "\n";
  for (const auto& decision : gate.decisions) {
    text += fact("", decision_text(decision), look);
  }
  return text;
}

}  // namespace troupe

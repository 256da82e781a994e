#include "actors/agent/outcome.hpp"

#include "messages/base/json_text.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <utility>

namespace troupe {
namespace {

constexpr std::size_t shown_bytes_max = 200;

constexpr std::array<std::pair<int, std::string_view>, 14> signal_names{{{SIGHUP, "SIGHUP"},
                                                                         {SIGINT, "SIGINT"},
                                                                         {SIGQUIT, "SIGQUIT"},
                                                                         {SIGILL, "SIGILL"},
                                                                         {SIGTRAP, "SIGTRAP"},
                                                                         {SIGABRT, "SIGABRT"},
                                                                         {SIGBUS, "SIGBUS"},
                                                                         {SIGFPE, "SIGFPE"},
                                                                         {SIGKILL, "SIGKILL"},
                                                                         {SIGSEGV, "SIGSEGV"},
                                                                         {SIGPIPE, "SIGPIPE"},
                                                                         {SIGALRM, "SIGALRM"},
                                                                         {SIGTERM, "SIGTERM"},
                                                                         {SIGXCPU, "SIGXCPU"}}};

std::string name_of_signal(int number) {
  const auto* found = std::ranges::find(signal_names, number, &decltype(signal_names)::value_type::first);
  return found == signal_names.end() ? "signal " + std::to_string(number) : std::string{found->second};
}

std::string with_last_words(std::string text, std::string_view standard_error) {
  const auto line = last_line_for_display(standard_error, shown_bytes_max);
  if (!line.empty()) {
    text += ": " + line;
  }
  return text;
}

bool is_between(char c, char low, char high) { return c >= low && c <= high; }

// Length of the ANSI sequence at the front; 0 if there is none. ECMA-48, 5.4 (CSI: parameters, intermediates, a final
// byte), 5.6 (strings, such as titles and links, up to BEL or ST) and ECMA-35, 13.2 (the others).
std::size_t ansi_length(std::string_view text) {
  if (text.empty() || text[0] != '\x1b') {
    return 0;
  }
  std::size_t at = 1;
  const auto skip = [&](char low, char high) {
    while (at < text.size() && is_between(text[at], low, high)) {
      ++at;
    }
  };
  constexpr std::string_view string_openers = "]PX^_";  // OSC, DCS, SOS, PM, APC
  if (at < text.size() && string_openers.find(text[at]) != std::string_view::npos) {
    const auto end = text.find_first_of("\a\x1b", at);
    if (end == std::string_view::npos) {
      return text.size();
    }
    return text[end] == '\a' ? end + 1 : std::min(end + 2, text.size());
  }
  const bool is_control = at < text.size() && text[at] == '[';
  if (is_control) {
    ++at;
    skip('0', '?');
  }
  skip(' ', '/');
  const bool has_final = at < text.size() && is_between(text[at], is_control ? '@' : '0', '~');
  return has_final ? at + 1 : at;
}

void cut_at_character(std::string& text, std::size_t bytes_max) {
  if (text.size() > bytes_max) {
    std::size_t end = bytes_max;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) {
      --end;
    }
    text.resize(end);
  }
}

}  // namespace

std::optional<error> judge_exit(const agent_spec& spec, const exit_facts& facts) {
  const std::string agent = "agent '" + spec.name.str() + "'";
  if (facts.output_too_large) {
    return error{error_code::output_too_large,
                 agent + " printed more than its output_limit of " + std::to_string(spec.output_limit) +
                     " bytes and was stopped; the head is kept",
                 "raise output_limit of the agent, or make it print less"};
  }
  if (facts.exit.signal) {
    return error{error_code::agent_signal,
                 with_last_words(agent + " was ended by " + name_of_signal(*facts.exit.signal), facts.standard_error),
                 "see what it printed: troupe logs RUN --stderr"};
  }
  const int status = facts.exit.exit_code.value_or(0);
  if (std::ranges::find(spec.ok_exit, status) == spec.ok_exit.end()) {
    return error{error_code::agent_exit,
                 with_last_words(agent + " ended with status " + std::to_string(status), facts.standard_error),
                 "see what it printed: troupe logs RUN --stderr; list the status in ok_exit if it is no failure"};
  }
  if (facts.standard_output.empty()) {
    return error{error_code::agent_no_output,
                 with_last_words(agent + " ended with status " + std::to_string(status) + " and printed nothing",
                                 facts.standard_error),
                 "its answer is what it prints to stdout"};
  }
  return std::nullopt;
}

std::string for_display(std::string_view line, std::size_t bytes_max) {
  line = line.substr(0, std::min(line.size(), bytes_max * 8));
  std::string plain;
  while (!line.empty()) {
    if (const auto length = ansi_length(line)) {
      line.remove_prefix(length);
      continue;
    }
    const auto byte = static_cast<unsigned char>(line.front());
    if (byte == '\t') {
      plain += ' ';
    } else if (byte >= 0x20U && byte != 0x7FU) {
      plain += line.front();
    }
    line.remove_prefix(1);
  }
  plain = repair_utf8(plain);
  for (auto c1 = plain.find('\xC2'); c1 != std::string::npos; c1 = plain.find('\xC2', c1)) {  // U+0080 to U+009F
    if (static_cast<unsigned char>(plain[c1 + 1]) < 0xA0U) {
      plain.erase(c1, 2);
    } else {
      c1 += 2;
    }
  }
  cut_at_character(plain, bytes_max);
  return plain;
}

std::string last_line_for_display(std::string_view bytes, std::size_t bytes_max) {
  while (!bytes.empty()) {
    const auto end = bytes.find_last_not_of("\r\n");
    if (end == std::string_view::npos) {
      return {};
    }
    bytes = bytes.substr(0, end + 1);
    const auto start = bytes.find_last_of("\r\n");
    auto line = for_display(start == std::string_view::npos ? bytes : bytes.substr(start + 1), bytes_max);
    if (line.find_first_not_of(' ') != std::string::npos) {
      return line;
    }
    bytes = start == std::string_view::npos ? std::string_view{} : bytes.substr(0, start);
  }
  return {};
}

}  // namespace troupe

#include "runtime/cli/style.hpp"

namespace troupe {
namespace {

std::string_view sequence(ink with) noexcept {
  switch (with) {
    case ink::plain:
      return "";
    case ink::bold:
      return "\x1b[1m";
    case ink::dim:
      return "\x1b[2m";
    case ink::red:
      return "\x1b[31m";
    case ink::green:
      return "\x1b[32m";
    case ink::yellow:
      return "\x1b[33m";
    case ink::cyan:
      return "\x1b[36m";
  }
  return "";
}

struct glyph {
  std::string_view unicode;
  std::string_view ascii;
  ink with;
};

glyph glyph_of(sign of) noexcept {
  switch (of) {
    case sign::waiting:
      return {"○", ".", ink::dim};
    case sign::running:
      return {"●", "*", ink::cyan};
    case sign::good:
      return {"✓", "+", ink::green};
    case sign::warned:
      return {"!", "!", ink::yellow};
    case sign::failed:
      return {"✗", "x", ink::red};
    case sign::retrying:
      return {"↻", "~", ink::yellow};
    case sign::stopped:
      return {"–", "-", ink::dim};
  }
  return {" ", " ", ink::plain};
}

}  // namespace

std::string style::paint(ink with, std::string_view text) const {
  if (!colour || with == ink::plain || text.empty()) {
    return std::string{text};
  }
  return std::string{sequence(with)} + std::string{text} + "\x1b[0m";
}

std::string style::mark(sign of) const {
  const glyph drawn = glyph_of(of);
  return paint(drawn.with, unicode ? drawn.unicode : drawn.ascii);
}

sign sign_of(task_state state) noexcept {
  switch (state) {
    case task_state::pending:
    case task_state::queued:
      return sign::waiting;
    case task_state::running:
    case task_state::validating:
      return sign::running;
    case task_state::completed:
      return sign::good;
    case task_state::failed:
      return sign::failed;
    case task_state::retrying:
      return sign::retrying;
    case task_state::cancelled:
    case task_state::interrupted:
      return sign::stopped;
  }
  return sign::waiting;
}

ink ink_of(run_state state) noexcept {
  switch (state) {
    case run_state::pending:
    case run_state::running:
      return ink::cyan;
    case run_state::paused:
      return ink::yellow;
    case run_state::completed:
      return ink::green;
    case run_state::failed:
      return ink::red;
    case run_state::cancelled:
      return ink::dim;
  }
  return ink::plain;
}

}  // namespace troupe

// Colours and signs, as far as the reader's terminal has them. Colour never says what a word or a sign does not say too.
#pragma once

#include "messages/run.hpp"

#include <string>
#include <string_view>

namespace troupe {

enum class ink { plain, bold, dim, red, green, yellow, cyan };

/// What a line stands for at its left edge.
enum class sign { waiting, running, good, warned, failed, retrying, stopped };

struct style {
  bool colour = false;  ///< SGR sequences.
  bool unicode = true;  ///< Signs beyond ASCII.

  /// `text` in this ink; as it is where there are no colours.
  std::string paint(ink with, std::string_view text) const;
  /// One column wide, in its colour.
  std::string mark(sign of) const;
  std::string_view dot() const noexcept { return unicode ? "·" : "-"; }
};

sign sign_of(task_state state) noexcept;
ink ink_of(run_state state) noexcept;

}  // namespace troupe

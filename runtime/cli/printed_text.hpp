// Text as it stands on a terminal: how many columns it takes, cut and padded to a width, and safe to print although an
// agent wrote it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// Columns that `text` takes: 2 for wide East Asian characters and emoji, 0 for combining marks and for the colours that
/// `style` makes. UTF-8; a byte that is none counts as one column.
int printed_width(std::string_view text) noexcept;

/// One line that does nothing but show itself: escape sequences are taken out, tabs become a blank, other control
/// characters and line breaks too, invalid UTF-8 becomes U+FFFD. For everything that came from outside.
std::string printable(std::string_view bytes);

/// The same for each line of `bytes`; every one ends with a line break, also the last.
std::string printable_lines(std::string_view bytes);

/// At most `columns` wide; what was cut ends in `…` (or `...` without Unicode). `text` is printable.
std::string fit(std::string_view text, int columns, bool unicode = true);

/// Padded with blanks to at least `columns`.
std::string pad_right(std::string_view text, int columns);
std::string pad_left(std::string_view text, int columns);

/// Broken at blanks into lines of at most `columns`; a longer word stands alone. A line break in `text` is kept.
std::vector<std::string> wrap(std::string_view text, int columns);

/// "1 agent", "3 agents".
std::string counted(std::int64_t number, std::string_view singular, std::string_view plural);

/// Micro-dollars: "0.835 USD", "0.000125 USD", "2.50 USD".
std::string usd_text(std::int64_t microusd);

/// The same where attempts are `unpriced`, so that nobody knows the whole: "0.835 USD + unknown", "unknown".
std::string cost_text(std::int64_t microusd, std::int64_t unpriced);

/// "a, b and c"
std::string listed(const std::vector<std::string>& names);

}  // namespace troupe

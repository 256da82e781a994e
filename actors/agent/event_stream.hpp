// Server-sent events as they come over the wire (WHATWG HTML, 9.2): the data of each. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// Takes bytes in pieces of any size; what comes out does not depend on where they were split. Lines end with LF, CR or
/// CRLF; comments, other fields than `data`, events without data and a mark at the front are passed over.
/// Bounded by what it is fed: an event that is not over yet is kept.
class event_stream {
 public:
  /// The data of each event that these bytes end; lines of one event are joined by LF.
  std::vector<std::string> feed(std::string_view bytes);

  /// At the end of the bytes: the data of an event that no empty line ended. The last line of it may be a part.
  std::optional<std::string> rest();

 private:
  void take_line(std::string_view line, std::vector<std::string>& done);

  std::string line_;
  std::optional<std::string> data_;
  bool after_return_ = false;  // a LF now belongs to the CR before it
  bool at_start_ = true;
};

}  // namespace troupe

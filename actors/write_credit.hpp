// Who may send to the database writer: so many commands at once, the others in turn (WR-6).
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

namespace troupe {

/// A command's place on its way to the writer, given back when the last copy goes: with the answer, or with the death of
/// whoever waited for it.
using write_place = std::shared_ptr<const void>;

/// `depth` places, and a queue of those who want one. Copies share them. Any thread.
///
/// A mailbox has no bound, so the bound is before it: who has no place keeps its one command to itself, and memory
/// stays flat however much faster than the disk the senders are.
class write_credit {
 public:
  explicit write_credit(std::size_t depth = 4'096);

  /// Null when all are taken, or when others wait.
  write_place take() const;

  /// Calls `go` with a place when it is the caller's turn, on the thread that gives one back, or on this one: `go` does
  /// no more than send a message.
  void wait(std::function<void(write_place)> go) const;

  std::size_t waiting() const;

 private:
  struct places;
  std::shared_ptr<places> shared_;
};

}  // namespace troupe

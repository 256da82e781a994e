// Where a step stands in the graph of its run, as an identity that does not depend on time.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// The route indices that lead from the start of a run to one step of one superstep. The start has the empty path; the
/// step that route `i` of a step with path `p` leads to has `p.then(i)`.
///
/// Paths order the steps of a superstep: lexicographically, a path before what continues it. Runs of one index are kept
/// as a count, so that a chain or a loop of ten thousand steps has a short path.
class graph_path {
 public:
  graph_path() = default;

  graph_path then(std::uint32_t index) const;

  std::uint64_t length() const noexcept;

  /// `0*3.2` is 0, 0, 0, 2; empty for the start. Stored in supersteps.standing and gates.path: never change.
  std::string str() const;

  /// None where `text` is not what str() gives.
  static std::optional<graph_path> from(std::string_view text);

  /// The first eight bytes, big-endian, of SHA-256 over the indices, each as decimal digits with their number before it in
  /// eight bytes, big-endian (EN-3). Equal exactly for equal paths, short of a collision. Takes time in the length.
  std::uint64_t key() const;

  friend std::strong_ordering operator<=>(const graph_path& a, const graph_path& b) noexcept;
  friend bool operator==(const graph_path&, const graph_path&) = default;

 private:
  struct stretch {
    std::uint32_t index = 0;
    std::uint64_t count = 0;

    friend bool operator==(const stretch&, const stretch&) = default;
  };

  std::vector<stretch> stretches_;  // neighbours differ in their index
};

}  // namespace troupe

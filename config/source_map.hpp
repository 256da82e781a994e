// Where each value of a file stands, by its path: the model itself keeps only the place of each step.
#pragma once

#include "messages/workflow.hpp"

#include <map>
#include <string>
#include <string_view>

namespace troupe {

/// Paths are written `limits.max_steps`, `step[2].agents[0]`, `inputs.topic.default`.
class source_map {
 public:
  void set(std::string path, source_position at);

  /// As `set`, for a text: `raw` is how it is spelled in the file, from `at` on.
  void set_text(std::string path, source_position at, std::string raw);

  /// Of the path, or of the nearest part that encloses it; all empty if there is none.
  source_position find(std::string_view path) const;

  /// Of the n-th (from 0) `needle` within the text at `path`; where the text starts if it is not spelled so in the
  /// file.
  source_position find_in_text(std::string_view path, std::string_view needle, int n) const;

  bool contains(std::string_view path) const;

  /// What is below `path`, by what follows it there.
  source_map below(std::string_view path) const;

  /// Takes over all of `other`, each with `path` and a dot before it.
  void set_below(const std::string& path, const source_map& other);

  /// Every place of `file` as `rename` answers it for its path.
  template <class Rename>
  void relocate(std::string_view file, Rename rename) {
    for (auto& [path, spot] : places_) {
      if (spot.at.file == file) {
        spot.at = rename(path);
        spot.raw.clear();
      }
    }
  }

 private:
  struct place {
    source_position at;
    std::string raw;
  };

  std::map<std::string, place, std::less<>> places_;
};

}  // namespace troupe

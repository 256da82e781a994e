// The files of this repository, as the walls read them.
#pragma once

#include "tests/tidy/walls.hpp"

#include <filesystem>
#include <vector>

namespace troupe::tidy {

/// .cpp and .hpp of every floor, of tests/ and of perf/; by path.
std::vector<source_file> sources_of(const std::filesystem::path& root);

/// Everything that people write and that is text: sources, scripts, build files, schema, documents; by path. Without
/// build/ and version control's own.
std::vector<source_file> texts_of(const std::filesystem::path& root);

/// docs/adr/*.md, by path.
std::vector<source_file> decisions_of(const std::filesystem::path& root);

}  // namespace troupe::tidy

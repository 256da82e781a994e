// A workflow file whose one step is a map of child runs.
#pragma once

#include <string>

namespace troupe {

/// `each` has a run of the file `of` for the elements "x" and "y", which it gets as its input `file`. It takes that input
/// itself, so that it can stand at any level of a tree.
inline std::string map_file(const std::string& name, const std::string& of) {
  return "name = '" + name + "'\n[inputs.file]\n[state.files]\ninitial = ['x', 'y']\nreduce = 'last'\n" +
         "[[step]]\nid = 'each'\nmap = { over = '/files', as = 'file', workflow = '" + of + "' }\n";
}

}  // namespace troupe

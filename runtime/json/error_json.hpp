// Errors and problems for programs: the shape of the contract, section 5, in the library, over HTTP and on stdout.
#pragma once

#include "config/problem.hpp"
#include "messages/base/error.hpp"
#include "messages/base/ids.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace troupe {

/// Where an error belongs; what is not known is null.
struct error_place {
  std::optional<run_id> run;
  std::optional<step_id> step;
};

/// `{"code":…,"message":…,"hint":…,"run":…,"step":…}`: all five are always there.
std::string error_json(const error& what, const error_place& where = {});

/// `{"error":{…}}`; with problems, the error has a list `problems` as well.
std::string error_document(const error& what, const error_place& where = {}, std::span<const problem> problems = {});

/// What error_document wrote, but for its problems. INTERNAL, with the document in it: it did not.
error read_error_document(std::string_view document);

/// `{"file":…,"line":…,"column":…,"severity":"error","code":…,"key":…,"message":…,"hint":…}`.
std::string problem_json(const problem& found);
std::string problems_json(std::span<const problem> found);

}  // namespace troupe

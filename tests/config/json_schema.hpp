// As much of JSON Schema (draft 2020-12) as `troupe config schema` uses. A keyword that is not here fails the test.
#pragma once

#include <boost/json/value.hpp>

#include <string>

namespace troupe::test {

/// Empty if the document fits; else the first place where it does not: `/writer/max_batch: maximum`.
std::string misfit(const boost::json::value& document, const boost::json::value& schema, const std::string& at = {});

}  // namespace troupe::test

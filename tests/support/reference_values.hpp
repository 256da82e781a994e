// JSON as the reference engine looks at it.
#pragma once

#include "messages/workflow.hpp"

#include <boost/json/value.hpp>

#include <string>
#include <utility>

namespace troupe {

/// Equal exactly where two values are: keys in order, numbers by their amount.
std::string words_of(const boost::json::value& value);

namespace reference {

/// What stands there, or null. Pointers of tests have no escapes.
const boost::json::value* look(const boost::json::value& whole, const std::string& pointer);

/// -1, 0, 1, or 2 where the two cannot be ordered.
int order_of(const boost::json::value& a, const boost::json::value& b);

bool same(const boost::json::value& a, const boost::json::value& b);

/// What votes compare: without case, and without white space but for single spaces between words.
boost::json::value folded(const boost::json::value& value);

/// RFC 7396 as its section 2 has it.
boost::json::value patched(boost::json::value target, const boost::json::value& patch);

bool is_true(const condition& when, const boost::json::value& state);

/// The state with `given` in the field `name`, or the code of the refusal.
std::pair<boost::json::value, std::string> reduced(boost::json::value state,
                                                   const std::string& name,
                                                   const boost::json::value& given,
                                                   reducer how);

}  // namespace reference

}  // namespace troupe

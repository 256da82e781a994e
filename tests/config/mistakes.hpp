// What tests of mistakes in workflow files share.
#pragma once

#include "tests/config/samples.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace troupe::test {

inline const std::string name_rule_text =
    "a name has 1 to 64 characters of a-z, 0-9, '_' and '-', and starts with a letter or digit";

struct mistake {
  const char* name;
  const char* text;
  std::vector<std::string> says;
};

inline void expect_says(const std::vector<mistake>& mistakes) {
  for (const auto& each : mistakes) {
    SCOPED_TRACE(each.name);
    EXPECT_EQ(joined(check_text(each.text)), joined(each.says));
  }
}

}  // namespace troupe::test

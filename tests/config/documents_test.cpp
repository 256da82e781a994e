// What people read is what the code does.
#include "config/reference.hpp"
#include "tests/support/kept_document.hpp"

#include <gtest/gtest.h>

namespace troupe::test {
namespace {

TEST(documents, configuration_is_what_the_key_tables_say) {
  EXPECT_EQ(difference_to_kept("docs/configuration.md", configuration_page()), "");
}

}  // namespace
}  // namespace troupe::test

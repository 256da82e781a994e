#include "actors/service.hpp"

#include <gtest/gtest.h>

#include <memory>

namespace troupe {
namespace {

using handle = std::shared_ptr<int>;

handle actor(int number) { return std::make_shared<int>(number); }

TEST(service, names_nobody_before_the_first_start) { EXPECT_EQ(service<handle>{}.get(), nullptr); }

TEST(service, names_the_newest_to_all_copies) {
  const service<handle> first;
  const auto copy = first;
  first.set(actor(1));
  EXPECT_EQ(*copy.get(), 1);
  first.set(actor(2));
  EXPECT_EQ(*copy.get(), 2);
  first.set(nullptr);
  EXPECT_EQ(copy.get(), nullptr);
}

TEST(service, gives_several_their_turns_and_leaves_out_who_is_not_there) {
  const service<handle> several;
  several.set_one(2, actor(3));
  EXPECT_EQ(*several.get(), 3);
  EXPECT_EQ(*several.get(), 3);
  several.set_one(0, actor(1));
  several.set_one(1, actor(2));
  int sum = 0;
  for (int i = 0; i < 3; ++i) {
    sum += *several.get();
  }
  EXPECT_EQ(sum, 6) << "each of them once";
  several.set_one(1, nullptr);
  for (int i = 0; i < 6; ++i) {
    EXPECT_NE(*several.get(), 2);
  }
  several.set(nullptr);
  EXPECT_EQ(several.get(), nullptr);
}

}  // namespace
}  // namespace troupe

#include "messages/base/graph_path.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

namespace troupe {
namespace {

graph_path path_of(const std::vector<std::uint32_t>& indices) {
  graph_path path;
  for (const auto index : indices) {
    path = path.then(index);
  }
  return path;
}

TEST(graph_path_test, its_text_counts_what_repeats) {
  EXPECT_EQ(graph_path{}.str(), "");
  EXPECT_EQ(path_of({0}).str(), "0");
  EXPECT_EQ(path_of({0, 0, 0, 2, 10, 10}).str(), "0*3.2.10*2");
  EXPECT_EQ(path_of({0, 0, 0, 2, 10, 10}).length(), 6U);
}

TEST(graph_path_test, what_it_does_not_write_it_does_not_read) {
  for (const auto* text :
       {".", "a", "0.", ".0", "00", "01", "0.0", "0*1", "0*0", "0*", "*2", "1*02", "-1", "4294967296", " 0"}) {
    EXPECT_FALSE(graph_path::from(text)) << text;
  }
}

TEST(graph_path_test, its_key_is_the_frozen_one) {
  // printf '' | sha256sum; printf '\0\0\0\0\0\0\0\0010\0\0\0\0\0\0\0\00212' | sha256sum
  EXPECT_EQ(graph_path{}.key(), 0xe3b0c44298fc1c14U);
  EXPECT_EQ(path_of({0, 12}).key(), 0xb261b44eca7b104fU);
}

// Against plain lists of indices, which say what it means.
TEST(graph_path_test, orders_and_reads_back_as_a_list_of_indices_does) {
  const std::uint64_t seed = 20261121;
  std::mt19937_64 random{seed};
  for (int i = 0; i < 20'000; ++i) {
    const auto draw = [&] {
      std::vector<std::uint32_t> indices(random() % 6);
      std::ranges::generate(indices, [&] { return static_cast<std::uint32_t>(random() % 2); });
      return indices;
    };
    const auto a = draw();
    const auto b = draw();
    ASSERT_EQ(path_of(a) <=> path_of(b), a <=> b) << "seed " << seed << ", round " << i;
    ASSERT_EQ(path_of(a) == path_of(b), a == b);
    ASSERT_EQ(graph_path::from(path_of(a).str()), path_of(a)) << path_of(a).str();
    ASSERT_EQ(path_of(a).length(), a.size());
  }
}

TEST(graph_path_test, a_long_chain_has_a_short_text) {
  graph_path path;
  for (int i = 0; i < 100'000; ++i) {
    path = path.then(0);
  }
  EXPECT_EQ(path.str(), "0*100000");
  EXPECT_EQ(graph_path::from("0*100000"), path);
}

}  // namespace
}  // namespace troupe

#include "runtime/run_ids.hpp"

#include <cstdint>
#include <random>
#include <string>
#include <string_view>

namespace troupe {
namespace {

constexpr std::string_view digits = "0123456789abcdefghjkmnpqrstvwxyz";
constexpr int length_of_half = 10;

void append_base32(std::string& out, std::uint64_t number) {
  for (int shift = (length_of_half - 1) * 5; shift >= 0; shift -= 5) {
    out += digits[(number >> static_cast<unsigned>(shift)) & 31U];
  }
}

}  // namespace

run_id make_run_id(timestamp now) {
  std::random_device chance;
  const auto milliseconds_since_1970 = std::chrono::floor<milliseconds>(now).time_since_epoch().count();
  std::string id = "r-";
  append_base32(id, static_cast<std::uint64_t>(milliseconds_since_1970));
  append_base32(id, (std::uint64_t{chance()} << 32U) | chance());
  return run_id{id};
}

}  // namespace troupe

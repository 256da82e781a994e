#include "runtime/cli/human_time.hpp"

#include <array>
#include <cstdio>
#include <ctime>

namespace troupe {
namespace {

using std::chrono::duration_cast;
using std::chrono::floor;

template <class... Args>
std::string formatted(const char* format, Args... args) {
  std::array<char, 64> buffer{};
  const int length = std::snprintf(buffer.data(), buffer.size(), format, args...);
  return {buffer.data(), static_cast<std::size_t>(length > 0 ? length : 0)};
}

std::tm local(timestamp at) noexcept {
  const std::time_t seconds = floor<std::chrono::seconds>(at).time_since_epoch().count();
  std::tm parts{};
  localtime_r(&seconds, &parts);
  return parts;
}

std::string in_format(const std::tm& parts, const char* format) {
  std::array<char, 64> buffer{};
  return {buffer.data(), std::strftime(buffer.data(), buffer.size(), format, &parts)};
}

}  // namespace

std::string human_duration(std::chrono::microseconds length) {
  if (length >= 60s) {
    return whole_seconds(length);
  }
  return formatted("%.1fs", duration_cast<std::chrono::duration<double>>(length).count());
}

std::string whole_seconds(std::chrono::microseconds length) {
  const std::int64_t seconds = std::max<std::int64_t>(floor<std::chrono::seconds>(length).count(), 0);
  constexpr std::int64_t minute = 60;
  constexpr std::int64_t hour = 60 * minute;
  constexpr std::int64_t day = 24 * hour;
  const auto as_long = [](std::int64_t number) { return static_cast<long>(number); };
  if (seconds < minute) {
    return formatted("%lds", as_long(seconds));
  }
  if (seconds < hour) {
    return formatted("%ldm%02lds", as_long(seconds / minute), as_long(seconds % minute));
  }
  if (seconds < day) {
    return formatted("%ldh%02ldm", as_long(seconds / hour), as_long(seconds % hour / minute));
  }
  return formatted("%ldd%02ldh", as_long(seconds / day), as_long(seconds % day / hour));
}

std::string local_time(timestamp at) { return in_format(local(at), "%Y-%m-%d %H:%M:%S"); }

std::string local_clock(timestamp at) {
  const auto fraction = floor<milliseconds>(at) - floor<std::chrono::seconds>(at);
  return in_format(local(at), "%H:%M:%S") + formatted(".%03d", static_cast<int>(fraction.count()));
}

std::string local_time_near(timestamp at, timestamp now) {
  const std::tm then = local(at);
  const std::tm today = local(now);
  const bool same_day = then.tm_year == today.tm_year && then.tm_yday == today.tm_yday;
  return in_format(then, same_day ? "%H:%M:%S" : "%Y-%m-%d %H:%M:%S");
}

std::string human_bytes(std::int64_t bytes) {
  constexpr std::array<const char*, 4> units{"KiB", "MiB", "GiB", "TiB"};
  constexpr double step = 1024;
  double amount = static_cast<double>(bytes);
  if (amount < step) {
    return formatted("%ld B", static_cast<long>(bytes));
  }
  std::size_t unit = 0;
  for (amount /= step; amount >= step && unit + 1 < units.size(); ++unit) {
    amount /= step;
  }
  return formatted("%.1f %s", amount, units.at(unit));
}

}  // namespace troupe

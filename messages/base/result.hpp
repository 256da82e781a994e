// Either a value or an operating error. Outcomes of tasks and runs are not errors of ours: they are data.
#pragma once

#include "messages/base/error.hpp"

#include <utility>
#include <variant>

namespace troupe {

template <class T>
class [[nodiscard]] result {
 public:
  result(T value) : held_(std::in_place_index<0>, std::move(value)) {}          // NOLINT(google-explicit-constructor)
  result(troupe::error why) : held_(std::in_place_index<1>, std::move(why)) {}  // NOLINT(google-explicit-constructor)

  explicit operator bool() const noexcept { return held_.index() == 0; }
  bool has_value() const noexcept { return held_.index() == 0; }

  /// Only when has_value(): a bug otherwise (std::bad_variant_access).
  T& operator*() & { return std::get<0>(held_); }
  const T& operator*() const& { return std::get<0>(held_); }
  T&& operator*() && { return std::get<0>(std::move(held_)); }
  T* operator->() { return &std::get<0>(held_); }
  const T* operator->() const { return &std::get<0>(held_); }

  /// Only when !has_value().
  const troupe::error& error() const { return std::get<1>(held_); }

 private:
  std::variant<T, troupe::error> held_;
};

/// A command that yields nothing but success.
struct done_t {
  friend bool operator==(done_t, done_t) = default;
};
inline constexpr done_t done{};
using status = result<done_t>;

}  // namespace troupe

#include "perf/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace troupe::perf {
namespace {

double mean_of(const sample& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double variance_of(const sample& values) {
  const double mean = mean_of(values);
  const double squares = std::accumulate(values.begin(), values.end(), 0.0, [&](double sum, double value) {
    return sum + (value - mean) * (value - mean);
  });
  return squares / static_cast<double>(values.size() - 1);
}

// The continued fraction of the incomplete beta function by Lentz's method (Press et al., Numerical Recipes, 6.4).
double beta_fraction(double a, double b, double x) {
  constexpr double tiny = 1e-300;
  const auto away_from_zero = [](double value) { return std::abs(value) < tiny ? tiny : value; };
  double c = 1;
  double d = 1 / away_from_zero(1 - (a + b) * x / (a + 1));
  double fraction = d;
  for (int m = 1; m <= 500; ++m) {
    const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / away_from_zero(1 + even * d);
    c = away_from_zero(1 + even / c);
    fraction *= d * c;
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / away_from_zero(1 + odd * d);
    c = away_from_zero(1 + odd / c);
    const double step = d * c;
    fraction *= step;
    if (std::abs(step - 1) < 1e-14) {
      break;
    }
  }
  return fraction;
}

double incomplete_beta(double a, double b, double x) {
  if (x <= 0 || x >= 1) {
    return x <= 0 ? 0 : 1;
  }
  const double front =
      std::exp(std::lgamma(a + b) - std::lgamma(a) - std::lgamma(b) + a * std::log(x) + b * std::log1p(-x));
  return x < (a + 1) / (a + b + 2) ? front * beta_fraction(a, b, x) / a : 1 - front * beta_fraction(b, a, 1 - x) / b;
}

// P(T > t) of Student's distribution.
double student_above(double t, double freedom) {
  const double both = incomplete_beta(freedom / 2, 0.5, freedom / (freedom + t * t));
  return t > 0 ? both / 2 : 1 - both / 2;
}

}  // namespace

double quantile(sample values, double part) {
  if (values.empty()) {
    return std::numeric_limits<double>::quiet_NaN();
  }
  std::sort(values.begin(), values.end());
  const double place = part * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const auto above = std::min(below + 1, values.size() - 1);
  return values[below] + (place - std::floor(place)) * (values[above] - values[below]);
}

summary summarize(const sample& values) {
  summary told;
  told.n = values.size();
  told.median = median(values);
  told.p95 = quantile(values, 0.95);
  told.p99 = quantile(values, 0.99);
  told.mean = values.empty() ? told.median : mean_of(values);
  told.deviation = values.size() > 1 ? std::sqrt(variance_of(values)) : 0;
  return told;
}

interval median_interval(sample values) {
  if (values.empty()) {
    return {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::quiet_NaN()};
  }
  std::sort(values.begin(), values.end());
  const auto n = static_cast<int>(values.size());
  // The largest k for which fewer than k of n values lie below the median in at most 2.5 % of all samples.
  double below = 0;
  int k = 0;
  while (k < n / 2) {
    const double exactly = std::exp(std::lgamma(n + 1) - std::lgamma(k + 1) - std::lgamma(n - k + 1) - n * std::log(2));
    if (below + exactly > 0.025) {
      break;
    }
    below += exactly;
    ++k;
  }
  const auto rank = static_cast<std::size_t>(std::max(k, 1));
  return {values[rank - 1], values[values.size() - rank]};
}

double welch_p(const sample& high, const sample& low) {
  if (high.size() < 2 || low.size() < 2) {
    return 1;
  }
  const auto n_high = static_cast<double>(high.size());
  const auto n_low = static_cast<double>(low.size());
  const double a = variance_of(high) / n_high;
  const double b = variance_of(low) / n_low;
  const double difference = mean_of(high) - mean_of(low);
  if (a + b == 0) {
    return difference > 0 ? 0 : 1;
  }
  const double freedom = (a + b) * (a + b) / (a * a / (n_high - 1) + b * b / (n_low - 1));
  return student_above(difference / std::sqrt(a + b), freedom);
}

sample scaled(sample values, double factor) {
  for (auto& value : values) {
    value *= factor;
  }
  return values;
}

sample ratios(const sample& a, const sample& b) {
  sample quotients(std::min(a.size(), b.size()));
  for (std::size_t i = 0; i < quotients.size(); ++i) {
    quotients[i] = a[i] / b[i];
  }
  return quotients;
}

}  // namespace troupe::perf

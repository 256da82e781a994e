// What is said of measurements. Nothing here assumes that they are normal, but for Welch's test.
#pragma once

#include <cstddef>
#include <vector>

namespace troupe::perf {

using sample = std::vector<double>;

/// Between the two nearest values by their distance; `part` from 0 to 1. NaN for an empty sample.
double quantile(sample values, double part);
inline double median(const sample& values) { return quantile(values, 0.5); }

struct summary {
  std::size_t n = 0;
  double median = 0;
  double p95 = 0;
  double p99 = 0;
  double mean = 0;
  double deviation = 0;  ///< Of the sample, with n - 1.
};

summary summarize(const sample& values);

struct interval {
  double low = 0;
  double high = 0;
};

/// Where the median of the population is with 95 % confidence, by the ranks of a binomial; all of the sample below n = 6.
interval median_interval(sample values);

/// Welch's t-test, one-sided: how probable a difference as large as this is if the mean of `high` is not above the mean
/// of `low`. Below 0.05 it is taken as shown. 1 where either sample has less than two values.
double welch_p(const sample& high, const sample& low);

/// Each value by `factor`.
sample scaled(sample values, double factor);

/// a[i] / b[i]: of rounds in which both were measured next to each other. As many as the shorter one has.
sample ratios(const sample& a, const sample& b);

}  // namespace troupe::perf

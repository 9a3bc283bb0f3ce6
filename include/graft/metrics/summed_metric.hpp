/// @file
/// @brief A metric whose score sums over items decide: score, score of some items, interval, comparison.
#pragma once

#include <cstddef>
#include <functional>
#include <graft/metrics/bootstrap.hpp>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace graft {

/// What a metric counted in every item, and how the sums of these counts become the score.
struct SummedMetric {
  std::string name;                                        ///< as reports show it, such as `NIST`
  ItemStatistics statistics;                               ///< `[items, width]`
  std::function<double(std::span<double const>)> of_sums;  ///< takes sums over items, `[width]`

  /// The score of all items.
  [[nodiscard]] double score() const { return of_sums(statistics.sums()); }
  /// The score of one item on its own.
  [[nodiscard]] double score(std::size_t item) const { return of_sums(statistics.item(item)); }
  /// The score of some items, such as those of one domain. @param items their numbers
  [[nodiscard]] double score(std::span<std::size_t const> items) const {
    std::vector<double> sums;
    detail::sum_chosen(statistics, items, sums);
    return of_sums(sums);
  }
  /// The bootstrap interval of the score. @throws ConfigError as `bootstrap_interval`
  [[nodiscard]] Interval interval(BootstrapOptions const& options = {}) const {
    return bootstrap_interval(statistics, of_sums, options);
  }
  /// This system compared with another one by the same metric. @throws ConfigError as `paired_bootstrap`
  [[nodiscard]] PairedDifference compared_with(SummedMetric const& other, BootstrapOptions const& options = {}) const {
    return paired_bootstrap(statistics, other.statistics, of_sums, options);
  }
};

namespace detail {

/// A metric that is the mean of a number of each item. @param values `[items]`
inline SummedMetric mean_metric(std::string name, std::vector<double> const& values) {
  SummedMetric metric{
      std::move(name), {2, {}}, [](std::span<double const> sums) { return sums[1] > 0 ? sums[0] / sums[1] : 0.0; }};
  metric.statistics.values.reserve(2 * values.size());
  for (double const value : values) metric.statistics.values.insert(metric.statistics.values.end(), {value, 1.0});
  return metric;
}

}  // namespace detail
}  // namespace graft

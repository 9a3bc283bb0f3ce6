/// @file
/// @brief Bootstrap confidence intervals of a score, and the paired comparison of two systems.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <graft/core/error.hpp>
#include <graft/core/random.hpp>
#include <span>
#include <utility>
#include <vector>

namespace graft {

/// The bounds between which a score lies with the chosen confidence, in the score's own unit.
struct Interval {
  double low = 0;
  double high = 0;
};

struct BootstrapOptions {
  std::size_t resamples = 1000;
  double confidence = 0.95;  ///< between 0 and 1
  std::uint64_t seed = 0;    ///< equal seeds choose equal items, for any score of as many items
};

/// Numbers of each item whose sums over the items decide a score: for BLEU, the matches and lengths of each text.
/// `values` is `[items, width]`, row by row.
struct ItemStatistics {
  std::size_t width = 1;
  std::vector<double> values;

  [[nodiscard]] std::size_t items() const { return width == 0 ? 0 : values.size() / width; }
  /// The numbers of item `i`, `[width]`.
  [[nodiscard]] std::span<double const> item(std::size_t i) const {
    return std::span<double const>(values).subspan(i * width, width);
  }
  /// The sums over all items, `[width]`.
  [[nodiscard]] std::vector<double> sums() const {
    std::vector<double> total(width, 0.0);
    for (std::size_t i = 0; i < items(); ++i)
      for (std::size_t k = 0; k < width; ++k) total[k] += values[i * width + k];
    return total;
  }
};

/// How a system differs from another one on the same items.
struct PairedDifference {
  double difference = 0;  ///< score of the first system less that of the second
  Interval interval;      ///< of the difference
  double p = 1;  ///< two-sided: how probable a difference of this size is between systems that are equally good
};

namespace detail {

inline void check_bootstrap(std::size_t items, BootstrapOptions const& options) {
  if (items == 0) fail<ConfigError>("[bootstrap] got no items; expected at least one");
  if (options.resamples == 0) fail<ConfigError>("[bootstrap] got 0 resamples; expected at least one");
  if (!(options.confidence > 0 && options.confidence < 1))
    fail<ConfigError>("[bootstrap] got confidence ", options.confidence, "; expected a number between 0 and 1");
}

/// Calls `visit(chosen)` for each resample with as many items as there are, each drawn with replacement, `[items]`.
template <class Visit>
void for_each_resample(std::size_t items, BootstrapOptions const& options, Visit const& visit) {
  check_bootstrap(items, options);
  RandomKey const key = RandomKey(options.seed).with("bootstrap");
  std::vector<std::size_t> chosen(items);
  for (std::size_t r = 0; r < options.resamples; ++r) {
    RandomKey const resample = key.with(r);
    for (std::size_t i = 0; i < items; ++i) chosen[i] = static_cast<std::size_t>(resample.below(i, items));
    visit(std::span<std::size_t const>(chosen));
  }
}

/// The value below which the share `q` of the sorted values lies, between neighbours by a straight line.
inline double quantile(std::vector<double> const& sorted, double q) {
  double const place = q * static_cast<double>(sorted.size() - 1);
  auto const below = static_cast<std::size_t>(place);
  if (below + 1 >= sorted.size()) return sorted.back();
  return sorted[below] + (place - static_cast<double>(below)) * (sorted[below + 1] - sorted[below]);
}

/// The percentile interval of the scores of all resamples.
inline Interval percentile_interval(std::vector<double> scores, double confidence) {
  for (double const score : scores)
    if (std::isnan(score))
      fail<ConfigError>(
          "[bootstrap] got a resample whose score is not a number; expected a score of any choice of items");
  std::sort(scores.begin(), scores.end());
  double const tail = (1 - confidence) / 2;
  return {quantile(scores, tail), quantile(scores, 1 - tail)};
}

/// Sums of the chosen items' numbers, `[width]`.
inline void sum_chosen(ItemStatistics const& statistics, std::span<std::size_t const> chosen,
                       std::vector<double>& total) {
  total.assign(statistics.width, 0.0);
  for (std::size_t const i : chosen) {
    double const* const row = statistics.values.data() + i * statistics.width;
    for (std::size_t k = 0; k < statistics.width; ++k) total[k] += row[k];
  }
}

/// p and interval from the differences of all resamples. The differences less their mean stand for systems that are
/// equally good; p counts how often these are as far from 0 as the observed difference (sacreBLEU's estimate).
inline PairedDifference compare_differences(double observed, std::vector<double> const& differences,
                                            double confidence) {
  PairedDifference result{observed, percentile_interval(differences, confidence), 1};
  double mean = 0;
  for (double const d : differences) mean += d / static_cast<double>(differences.size());
  std::size_t as_far = 0;
  for (double const d : differences) as_far += std::abs(d - mean) >= std::abs(observed);
  result.p = static_cast<double>(as_far + 1) / static_cast<double>(differences.size() + 1);
  return result;
}

}  // namespace detail

/// The interval of a score by the percentile bootstrap: the score is computed again for `resamples` choices of items,
/// each with as many items as there are, drawn with replacement; the interval leaves out (1 − confidence) / 2 of these
/// scores at each end. Source: Efron, "Bootstrap Methods: Another Look at the Jackknife", Annals of Statistics 1979.
/// @param score_of_chosen takes `std::span<std::size_t const>` `[items]`, the numbers of the chosen items, and gives
/// their score
/// @throws ConfigError without items or resamples, for a confidence outside (0, 1), and for a score that is not a
/// number
template <class Score>
[[nodiscard]] Interval bootstrap_interval(std::size_t items, Score const& score_of_chosen,
                                          BootstrapOptions const& options = {}) {
  std::vector<double> scores;
  detail::for_each_resample(items, options, [&](std::span<std::size_t const> chosen) {
    scores.push_back(static_cast<double>(score_of_chosen(chosen)));
  });
  return detail::percentile_interval(std::move(scores), options.confidence);
}

/// The same for a score that sums over items decide: `resamples · items · width` additions.
/// @param score_of_sums takes `std::span<double const>` `[width]`, the sums, and gives the score
template <class Score>
[[nodiscard]] Interval bootstrap_interval(ItemStatistics const& statistics, Score const& score_of_sums,
                                          BootstrapOptions const& options = {}) {
  std::vector<double> total;
  return bootstrap_interval(
      statistics.items(),
      [&](std::span<std::size_t const> chosen) {
        detail::sum_chosen(statistics, chosen, total);
        return score_of_sums(std::span<double const>(total));
      },
      options);
}

/// Compares two systems on the same items: both are scored on the same choices of items. Source: Koehn, "Statistical
/// Significance Tests for Machine Translation Evaluation", EMNLP 2004.
/// @param first, second scores of a choice of items, as `bootstrap_interval` takes them
template <class First, class Second>
[[nodiscard]] PairedDifference paired_bootstrap(std::size_t items, First const& first, Second const& second,
                                                BootstrapOptions const& options = {}) {
  detail::check_bootstrap(items, options);
  std::vector<std::size_t> all(items);
  for (std::size_t i = 0; i < items; ++i) all[i] = i;
  auto const difference = [&](std::span<std::size_t const> chosen) {
    return static_cast<double>(first(chosen)) - static_cast<double>(second(chosen));
  };
  std::vector<double> differences;
  detail::for_each_resample(items, options,
                            [&](std::span<std::size_t const> chosen) { differences.push_back(difference(chosen)); });
  return detail::compare_differences(difference(all), differences, options.confidence);
}

/// The same for scores that sums over items decide.
/// @throws ConfigError also when the systems differ in their number of items
template <class Score>
[[nodiscard]] PairedDifference paired_bootstrap(ItemStatistics const& first, ItemStatistics const& second,
                                                Score const& score_of_sums, BootstrapOptions const& options = {}) {
  if (first.items() != second.items())
    fail<ConfigError>("[bootstrap] got ", first.items(), " items of one system and ", second.items(),
                      " of the other; expected the same items");
  std::vector<double> total;
  auto const score = [&](ItemStatistics const& statistics) {
    return [&](std::span<std::size_t const> chosen) {
      detail::sum_chosen(statistics, chosen, total);
      return static_cast<double>(score_of_sums(std::span<double const>(total)));
    };
  };
  return paired_bootstrap(first.items(), score(first), score(second), options);
}

}  // namespace graft

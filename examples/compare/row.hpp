/// @file
/// @brief One row of the comparison: a strategy with its settings, over all seeds.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <graft/metrics/bootstrap.hpp>

#include "grid.hpp"
#include "run.hpp"

namespace compare {

/// Mean and sample standard deviation (divisor n − 1) of what several seeds gave.
struct Spread {
  double mean = unknown, deviation = unknown;  ///< the deviation of fewer than two is unknown
  std::size_t count = 0;
};
/// Of the numbers that are known.
Spread spread_of(std::vector<double> const& values);

/// A metric of a row on a test set.
struct Measure {
  std::vector<double> runs;                           ///< of each run; unknown where it has none
  Spread spread;                                      ///< over seeds
  graft::Interval interval{unknown, unknown};         ///< of the mean over seeds, over choices of test examples
  std::optional<graft::PairedDifference> difference;  ///< from the row that was chosen for it
};

struct Row {
  RowSpec spec;
  std::string title;
  std::size_t study = 0;  ///< the report's, whose task it was
  std::vector<Run> runs;  ///< one for each seed; at least one
  double learning_rate = 0;
  Curve tuning;                  ///< (learning rate, validation loss) of every rate that was tried
  bool above_none = false;       ///< trained, but no better than the untrained model in validation loss
  std::vector<double> together;  ///< of each of the report's metrics, on all test sets as one: mean over seeds
  std::vector<std::vector<Measure>> measures;  ///< of each test set and each of the report's metrics

  [[nodiscard]] bool trained() const { return is_trained(spec.strategy.name); }
  /// The runs with results.
  [[nodiscard]] std::vector<Run const*> finished() const;
  [[nodiscard]] std::size_t failures() const;
  /// Whether no run has results.
  [[nodiscard]] bool has_no_results() const { return finished().empty(); }
  /// The first finished run, else the first one.
  [[nodiscard]] Run const& first() const;
  [[nodiscard]] Spread spread(double Run::* member) const;
  /// Of trained parameters among all.
  [[nodiscard]] double percent() const;
};

/// What the failed runs of a row said; empty where none failed.
std::string error_of(Row const& row);
/// A sentence on what went wrong with a row; empty where nothing did.
std::string warning_of(Row const& row);

}  // namespace compare

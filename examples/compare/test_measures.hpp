/// @file
/// @brief What the metrics of all rows are on one test set.
#pragma once

#include <cstddef>
#include <vector>

#include "report.hpp"

namespace compare {

/// What all rows have on one test set, `[rows][metrics]`.
class TestMeasures {
 public:
  TestMeasures(Report& report, std::size_t test);

  /// Adds the test set's measures to the rows: every run's own score.
  void collect();
  /// Means over runs, intervals, and differences from the row `against`, where there is one.
  void conclude(std::size_t against);
  /// Adds the sums of every run to `sums`, `[rows][runs][metrics]`.
  void add_to(std::vector<std::vector<Measurements>>& sums) const;

 private:
  /// A finished run with outputs of the test set.
  struct Place {
    std::size_t row, run;
  };

  [[nodiscard]] std::vector<Place> runs_with_outputs() const;
  /// Calls `act(row, metric)` for the metrics that rows have.
  template <class Act>
  void for_each_row(Act const& act) const;

  Report& report_;
  std::size_t test_;
  std::vector<Place> places_;
  std::vector<Measurements> measured_;  ///< of each place
  std::vector<Measurements> rows_;      ///< of each row: the mean over its runs
};

}  // namespace compare

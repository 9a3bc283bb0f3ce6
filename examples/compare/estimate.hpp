/// @file
/// @brief How long the rest of a comparison takes, learnt from the rows that are done.
#pragma once

#include <optional>
#include <vector>

#include "row.hpp"

namespace compare {

/// Rows are weighed by what their work costs relative to each other: training by its factor, everything else (loading,
/// validation, generation) by one share for all. Both are measured on finished rows; before the first trained row is
/// done, the guess comes from the untrained one's validation.
class Estimate {
 public:
  explicit Estimate(Task const& task) : task_(task) {}
  void add(Row const& row);
  /// Seconds for rows of these methods; nothing before any row was seen.
  [[nodiscard]] std::optional<double> seconds(std::vector<std::string> const& methods) const;

 private:
  [[nodiscard]] double rest_of(Row const& row) const { return row.seconds - row.train_seconds; }

  Task task_;
  double train_seconds_ = 0, train_weight_ = 0;  // of finished trained rows
  double other_seconds_ = 0, others_ = 0;        // of all finished rows
  double guess_ = 0;                             // seconds of training at factor 1
};

}  // namespace compare

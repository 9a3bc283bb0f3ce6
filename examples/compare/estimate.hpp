/// @file
/// @brief How long the rest of a comparison takes, learnt from the runs that are done.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "run.hpp"

namespace compare {

/// A strategy of which runs are done takes their mean. Others are weighed by what their work costs relative to each
/// other: training by its factor, everything else (loading, validation, generation) by one share for all. Both are
/// measured on finished runs; before the first trained one is done, the guess comes from the untrained one's
/// validation.
class Estimate {
 public:
  explicit Estimate(Task const& task) : task_(task) {}
  void add(Strategy const& strategy, Run const& run);
  /// Seconds for runs of these strategies, one after the other; nothing before any run was seen.
  [[nodiscard]] std::optional<double> seconds(std::vector<std::string> const& strategies) const;

 private:
  Task task_;
  std::map<std::string, std::pair<double, double>> own_;  // of a strategy: seconds, runs
  double train_seconds_ = 0, train_weight_ = 0;           // of finished trained runs
  double other_seconds_ = 0, others_ = 0;                 // of all finished runs
  double guess_ = 0;                                      // seconds of training at factor 1
};

}  // namespace compare

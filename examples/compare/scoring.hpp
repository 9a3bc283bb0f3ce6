/// @file
/// @brief Which metrics of outputs are reported, and what they count in each test example.
#pragma once

#include <string>
#include <vector>

#include <graft/data/example.hpp>
#include <graft/metrics/summed_metric.hpp>

namespace compare {

/// What is to be measured of outputs. BLEU and NIST take sacreBLEU's tokens, lower-cased; the others are what `score`
/// computes without further options.
struct MetricChoice {
  std::vector<std::string> names{"bleu", "rouge_l"};
  std::string meteor_data;  ///< folder of METEOR's word lists; empty: there is none
};

/// One metric as reports show it.
struct Metric {
  std::string key;          ///< in JSON and CSV
  std::string title, help;  ///< in tables
  int digits = 1;           ///< after the point, in tables
  bool low_is_better = false;
  bool chosen = true;   ///< shown in tables and plots; JSON and CSV have the others too
  bool of_set = false;  ///< what an example counts depends on the references of the whole test set
};

inline constexpr char const* accuracy = "accuracy";

/// What `--metrics` takes: single metrics, `accuracy`, and `score`'s names of several.
std::vector<std::string> metric_names();

/// The single metrics that a list of such names stands for.
std::vector<std::string> single_metrics(std::vector<std::string> const& names);

/// The metrics of a report: the chosen ones, and accuracy behind them where it is not among them.
std::vector<Metric> metrics_of(MetricChoice const& choice);

/// Measures a text, so that a metric that cannot be computed is said before any work.
/// @throws ConfigError for METEOR without its libraries or word lists, FileError for word lists that are incomplete
void check_metrics(MetricChoice const& choice);

/// What each metric of `metrics_of` counts in each example; without items for those that a classifier lacks.
using Measurements = std::vector<graft::SummedMetric>;

/// Measures what several runs wrote for the same test examples.
/// @param runs outputs of each run, `[runs][examples]`
/// @param classes whether the outputs are classes: of these there is accuracy alone
std::vector<Measurements> measure(MetricChoice const& choice, std::vector<std::vector<std::string> const*> const& runs,
                                  std::vector<graft::Example> const& examples, bool classes);

}  // namespace compare

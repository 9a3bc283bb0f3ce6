/// @file
/// @brief The metrics of `score`: which there are, and what they count in outputs.
#pragma once

#include <graft/metrics/ngrams.hpp>
#include <graft/metrics/summed_metric.hpp>
#include <string>
#include <utility>
#include <vector>

#include "score/inputs.hpp"

namespace scoring {

/// What the command line says of the metrics.
struct MetricSettings {
  std::vector<std::string> metrics;  ///< empty: all that can be computed
  std::string tokenization = "e2e";
  std::string smoothing = "matching";
  bool lowercase = false;
  std::string nist_length = "corpus";
  std::string meteor_tokens = "plain";
  std::string cider_tokens = "treebank";
  std::string meteor_data;
  bool ter_normalize = false, ter_no_punctuation = false, ter_case = false;
};

/// A metric under the name that it has in JSON.
struct NamedMetric {
  std::string key;
  graft::SummedMetric metric;
};

/// Metrics, and those that were left out with the reason, as sentences.
struct Measured {
  std::vector<NamedMetric> metrics;
  std::vector<std::pair<std::string, std::string>> left_out;
};

/// The names that `--metrics` takes.
[[nodiscard]] std::vector<std::string> const& metric_names();

/// True when `name` is asked for, or nothing is.
[[nodiscard]] bool wanted(MetricSettings const& settings, std::string const& name);

/// What the metrics count. @throws ConfigError for METEOR that is asked for in a build without its libraries
[[nodiscard]] Measured measure(MetricSettings const& settings, std::vector<std::string> const& outputs,
                               References const& references);

}  // namespace scoring

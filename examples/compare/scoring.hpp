/// @file
/// @brief Metrics of outputs, from numbers of each example that add up: so that they can be computed for any choice of
/// examples.
#pragma once

#include <array>
#include <span>
#include <string>
#include <vector>

#include <graft/data/example.hpp>
#include <graft/metrics/bootstrap.hpp>

#include "run.hpp"

namespace compare {

/// One metric of a test set, in percent.
struct Metric {
  char const* key;    ///< in JSON and CSV
  char const* title;  ///< in tables
  char const* help;
};
enum MetricIndex : std::size_t { bleu, rouge_l, accuracy, metric_count };
inline constexpr std::array<Metric, metric_count> metrics{{
    {"bleu", "BLEU", "sacreBLEU's tokenization, lower-cased"},
    {"rouge_l", "ROUGE-L", "F1"},
    {"accuracy", "accuracy", "share of the outputs that are one of their references"},
}};
using Scores = std::array<double, metric_count>;

/// BLEU's matches, totals and lengths, ROUGE-L, whether the output is one of its references, and 1: of each example,
/// `[examples, item_width]`. A classifier has no BLEU and ROUGE-L.
inline constexpr std::size_t item_width = 13;
graft::ItemStatistics item_statistics(std::vector<std::string> const& outputs,
                                      std::vector<graft::Example> const& examples, bool classes);

/// The metrics of the examples whose numbers are summed, `[item_width]`; NaN for those that a classifier lacks.
Scores scores_of(std::span<double const> sums, bool classes);

}  // namespace compare

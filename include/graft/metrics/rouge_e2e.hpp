/// @file
/// @brief ROUGE-L as the E2E challenge's scripts compute it: a number of its own, not comparable with `rouge_score`'s.
#pragma once

#include <algorithm>
#include <graft/metrics/ngrams.hpp>
#include <graft/metrics/rouge.hpp>
#include <graft/metrics/summed_metric.hpp>
#include <graft/metrics/treebank.hpp>
#include <string>
#include <vector>

namespace graft {

/// Mean over items of `(1 + β²)·P·R / (R + β²·P)` in percent, β = 1.2, with the longest common subsequence's highest
/// share of the hypothesis (P) and highest share of a reference (R), each the best over references on its own.
///
/// This is coco-caption's `rouge.py` under e2e-metrics. Words are cut by the Treebank rules that its PTBTokenizer
/// (Stanford CoreNLP) applies to such texts; on the challenge's nine archived systems the published values come out to
/// 4 decimals.
/// @throws ConfigError when hypotheses and reference lists do not pair up or are empty
[[nodiscard]] inline SummedMetric e2e_rouge_l_metric(std::vector<std::string> const& hypotheses,
                                                     ReferenceLists const& references) {
  detail::check_references("e2e_rouge_l", hypotheses, references);
  constexpr double beta_squared = 1.2 * 1.2;
  detail::WordIds ids;
  std::vector<double> values;
  for (std::size_t i = 0; i < hypotheses.size(); ++i) {
    auto const ours = ids(detail::treebank_words(hypotheses[i]));
    double precision = 0, recall = 0;
    for (std::string const& reference : references[i]) {
      auto const theirs = ids(detail::treebank_words(reference));
      auto const common = static_cast<double>(detail::longest_common_subsequence(ours, theirs));
      if (common == 0) continue;
      precision = std::max(precision, common / static_cast<double>(ours.size()));
      recall = std::max(recall, common / static_cast<double>(theirs.size()));
    }
    values.push_back(precision > 0 ? 100 * (1 + beta_squared) * precision * recall / (recall + beta_squared * precision)
                                   : 0.0);
  }
  return detail::mean_metric("ROUGE-L (E2E)", values);
}

/// That mean alone. @throws ConfigError as `e2e_rouge_l_metric`
[[nodiscard]] inline double e2e_rouge_l(std::vector<std::string> const& hypotheses, ReferenceLists const& references) {
  return e2e_rouge_l_metric(hypotheses, references).score();
}

}  // namespace graft

#include "scoring.hpp"

#include <algorithm>

#include <graft/metrics/bleu.hpp>
#include <graft/metrics/rouge.hpp>

namespace compare {

graft::ItemStatistics item_statistics(std::vector<std::string> const& outputs,
                                      std::vector<graft::Example> const& examples, bool classes) {
  graft::ItemStatistics statistics{item_width, {}};
  graft::BleuOptions options;
  options.lowercase = true;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    auto const& references = examples[i].references;
    graft::BleuScore counts;
    double rouge = 0;
    if (!classes) {
      counts = graft::corpus_bleu({outputs[i]}, {references}, options);
      rouge = graft::rouge(outputs[i], references).rougeL.f1;
    }
    for (auto matches : counts.matches) statistics.values.push_back(static_cast<double>(matches));
    for (auto totals : counts.totals) statistics.values.push_back(static_cast<double>(totals));
    statistics.values.push_back(static_cast<double>(counts.hypothesis_length));
    statistics.values.push_back(static_cast<double>(counts.reference_length));
    bool const right = std::count(references.begin(), references.end(), outputs[i]) > 0;
    statistics.values.insert(statistics.values.end(), {rouge, right ? 100.0 : 0.0, 1.0});
  }
  return statistics;
}

Scores scores_of(std::span<double const> sums, bool classes) {
  double const examples = sums[12];
  if (examples == 0) return {unknown, unknown, unknown};
  double const right = sums[11] / examples;
  if (classes) return {unknown, unknown, right};
  graft::BleuScore counts;
  auto const whole = [](double value) { return static_cast<std::int64_t>(value); };
  for (std::size_t n = 0; n < 4; ++n) counts.matches[n] = whole(sums[n]), counts.totals[n] = whole(sums[4 + n]);
  counts.hypothesis_length = whole(sums[8]), counts.reference_length = whole(sums[9]);
  graft::detail::finish_bleu(counts, graft::BleuSmoothing::exp, 1.0);
  return {counts.score, sums[10] / examples, right};
}

}  // namespace compare

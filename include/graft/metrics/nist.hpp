/// @file
/// @brief NIST, as mteval-v13a and the E2E challenge's scripts compute it.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <graft/metrics/ngrams.hpp>
#include <graft/metrics/summed_metric.hpp>
#include <graft/metrics/tokenization.hpp>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace graft {

/// What the outputs' length is compared with where items differ in their number of references.
enum class NistLength : std::uint8_t {
  corpus_average,   ///< items · mean length of all references of the corpus: mteval-v13a-sig.pl, the E2E challenge
  average_per_item  ///< sum over items of the mean length of their references: pymteval
};

struct NistOptions {
  Tokenization tokenization = Tokenization::e2e;  ///< mteval-v13a's, lower-cased
  bool lowercase = false;                         ///< `e2e` lower-cases in any case
  NistLength length = NistLength::corpus_average;
};

namespace detail {

inline constexpr std::size_t nist_order = 5;
/// Sums of an item: information and n-grams of each order, words of the output, words and number of references, mean
/// words of a reference, and 1.
inline constexpr std::size_t nist_width = 2 * nist_order + 5;

/// The information of n-grams, from all references: log₂(occurrences of its first n − 1 words / occurrences).
class NgramInformation {
 public:
  void add(std::vector<WordId> const& reference) {
    words_ += static_cast<std::int64_t>(reference.size());
    for (std::size_t order = 1; order <= nist_order; ++order)
      for (auto const& [ngram, count] : count_ngrams(reference, order)) counts_[ngram] += count;
  }
  [[nodiscard]] double operator()(Ngram const& ngram, std::size_t order) const {
    auto const found = counts_.find(ngram);
    if (found == counts_.end()) return 0;
    Ngram shorter = ngram;
    shorter[order - 1] = 0;
    double const before = static_cast<double>(order == 1 ? words_ : counts_.at(shorter));
    return std::log2(before / static_cast<double>(found->second));
  }

 private:
  NgramCounts counts_;
  std::int64_t words_ = 0;
};

/// The sums of one item, `[nist_width]`.
inline std::array<double, nist_width> nist_item(std::vector<WordId> const& hypothesis,
                                                std::vector<std::vector<WordId>> const& references,
                                                NgramInformation const& information) {
  std::array<double, nist_width> sums{};
  for (std::size_t order = 1; order <= nist_order; ++order) {
    NgramCounts const counts = count_ngrams(hypothesis, order);
    NgramCounts most;  // of each n-gram of the hypothesis, in any one reference
    for (auto const& reference : references)
      for (auto const& [ngram, count] : count_ngrams(reference, order))
        if (counts.count(ngram) != 0) most[ngram] = std::max(most[ngram], count);
    for (auto const& [ngram, count] : most)
      sums[order - 1] += static_cast<double>(std::min(count, counts.at(ngram))) * information(ngram, order);
    if (hypothesis.size() >= order) sums[nist_order + order - 1] = static_cast<double>(hypothesis.size() - order + 1);
  }
  double words = 0;
  for (auto const& reference : references) words += static_cast<double>(reference.size());
  double const count = static_cast<double>(references.size());
  sums[2 * nist_order] = static_cast<double>(hypothesis.size());
  sums[2 * nist_order + 1] = words;
  sums[2 * nist_order + 2] = count;
  sums[2 * nist_order + 3] = words / count;
  sums[2 * nist_order + 4] = 1;
  return sums;
}

/// exp(−β · ln²(min(1, output / reference))), β such that two thirds of the length halve the score.
inline double nist_length_penalty(double output, double reference) {
  if (output <= 0) return 0;
  if (reference <= 0 || output >= reference) return 1;
  double const two_thirds = std::log(1.5), ratio = std::log(output / reference);
  return std::exp(std::log(0.5) / (two_thirds * two_thirds) * ratio * ratio);
}

inline double nist_of_sums(std::span<double const> sums, NistLength length) {
  double total = 0;
  for (std::size_t n = 0; n < nist_order; ++n)
    if (sums[nist_order + n] > 0) total += sums[n] / sums[nist_order + n];
  auto const* const rest = sums.data() + 2 * nist_order;
  double const reference = length == NistLength::corpus_average ? rest[4] * rest[1] / rest[2] : rest[3];
  return total * nist_length_penalty(rest[0], reference);
}

}  // namespace detail

/// NIST of a corpus: Σ over n = 1..5 of (information of the outputs' n-grams that a reference has) / (n-grams of the
/// outputs), times a penalty for short outputs. An n-gram's information is log₂ of how often its first n − 1 words
/// occur in all references of the corpus for each time that it occurs itself. There is no upper bound.
///
/// In the interval the information is that of the whole corpus. Source: Doddington, "Automatic Evaluation of Machine
/// Translation Quality Using N-gram Co-Occurrence Statistics", HLT 2002.
/// @param references at least one for each hypothesis
/// @throws ConfigError when hypotheses and reference lists do not pair up or are empty
[[nodiscard]] inline SummedMetric nist_metric(std::vector<std::string> const& hypotheses,
                                              ReferenceLists const& references, NistOptions const& options = {}) {
  detail::check_references("nist", hypotheses, references);
  detail::WordIds ids;
  detail::NgramInformation information;
  std::vector<std::vector<std::vector<detail::WordId>>> lists;
  for (auto const& texts : references) {
    lists.emplace_back();
    for (std::string const& text : texts) {
      lists.back().push_back(ids(tokenize(text, options.tokenization, options.lowercase)));
      information.add(lists.back().back());
    }
  }
  SummedMetric metric{"NIST", {detail::nist_width, {}}, [length = options.length](std::span<double const> sums) {
                        return detail::nist_of_sums(sums, length);
                      }};
  for (std::size_t i = 0; i < hypotheses.size(); ++i) {
    auto const words = ids(tokenize(hypotheses[i], options.tokenization, options.lowercase));
    auto const sums = detail::nist_item(words, lists[i], information);
    metric.statistics.values.insert(metric.statistics.values.end(), sums.begin(), sums.end());
  }
  return metric;
}

/// The NIST score alone. @throws ConfigError as `nist_metric`
[[nodiscard]] inline double corpus_nist(std::vector<std::string> const& hypotheses, ReferenceLists const& references,
                                        NistOptions const& options = {}) {
  return nist_metric(hypotheses, references, options).score();
}

}  // namespace graft

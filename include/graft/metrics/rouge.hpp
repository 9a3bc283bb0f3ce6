/// @file
/// @brief ROUGE-1, ROUGE-2 and ROUGE-L as google-research's `rouge_score` computes them.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <graft/metrics/ngrams.hpp>
#include <graft/metrics/summed_metric.hpp>
#include <graft/metrics/tokenization.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace graft {

/// One variant of ROUGE, in percent; `f1` is the number that papers report.
struct RougeValue {
  double precision = 0;
  double recall = 0;
  double f1 = 0;
};

struct RougeScore {
  RougeValue rouge1;  ///< words
  RougeValue rouge2;  ///< pairs of neighbouring words
  RougeValue rougeL;  ///< longest common subsequence
};

namespace detail {

/// Maximal runs of `a`–`z` and digits in the lower-cased text: punctuation and accented letters part words, as in
/// `rouge_score`.
inline std::vector<std::string> rouge_words(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  for (char const c : lowercase(text) + " ") {
    if ((c >= 'a' && c <= 'z') || is_digit(c))
      word += c;
    else if (!word.empty())
      words.push_back(std::exchange(word, {}));
  }
  return words;
}

/// Length of the longest common subsequence, in O(|a|·|b|) time and O(|b|) memory.
inline std::size_t longest_common_subsequence(std::vector<WordId> const& a, std::vector<WordId> const& b) {
  std::vector<std::size_t> row(b.size() + 1, 0);
  for (WordId const word : a) {
    std::size_t diagonal = 0;
    for (std::size_t j = 0; j < b.size(); ++j) {
      std::size_t const above = row[j + 1];
      row[j + 1] = word == b[j] ? diagonal + 1 : std::max(above, row[j]);
      diagonal = above;
    }
  }
  return row.back();
}

inline RougeValue rouge_value(std::size_t common, std::size_t hypothesis, std::size_t reference) {
  auto const share = [&](std::size_t total) {
    return 100.0 * static_cast<double>(common) / static_cast<double>(std::max<std::size_t>(total, 1));
  };
  RougeValue value{share(hypothesis), share(reference), 0};
  if (common > 0) value.f1 = 2 * value.precision * value.recall / (value.precision + value.recall);
  return value;
}

inline RougeValue rouge_n(std::vector<WordId> const& hypothesis, std::vector<WordId> const& reference,
                          std::size_t order) {
  NgramCounts const theirs = count_ngrams(reference, order);
  std::int64_t common = 0;
  for (auto const& [ngram, count] : count_ngrams(hypothesis, order))
    if (auto const found = theirs.find(ngram); found != theirs.end()) common += std::min(count, found->second);
  auto const total = [&](std::size_t words) { return words >= order ? words - order + 1 : 0; };
  return rouge_value(static_cast<std::size_t>(common), total(hypothesis.size()), total(reference.size()));
}

inline void keep_better(RougeValue& best, RougeValue const& value, bool first) {
  if (first || value.f1 > best.f1) best = value;
}

inline void add_share(RougeValue& sum, RougeValue const& value, double share) {
  sum.precision += share * value.precision;
  sum.recall += share * value.recall;
  sum.f1 += share * value.f1;
}

}  // namespace detail

/// ROUGE of one text against its references: for each variant, the reference with the highest F1.
[[nodiscard]] inline RougeScore rouge(std::string_view hypothesis, std::vector<std::string> const& references) {
  if (references.empty()) fail<ConfigError>("[rouge] no reference; got 0; expected at least one");
  detail::WordIds ids;
  auto const ours = ids(detail::rouge_words(hypothesis));
  RougeScore best;
  for (std::size_t r = 0; r < references.size(); ++r) {
    auto const theirs = ids(detail::rouge_words(references[r]));
    detail::keep_better(best.rouge1, detail::rouge_n(ours, theirs, 1), r == 0);
    detail::keep_better(best.rouge2, detail::rouge_n(ours, theirs, 2), r == 0);
    detail::keep_better(
        best.rougeL, detail::rouge_value(detail::longest_common_subsequence(ours, theirs), ours.size(), theirs.size()),
        r == 0);
  }
  return best;
}

/// Mean over items of `rouge(hypothesis, references)`; lower-cased, without stemming (`RougeScorer(...,
/// use_stemmer=False).score_multi`).
///
/// With P = common / hypothesis and R = common / reference: F1 = 2PR / (P + R), where "common" counts shared n-grams
/// (ROUGE-1, ROUGE-2) or the words of the longest common subsequence (ROUGE-L). Source: Lin, "ROUGE: A Package for
/// Automatic Evaluation of Summaries", 2004. The E2E challenge's ROUGE-L is another: `e2e_rouge_l`.
/// @throws ConfigError when hypotheses and reference lists do not pair up or are empty
[[nodiscard]] inline RougeScore corpus_rouge(std::vector<std::string> const& hypotheses,
                                             ReferenceLists const& references) {
  detail::check_references("rouge", hypotheses, references);
  RougeScore mean;
  double const share = 1.0 / static_cast<double>(hypotheses.size());
  for (std::size_t i = 0; i < hypotheses.size(); ++i) {
    RougeScore const score = rouge(hypotheses[i], references[i]);
    detail::add_share(mean.rouge1, score.rouge1, share);
    detail::add_share(mean.rouge2, score.rouge2, share);
    detail::add_share(mean.rougeL, score.rougeL, share);
  }
  return mean;
}

/// F1 of ROUGE-1, ROUGE-2 and ROUGE-L as means over items, which give their intervals and comparisons.
/// @throws ConfigError as `corpus_rouge`
[[nodiscard]] inline std::array<SummedMetric, 3> rouge_metrics(std::vector<std::string> const& hypotheses,
                                                               ReferenceLists const& references) {
  detail::check_references("rouge", hypotheses, references);
  std::array<std::vector<double>, 3> values;
  for (std::size_t i = 0; i < hypotheses.size(); ++i) {
    RougeScore const score = rouge(hypotheses[i], references[i]);
    values[0].push_back(score.rouge1.f1);
    values[1].push_back(score.rouge2.f1);
    values[2].push_back(score.rougeL.f1);
  }
  return {detail::mean_metric("ROUGE-1", values[0]), detail::mean_metric("ROUGE-2", values[1]),
          detail::mean_metric("ROUGE-L", values[2])};
}

}  // namespace graft

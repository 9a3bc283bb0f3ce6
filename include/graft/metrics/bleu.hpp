/// @file
/// @brief Corpus BLEU.
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <graft/metrics/ngrams.hpp>
#include <graft/metrics/summed_metric.hpp>
#include <graft/metrics/tokenization.hpp>
#include <limits>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace graft {

/// What to do about an n-gram order without a match, which would make the score 0 (names as in sacreBLEU).
/// Source: Chen & Cherry, "A Systematic Comparison of Smoothing Techniques for Sentence-Level BLEU", WMT 2014.
enum class BleuSmoothing {
  none,     ///< the score is 0
  floor,    ///< count `value` matches instead of 0 (default 0.1)
  add_k,    ///< add `value` to matches and totals of orders above 1 (default 1)
  exp,      ///< mteval-v13a: the k-th order without a match has precision 1 / (2^k · total)
  matching  ///< the tokenization's own tool's default: `exp` for sacrebleu, `none` otherwise
};

/// The smoothing of that name. @throws ConfigError for another name
[[nodiscard]] inline BleuSmoothing parse_bleu_smoothing(std::string const& name) {
  static auto const& names = *new std::map<std::string, BleuSmoothing>{{"none", BleuSmoothing::none},
                                                                       {"floor", BleuSmoothing::floor},
                                                                       {"add-k", BleuSmoothing::add_k},
                                                                       {"exp", BleuSmoothing::exp},
                                                                       {"matching", BleuSmoothing::matching}};
  auto const found = names.find(name);
  if (found == names.end())
    fail<ConfigError>("[bleu] unknown smoothing; got '", name, "'; expected none, floor, add-k, exp or matching");
  return found->second;
}

struct BleuOptions {
  Tokenization tokenization = Tokenization::sacrebleu;
  bool lowercase = false;  ///< `e2e` lower-cases in any case
  BleuSmoothing smoothing = BleuSmoothing::matching;
  double smoothing_value =
      std::numeric_limits<double>::quiet_NaN();  ///< for `floor` and `add_k`; NaN means their default
};

/// BLEU and what it was computed from. `score` and `precisions` (orders 1 to 4) are in percent.
struct BleuScore {
  double score = 0;
  std::array<double, 4> precisions{};
  double brevity_penalty = 0;
  std::int64_t hypothesis_length = 0;  ///< tokens
  std::int64_t reference_length = 0;   ///< tokens; for each item the reference closest in length, the shorter of two
  std::array<std::int64_t, 4> matches{};
  std::array<std::int64_t, 4> totals{};
};

namespace detail {

inline constexpr std::size_t bleu_order = 4;

/// Adds one item's clipped matches and lengths to the corpus's.
inline void add_bleu_counts(BleuScore& corpus, std::vector<WordId> const& hypothesis,
                            std::vector<std::vector<WordId>> const& references) {
  auto const length = static_cast<std::int64_t>(hypothesis.size());
  std::int64_t closest = -1;
  for (auto const& reference : references) {
    auto const candidate = static_cast<std::int64_t>(reference.size());
    std::int64_t const gap = std::abs(candidate - length), best = std::abs(closest - length);
    if (closest < 0 || gap < best || (gap == best && candidate < closest)) closest = candidate;
  }
  corpus.hypothesis_length += length;
  corpus.reference_length += closest;
  for (std::size_t order = 1; order <= bleu_order; ++order) {
    NgramCounts const counts = count_ngrams(hypothesis, order);
    NgramCounts most;  // of each n-gram of the hypothesis, in any one reference
    for (auto const& reference : references)
      for (auto const& [ngram, count] : count_ngrams(reference, order))
        if (counts.count(ngram) != 0) most[ngram] = std::max(most[ngram], count);
    for (auto const& [ngram, count] : most) corpus.matches[order - 1] += std::min(count, counts.at(ngram));
    if (hypothesis.size() >= order) corpus.totals[order - 1] += length - static_cast<std::int64_t>(order) + 1;
  }
}

/// Precisions, brevity penalty and score from matches, totals and lengths (sacreBLEU's `compute_bleu`).
inline void finish_bleu(BleuScore& bleu, BleuSmoothing smoothing, double value) {
  double const hypothesis = static_cast<double>(bleu.hypothesis_length),
               reference = static_cast<double>(bleu.reference_length);
  bleu.brevity_penalty = hypothesis >= reference ? 1.0 : hypothesis > 0 ? std::exp(1.0 - reference / hypothesis) : 0.0;
  if (bleu.matches == std::array<std::int64_t, 4>{}) return;  // nothing in common: 0 under any smoothing
  double log_sum = 0, halving = 1;
  bool zero = false;
  for (std::size_t n = 0; n < bleu_order; ++n) {
    double const added = smoothing == BleuSmoothing::add_k && n > 0 ? value : 0.0;
    double const matches = static_cast<double>(bleu.matches[n]) + added,
                 total = static_cast<double>(bleu.totals[n]) + added;
    if (total == 0) {  // no text is that long: sacreBLEU leaves this and higher orders at 0
      zero = true;
      break;
    }
    if (matches > 0)
      bleu.precisions[n] = 100.0 * matches / total;
    else if (smoothing == BleuSmoothing::exp)
      bleu.precisions[n] = 100.0 / ((halving *= 2) * total);
    else if (smoothing == BleuSmoothing::floor)
      bleu.precisions[n] = 100.0 * value / total;
    if (bleu.precisions[n] == 0)
      zero = true;
    else
      log_sum += std::log(bleu.precisions[n]);
  }
  bleu.score = zero ? 0.0 : bleu.brevity_penalty * std::exp(log_sum / static_cast<double>(bleu_order));
}

}  // namespace detail

namespace detail {

/// The smoothing of `matching`, and the value that stands for NaN.
inline std::pair<BleuSmoothing, double> settled_smoothing(BleuOptions const& options) {
  BleuSmoothing smoothing = options.smoothing;
  if (smoothing == BleuSmoothing::matching)
    smoothing = options.tokenization == Tokenization::sacrebleu ? BleuSmoothing::exp : BleuSmoothing::none;
  double const standard = smoothing == BleuSmoothing::floor ? 0.1 : 1.0;
  return {smoothing, std::isnan(options.smoothing_value) ? standard : options.smoothing_value};
}

/// Counts of every item, each in a `BleuScore` of its own.
inline std::vector<BleuScore> bleu_items(std::vector<std::string> const& hypotheses, ReferenceLists const& references,
                                         BleuOptions const& options) {
  check_references("bleu", hypotheses, references);
  if (options.smoothing_value < 0)
    fail<ConfigError>("[bleu] smoothing value below zero; got ", options.smoothing_value, "; expected 0 or more");
  WordIds ids;
  std::vector<BleuScore> items(hypotheses.size());
  std::vector<std::vector<WordId>> lists;
  for (std::size_t i = 0; i < hypotheses.size(); ++i) {
    lists.clear();
    for (std::string const& reference : references[i])
      lists.push_back(ids(tokenize(reference, options.tokenization, options.lowercase)));
    add_bleu_counts(items[i], ids(tokenize(hypotheses[i], options.tokenization, options.lowercase)), lists);
  }
  return items;
}

/// Counts in a row: lengths of hypotheses and references, matches, totals.
inline constexpr std::size_t bleu_width = 2 + 2 * bleu_order;

inline BleuScore bleu_of_sums(std::span<double const> sums, BleuOptions const& options) {
  BleuScore bleu;
  bleu.hypothesis_length = std::llround(sums[0]);
  bleu.reference_length = std::llround(sums[1]);
  for (std::size_t n = 0; n < bleu_order; ++n) {
    bleu.matches[n] = std::llround(sums[2 + n]);
    bleu.totals[n] = std::llround(sums[2 + bleu_order + n]);
  }
  auto const [smoothing, value] = settled_smoothing(options);
  finish_bleu(bleu, smoothing, value);
  return bleu;
}

}  // namespace detail

/// BLEU as sums over items, which give its interval and comparison. @throws ConfigError as `corpus_bleu`
[[nodiscard]] inline SummedMetric bleu_metric(std::vector<std::string> const& hypotheses,
                                              ReferenceLists const& references, BleuOptions const& options = {}) {
  SummedMetric metric{"BLEU", {detail::bleu_width, {}}, [options](std::span<double const> sums) {
                        return detail::bleu_of_sums(sums, options).score;
                      }};
  for (BleuScore const& item : detail::bleu_items(hypotheses, references, options)) {
    auto& values = metric.statistics.values;
    values.push_back(static_cast<double>(item.hypothesis_length));
    values.push_back(static_cast<double>(item.reference_length));
    values.insert(values.end(), item.matches.begin(), item.matches.end());
    values.insert(values.end(), item.totals.begin(), item.totals.end());
  }
  return metric;
}

/// BLEU of a corpus: `BP · exp(mean over n = 1..4 of log p_n)`, where `p_n` is the share of the hypotheses' n-grams
/// found in their references (each n-gram at most as often as in the one reference that has most of it), and `BP =
/// min(1, exp(1 − r/c))` for c tokens of hypotheses and r of references. Source: Papineni et al., "BLEU: a Method for
/// Automatic Evaluation of Machine Translation", ACL 2002.
/// @param references at least one for each hypothesis; lists may differ in length
/// @throws ConfigError when hypotheses and reference lists do not pair up or are empty, or the smoothing value is
/// negative
[[nodiscard]] inline BleuScore corpus_bleu(std::vector<std::string> const& hypotheses, ReferenceLists const& references,
                                           BleuOptions const& options = {}) {
  return detail::bleu_of_sums(bleu_metric(hypotheses, references, options).statistics.sums(), options);
}

}  // namespace graft

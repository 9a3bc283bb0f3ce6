/// @file
/// @brief CIDEr, as coco-caption and the E2E challenge's scripts compute it.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <graft/metrics/ngrams.hpp>
#include <graft/metrics/summed_metric.hpp>
#include <graft/metrics/tokenization.hpp>
#include <graft/metrics/treebank.hpp>
#include <string>
#include <unordered_map>
#include <vector>

namespace graft {

/// How captions are cut into words.
enum class CaptionTokens : std::uint8_t {
  treebank,    ///< lower-cased Penn Treebank words without punctuation: coco-caption, the E2E challenge
  white_space  ///< as they stand: nlg-eval
};

struct CiderOptions {
  CaptionTokens tokens = CaptionTokens::treebank;
  double sigma = 6;  ///< words by which a length may differ; 0: no penalty for the length, and no clipping
};

namespace detail {

inline constexpr std::size_t cider_order = 4;

/// The words of a text, cut as `tokens` says.
inline std::vector<std::string> caption_words(std::string const& text, CaptionTokens tokens) {
  return tokens == CaptionTokens::treebank ? treebank_words(text) : split_white_space(text);
}

/// A text's n-grams with their weights, of each order, and the lengths of these vectors.
struct WeightedNgrams {
  std::array<std::unordered_map<Ngram, double, NgramHash>, cider_order> weights;
  std::array<double, cider_order> norms{};
  double pairs = 0;  ///< of neighbouring words; coco-caption takes it for the text's length
};

/// How many items have an n-gram in any of their references.
using DocumentFrequency = NgramCounts;

inline void add_document(DocumentFrequency& frequency, std::vector<std::vector<WordId>> const& references) {
  NgramCounts seen;
  for (auto const& reference : references)
    for (std::size_t order = 1; order <= cider_order; ++order)
      for (auto const& [ngram, count] : count_ngrams(reference, order)) seen[ngram] = 1;
  for (auto const& [ngram, one] : seen) frequency[ngram] += one;
}

/// Weight of an n-gram: its count · ln(items / items that have it in a reference).
inline WeightedNgrams weigh(std::vector<WordId> const& words, DocumentFrequency const& frequency, double log_items) {
  WeightedNgrams result;
  for (std::size_t n = 0; n < cider_order; ++n) {
    double square = 0;
    for (auto const& [ngram, count] : count_ngrams(words, n + 1)) {
      auto const found = frequency.find(ngram);
      double const documents = found == frequency.end() ? 1.0 : static_cast<double>(found->second);
      double const weight = static_cast<double>(count) * (log_items - std::log(std::max(1.0, documents)));
      result.weights[n][ngram] = weight;
      square += weight * weight;
    }
    result.norms[n] = std::sqrt(square);
  }
  result.pairs = words.size() > 1 ? static_cast<double>(words.size() - 1) : 0.0;
  return result;
}

/// Mean over orders of the cosine, clipped and penalized where `sigma` says so.
inline double cider_similarity(WeightedNgrams const& hypothesis, WeightedNgrams const& reference, double sigma) {
  double total = 0;
  for (std::size_t n = 0; n < cider_order; ++n) {
    double product = 0;
    for (auto const& [ngram, weight] : hypothesis.weights[n])
      if (auto const found = reference.weights[n].find(ngram); found != reference.weights[n].end())
        product += (sigma > 0 ? std::min(weight, found->second) : weight) * found->second;
    if (hypothesis.norms[n] != 0 && reference.norms[n] != 0) product /= hypothesis.norms[n] * reference.norms[n];
    total += product;
  }
  double const gap = hypothesis.pairs - reference.pairs;
  return total / cider_order * (sigma > 0 ? std::exp(-gap * gap / (2 * sigma * sigma)) : 1.0);
}

}  // namespace detail

/// CIDEr: 10 · the mean over items, references and n = 1..4 of the cosine between the weighted n-grams of the output
/// and of a reference. An n-gram weighs its count times ln(items / items that have it in a reference).
///
/// With `sigma` 6 this is what coco-caption reports as CIDEr and the paper calls CIDEr-D: weights are clipped to the
/// reference's, and a length that differs by d words costs a factor exp(−d² / 2σ²). With `sigma` 0 it is the paper's
/// plain CIDEr. In the interval the frequencies are those of the whole corpus. Source: Vedantam, Zitnick & Parikh,
/// "CIDEr: Consensus-based Image Description Evaluation", CVPR 2015.
/// @throws ConfigError when hypotheses and reference lists do not pair up or are empty, and for a negative sigma
[[nodiscard]] inline SummedMetric cider_metric(std::vector<std::string> const& hypotheses,
                                               ReferenceLists const& references, CiderOptions const& options = {}) {
  detail::check_references("cider", hypotheses, references);
  if (!(options.sigma >= 0)) fail<ConfigError>("[cider] got sigma ", options.sigma, "; expected 0 or more");
  detail::WordIds ids;
  detail::DocumentFrequency frequency;
  std::vector<std::vector<std::vector<detail::WordId>>> lists;
  for (auto const& texts : references) {
    lists.emplace_back();
    for (std::string const& text : texts) lists.back().push_back(ids(detail::caption_words(text, options.tokens)));
    detail::add_document(frequency, lists.back());
  }
  double const log_items = std::log(static_cast<double>(hypotheses.size()));
  std::vector<double> values;
  for (std::size_t i = 0; i < hypotheses.size(); ++i) {
    auto const words = ids(detail::caption_words(hypotheses[i], options.tokens));
    auto const ours = detail::weigh(words, frequency, log_items);
    double sum = 0;
    for (auto const& reference : lists[i])
      sum += detail::cider_similarity(ours, detail::weigh(reference, frequency, log_items), options.sigma);
    values.push_back(10 * sum / static_cast<double>(lists[i].size()));
  }
  return detail::mean_metric("CIDEr", values);
}

/// The CIDEr score alone. @throws ConfigError as `cider_metric`
[[nodiscard]] inline double corpus_cider(std::vector<std::string> const& hypotheses, ReferenceLists const& references,
                                         CiderOptions const& options = {}) {
  return cider_metric(hypotheses, references, options).score();
}

}  // namespace graft

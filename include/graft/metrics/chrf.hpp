/// @file
/// @brief chrF and chrF++, as sacreBLEU computes them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <graft/metrics/ngrams.hpp>
#include <graft/metrics/summed_metric.hpp>
#include <graft/metrics/tokenization.hpp>
#include <graft/text/utf8.hpp>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace graft {

/// sacreBLEU's defaults.
struct ChrfOptions {
  std::size_t character_order = 6;
  std::size_t word_order = 0;  ///< 2: chrF++
  double beta = 2;             ///< how much more recall counts than precision
  bool lowercase = false;
  bool white_space = false;  ///< n-grams of characters keep white space
  bool smoothed = false;     ///< sacreBLEU's `eps_smoothing`: every order counts, as in chrF++.py, NLTK and Moses
};

namespace detail {

using TextCounts = std::unordered_map<std::string, std::int64_t>;

/// Characters of a text, each as its own UTF-8 bytes.
inline std::vector<std::string_view> characters(std::string_view text) {
  std::vector<std::string_view> list;
  for (std::size_t i = 0; i < text.size();) {
    std::size_t const bytes = utf8_at(text, i).bytes;
    list.push_back(text.substr(i, bytes));
    i += bytes;
  }
  return list;
}

/// Counts of the n-grams of `pieces`, joined by `between`.
template <class Pieces>
TextCounts joined_ngrams(Pieces const& pieces, std::size_t order, std::string_view between) {
  TextCounts counts;
  for (std::size_t i = 0; i + order <= pieces.size(); ++i) {
    std::string ngram;
    for (std::size_t k = 0; k < order; ++k) (ngram += pieces[i + k]) += k + 1 < order ? between : std::string_view();
    ++counts[ngram];
  }
  return counts;
}

/// Words with one punctuation mark parted from their end or else from their beginning.
inline std::vector<std::string> chrf_words(std::string_view text) {
  auto const is_mark = [](char c) {
    return std::string_view("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~").find(c) != std::string_view::npos;
  };
  std::vector<std::string> words;
  for (std::string const& word : split_white_space(text)) {
    if (utf8_at(word, 0).bytes == word.size())
      words.push_back(word);
    else if (is_mark(word.back()))
      words.insert(words.end(), {word.substr(0, word.size() - 1), word.substr(word.size() - 1)});
    else if (is_mark(word.front()))
      words.insert(words.end(), {word.substr(0, 1), word.substr(1)});
    else
      words.push_back(word);
  }
  return words;
}

/// Counts of all orders of a text: characters first, then words.
inline std::vector<TextCounts> chrf_ngrams(std::string const& given, ChrfOptions const& options) {
  std::string const text = options.lowercase ? lowercase(given) : given;
  std::string solid;
  if (!options.white_space)
    for (std::string const& word : split_white_space(text)) solid += word;
  std::string const& read = options.white_space ? text : solid;
  auto const letters = characters(read);
  auto const words = chrf_words(text);
  std::vector<TextCounts> counts;
  for (std::size_t n = 1; n <= options.character_order; ++n) counts.push_back(joined_ngrams(letters, n, ""));
  for (std::size_t n = 1; n <= options.word_order; ++n) counts.push_back(joined_ngrams(words, n, " "));
  return counts;
}

/// Of each order: n-grams of the hypothesis (0 where the reference has none), of the reference, and common ones.
inline std::vector<double> chrf_counts(std::vector<TextCounts> const& hypothesis,
                                       std::vector<TextCounts> const& reference) {
  std::vector<double> counts;
  for (std::size_t n = 0; n < hypothesis.size(); ++n) {
    std::int64_t ours = 0, theirs = 0, common = 0;
    for (auto const& [ngram, count] : hypothesis[n]) {
      ours += count;
      if (auto const found = reference[n].find(ngram); found != reference[n].end())
        common += std::min(count, found->second);
    }
    for (auto const& [ngram, count] : reference[n]) theirs += count;
    counts.insert(counts.end(), {reference[n].empty() ? 0.0 : static_cast<double>(ours), static_cast<double>(theirs),
                                 static_cast<double>(common)});
  }
  return counts;
}

/// F of the mean precision and the mean recall over orders, in percent.
inline double chrf_of_sums(std::span<double const> sums, double beta, bool smoothed) {
  constexpr double tiny = 1e-16;
  double const factor = beta * beta;
  double total = 0, precision = 0, recall = 0, orders = 0;
  for (std::size_t n = 0; n + 2 < sums.size(); n += 3) {
    double const p = sums[n] > 0 ? sums[n + 2] / sums[n] : tiny, r = sums[n + 1] > 0 ? sums[n + 2] / sums[n + 1] : tiny;
    double const below = factor * p + r;
    total += below > 0 ? (1 + factor) * p * r / below : tiny;
    if (sums[n] > 0 && sums[n + 1] > 0) {
      precision += p;
      recall += r;
      ++orders;
    }
  }
  if (smoothed) return 100 * total / static_cast<double>(sums.size() / 3);
  if (orders == 0 || precision + recall == 0) return 0;
  precision /= orders;
  recall /= orders;
  return 100 * (1 + factor) * precision * recall / (factor * precision + recall);
}

}  // namespace detail

/// chrF of a corpus, in percent: `(1 + β²)·P·R / (β²·P + R)` with the mean precision P and mean recall R over n-grams
/// of 1 to 6 characters, white space left out. With `word_order` 2 it is chrF++, which adds n-grams of 1 and 2 words.
/// Of several references the one with the item's best score counts. Source: Popović, "chrF: character n-gram F-score
/// for automatic MT evaluation", WMT 2015, and "chrF++", WMT 2017.
/// @throws ConfigError when hypotheses and reference lists do not pair up or are empty, and for orders that are all 0
[[nodiscard]] inline SummedMetric chrf_metric(std::vector<std::string> const& hypotheses,
                                              ReferenceLists const& references, ChrfOptions const& options = {}) {
  detail::check_references("chrf", hypotheses, references);
  std::size_t const orders = options.character_order + options.word_order;
  if (orders == 0)
    fail<ConfigError>("[chrf] got no order of n-grams; expected characters or words of at least order 1");
  if (!(options.beta > 0)) fail<ConfigError>("[chrf] got beta ", options.beta, "; expected a number above 0");
  SummedMetric metric{
      "chrF", {3 * orders, {}}, [beta = options.beta, smoothed = options.smoothed](std::span<double const> sums) {
        return detail::chrf_of_sums(sums, beta, smoothed);
      }};
  metric.name.append(options.word_order, '+');
  for (std::size_t i = 0; i < hypotheses.size(); ++i) {
    auto const ours = detail::chrf_ngrams(hypotheses[i], options);
    std::vector<double> best;
    double best_score = -1;
    for (std::string const& reference : references[i]) {
      auto counts = detail::chrf_counts(ours, detail::chrf_ngrams(reference, options));
      double const score = metric.of_sums(counts);
      if (score > best_score) {
        best_score = score;
        best = std::move(counts);
      }
    }
    metric.statistics.values.insert(metric.statistics.values.end(), best.begin(), best.end());
  }
  return metric;
}

/// The chrF score alone. @throws ConfigError as `chrf_metric`
[[nodiscard]] inline double corpus_chrf(std::vector<std::string> const& hypotheses, ReferenceLists const& references,
                                        ChrfOptions const& options = {}) {
  return chrf_metric(hypotheses, references, options).score();
}

}  // namespace graft

/// @file
/// @brief TER, the translation edit rate, as tercom 0.7.25 computes it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <graft/core/replace_all.hpp>
#include <graft/metrics/ngrams.hpp>
#include <graft/metrics/summed_metric.hpp>
#include <graft/metrics/ter_shifts.hpp>
#include <graft/metrics/tokenization.hpp>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace graft {

/// tercom's defaults.
struct TerOptions {
  bool normalized = false;      ///< part punctuation from words first (tercom's `-N`)
  bool no_punctuation = false;  ///< leave `. , ? : ; ! " ( )` out (tercom's `-P`)
  bool case_sensitive = false;  ///< tercom's `-s`
  std::int64_t beam = 20;       ///< edits that an alignment may be worse than the best (tercom's `-b`)
};

namespace detail {

/// tercom's normalization: mteval's rules, and `'s` on its own.
inline std::string normalized_for_ter(std::string_view text) {
  std::string line(text);
  for (auto const& [from, to] : {std::pair<char const*, char const*>{"<skipped>", ""},
                                 {"-\n", ""},
                                 {"\n", " "},
                                 {"&quot;", "\""},
                                 {"&amp;", "&"},
                                 {"&lt;", "<"},
                                 {"&gt;", ">"}})
    replace_all(line, from, to);
  std::string parted;
  for (char const c : " " + line + " ") {
    if (always_parted(c))
      (((parted += ' ') += c) += ' ');
    else
      parted += c;
  }
  replace_all(parted, "'s ", " 's ");
  return part_stops_and_dashes(parted);
}

inline std::vector<std::string> ter_words(std::string_view given, TerOptions const& options) {
  std::string text = options.case_sensitive ? std::string(given) : lowercase(given);
  if (options.normalized) text = normalized_for_ter(text);
  if (options.no_punctuation)
    text.erase(std::remove_if(text.begin(), text.end(),
                              [](char c) { return std::string_view(".,?:;!\"()").find(c) != std::string_view::npos; }),
               text.end());
  return split_ascii_white_space(text);
}

/// Least edits found that turn the hypothesis into the reference; moving a block of words is one edit.
inline std::int64_t ter_edits(std::vector<WordId> const& hypothesis, std::vector<WordId> const& reference,
                              std::int64_t beam) {
  if (hypothesis.empty() || reference.empty())
    return static_cast<std::int64_t>(std::max(hypothesis.size(), reference.size()));
  RunPlaces const places = places_of_runs(hypothesis, reference);
  TerStep current{hypothesis, align_for_ter(hypothesis, reference, beam)};
  std::int64_t moves = 0;
  while (auto next = best_shift(current.words, reference, places, current.alignment, beam)) {
    ++moves;
    current = std::move(*next);
  }
  return moves + current.alignment.cost;
}

}  // namespace detail

/// TER of a corpus, in percent: edits to the nearest reference / words of a reference on average. An edit inserts,
/// removes or replaces a word, or moves a block of words that the reference has elsewhere. 0 is best; it may exceed
/// 100.
///
/// The least number of edits is searched greedily, as tercom does. Source: Snover et al., "A Study of Translation Edit
/// Rate with Targeted Human Annotation", AMTA 2006.
/// @throws ConfigError when hypotheses and reference lists do not pair up or are empty, and for a beam below 1
[[nodiscard]] inline SummedMetric ter_metric(std::vector<std::string> const& hypotheses,
                                             ReferenceLists const& references, TerOptions const& options = {}) {
  detail::check_references("ter", hypotheses, references);
  if (options.beam < 1) fail<ConfigError>("[ter] got a beam of ", options.beam, "; expected at least 1");
  SummedMetric metric{"TER", {2, {}}, [](std::span<double const> sums) {
                        return sums[1] > 0 ? 100 * sums[0] / sums[1] : sums[0] > 0 ? 100.0 : 0.0;
                      }};
  detail::WordIds ids;
  for (std::size_t i = 0; i < hypotheses.size(); ++i) {
    auto const ours = ids(detail::ter_words(hypotheses[i], options));
    std::int64_t least = std::numeric_limits<std::int64_t>::max();
    double words = 0;
    for (std::string const& reference : references[i]) {
      auto const theirs = ids(detail::ter_words(reference, options));
      least = std::min(least, detail::ter_edits(ours, theirs, options.beam));
      words += static_cast<double>(theirs.size());
    }
    metric.statistics.values.insert(metric.statistics.values.end(),
                                    {static_cast<double>(least), words / static_cast<double>(references[i].size())});
  }
  return metric;
}

/// The TER score alone. @throws ConfigError as `ter_metric`
[[nodiscard]] inline double corpus_ter(std::vector<std::string> const& hypotheses, ReferenceLists const& references,
                                       TerOptions const& options = {}) {
  return ter_metric(hypotheses, references, options).score();
}

}  // namespace graft

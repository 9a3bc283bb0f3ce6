/// @file
/// @brief The metrics of texts that programs offer: which there are, and what they are called.
#pragma once

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <graft/metrics/ngrams.hpp>
#include <graft/metrics/summed_metric.hpp>

namespace support {

/// One metric.
struct TextMetric {
  std::string_view name;    ///< as `compare` knows it, on its command line and in its reports
  std::string_view family;  ///< what `score --metrics` calls it, where several may have one name
  std::string_view key;     ///< under which `measure` gives it, and `score` reports it
  std::string_view title;   ///< in tables
  std::string_view help;
  int digits = 1;              ///< after the point, in tables
  bool low_is_better = false;  ///< as of an error rate
  bool of_set = false;         ///< what an output counts depends on the references of all items
  bool reads_files = false;    ///< large ones, each time: many outputs are best measured at once
};

inline constexpr std::array text_metrics{
    TextMetric{"bleu", "bleu", "bleu", "BLEU", "n-grams of 1 to 4 words, percent"},
    TextMetric{"nist", "nist", "nist", "NIST", "n-grams of 1 to 5 words by their information; no upper bound", 2, false,
               true},
    TextMetric{"meteor", "meteor", "meteor", "METEOR", "METEOR 1.5, English, percent", 1, false, false, true},
    TextMetric{"meteor_exact_stem", "meteor_exact_stem", "meteor_exact_stem", "METEOR (exact, stem)",
               "METEOR without word lists, another number, percent"},
    TextMetric{"rouge1", "rouge", "rouge1", "ROUGE-1", "F1 of words, percent"},
    TextMetric{"rouge2", "rouge", "rouge2", "ROUGE-2", "F1 of pairs of words, percent"},
    TextMetric{"rouge_l", "rouge", "rougeL", "ROUGE-L", "F1 of the longest common subsequence, percent"},
    TextMetric{"e2e_rouge_l", "e2e_rouge", "e2e_rougeL", "ROUGE-L (E2E)",
               "the E2E challenge's, another number, percent"},
    TextMetric{"cider", "cider", "cider", "CIDEr", "coco-caption's, 0 to 10", 2, false, true},
    TextMetric{"ter", "ter", "ter", "TER", "edits for each word of a reference, percent", 1, true},
    TextMetric{"chrf", "chrf", "chrf", "chrF", "n-grams of 1 to 6 characters, percent"},
    TextMetric{"chrf++", "chrf++", "chrf++", "chrF++", "chrF with n-grams of 1 and 2 words, percent"},
};

/// What the command line says of the metrics.
struct MetricSettings {
  std::vector<std::string> metrics;  ///< families; empty: all that can be computed
  std::string tokenization = "e2e";
  std::string smoothing = "matching";
  bool lowercase = false;
  std::string nist_length = "corpus";
  std::string meteor_tokens = "plain";
  std::string cider_tokens = "treebank";
  std::string meteor_data;
  bool ter_normalize = false, ter_no_punctuation = false, ter_case = false;
};

/// References in the outputs' order.
struct References {
  graft::ReferenceLists lists;
  /// The same with the empty lines of several files as empty texts, which multi-bleu.perl counts as references.
  graft::ReferenceLists with_empty;
};

/// A metric under its key.
struct NamedMetric {
  std::string key;
  graft::SummedMetric metric;
};

/// Metrics, and those that were left out with the reason, as sentences.
struct Measured {
  std::vector<NamedMetric> metrics;
  std::vector<std::pair<std::string, std::string>> left_out;
};

/// The families' names, each once.
[[nodiscard]] inline std::vector<std::string> const& metric_families() {
  static auto const& names = *[] {
    auto* const all = new std::vector<std::string>;
    for (TextMetric const& metric : text_metrics)
      if (all->empty() || all->back() != metric.family) all->emplace_back(metric.family);
    return all;
  }();
  return names;
}

/// True when the family `name` is asked for, or nothing is.
[[nodiscard]] inline bool wanted(MetricSettings const& settings, std::string const& name) {
  return settings.metrics.empty() ||
         std::find(settings.metrics.begin(), settings.metrics.end(), name) != settings.metrics.end();
}

/// The folder of METEOR's word lists that GRAFT_METEOR_DATA names; empty where it names none.
[[nodiscard]] inline std::string standard_meteor_data() {
  char const* const folder = std::getenv("GRAFT_METEOR_DATA");
  return folder ? folder : "";
}

}  // namespace support

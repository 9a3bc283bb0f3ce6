/// @file
/// @brief METEOR 1.5 for English, as the reference implementation computes it. Needs libstemmer and zlib.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <graft/core/error.hpp>
#include <graft/data/text_file.hpp>
#include <graft/data/text_line.hpp>
#include <graft/metrics/meteor/alignment.hpp>
#include <graft/metrics/meteor/matches.hpp>
#include <graft/metrics/meteor/normalization.hpp>
#include <graft/metrics/meteor/paraphrases.hpp>
#include <graft/metrics/meteor/score.hpp>
#include <graft/metrics/meteor/synonyms.hpp>
#include <graft/metrics/meteor/word_list.hpp>
#include <graft/metrics/ngrams.hpp>
#include <graft/metrics/summed_metric.hpp>
#include <graft/metrics/treebank.hpp>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace graft {

/// What is done to a text before METEOR's own normalization.
enum class MeteorTokens : std::uint8_t {
  plain,    ///< nothing: the reference implementation's `-norm`
  treebank  ///< Penn Treebank words without punctuation: coco-caption, the E2E challenge
};

struct MeteorOptions {
  /// Folder with the reference implementation's data: `english.words` (function words), `english.prefixes`
  /// (abbreviations), `english.synsets` and `english.exceptions` (WordNet), `paraphrase-en.gz`. Empty: none of them.
  std::filesystem::path data;
  MeteorTokens tokens = MeteorTokens::plain;
};

namespace detail {

/// METEOR's word lists, and the texts as its stages compare them.
class MeteorTexts {
 public:
  explicit MeteorTexts(MeteorOptions const& options) : options_(options) {
    if (options.data.empty()) return;
    prefixes_ = read_meteor_prefixes(options.data / "english.prefixes");
    std::string const words = read_word_list(options.data / "english.words");
    for (auto const& line : split_lines(words)) function_words_.emplace(line.text);
    synonyms_ = Synonyms(options.data);
  }

  /// Cuts a text into words.
  [[nodiscard]] MeteorText read(std::string const& text) {
    MeteorText result;
    std::string joined;
    if (options_.tokens == MeteorTokens::treebank)
      for (std::string const& word : treebank_words(text)) (joined += joined.empty() ? "" : " ") += word;
    result.words = meteor_words(options_.tokens == MeteorTokens::treebank ? joined : text, prefixes_);
    for (std::string const& word : result.words) {
      auto const number = numbers_.try_emplace(word, static_cast<std::int32_t>(known_.size()));
      if (number.second)
        known_.push_back(
            {java_hash(word), java_hash(stemmer_(word)), synonyms_(word), function_words_.count(word) != 0});
      Word const& known = known_[static_cast<std::size_t>(number.first->second)];
      result.keys.push_back(known.key);
      result.stems.push_back(known.stem);
      result.synsets.push_back(known.synsets);
      result.function.push_back(known.function);
      result.paraphrase_words.push_back(number.first->second);
    }
    return result;
  }

  /// The paraphrases of the words read so far.
  [[nodiscard]] Paraphrases paraphrases() const {
    return options_.data.empty() ? Paraphrases() : Paraphrases(options_.data / "paraphrase-en.gz", numbers_);
  }

 private:
  struct Word {
    std::int32_t key, stem;
    std::unordered_set<std::int32_t> synsets;
    bool function;
  };
  MeteorOptions options_;
  MeteorPrefixes prefixes_;
  std::unordered_set<std::string> function_words_;
  Synonyms synonyms_;
  EnglishStemmer stemmer_;
  std::unordered_map<std::string, std::int32_t> numbers_;
  std::vector<Word> known_;
};

}  // namespace detail

/// METEOR of a corpus, in percent: `100 · F · (1 − γ · (chunks / matched words)^β)` with `F = 1 / ((1 − α) / P + α /
/// R)`. P and R are the weighted shares of the outputs' and the references' words that are matched: as equal words,
/// equal stems, synonyms or paraphrases; function words weigh less. A chunk is a run of matched words that stand side
/// by side in both texts. The parameters are those of English ranking. Of several references the one with the best
/// score counts.
///
/// Without `MeteorOptions::data` words are matched when they or their stems are equal, and all weigh alike. That score
/// is another one and bears another name, `METEOR (exact, stem)`; it compares with nothing published. Source: Denkowski
/// & Lavie, "Meteor Universal: Language Specific Translation Evaluation for Any Target Language", WMT 2014.
/// @throws ConfigError when hypotheses and reference lists do not pair up or are empty
/// @throws FileError when a file of the data is missing or malformed
[[nodiscard]] inline SummedMetric meteor_metric(std::vector<std::string> const& hypotheses,
                                                ReferenceLists const& references, MeteorOptions const& options = {}) {
  detail::check_references("meteor", hypotheses, references);
  detail::MeteorTexts texts(options);
  std::vector<detail::MeteorText> outputs;
  std::vector<std::vector<detail::MeteorText>> lists(references.size());
  for (std::size_t i = 0; i < hypotheses.size(); ++i) {
    outputs.push_back(texts.read(hypotheses[i]));
    for (std::string const& reference : references[i]) lists[i].push_back(texts.read(reference));
  }
  auto const paraphrases = texts.paraphrases();
  SummedMetric metric{options.data.empty() ? "METEOR (exact, stem)" : "METEOR",
                      {detail::MeteorSum::width, {}},
                      [](std::span<double const> sums) { return 100 * detail::meteor_of_sums(sums); }};
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    detail::MeteorSums best{};
    double best_score = -1;
    for (auto const& reference : lists[i]) {
      auto const chosen = detail::align_for_meteor(detail::find_matches(outputs[i], reference, paraphrases));
      auto const sums = detail::meteor_sums(outputs[i], reference, chosen);
      double const score = detail::meteor_of_sums(sums);
      if (score <= best_score) continue;
      best_score = score;
      best = sums;
    }
    metric.statistics.values.insert(metric.statistics.values.end(), best.begin(), best.end());
  }
  return metric;
}

/// The METEOR score alone. @throws ConfigError, FileError as `meteor_metric`
[[nodiscard]] inline double corpus_meteor(std::vector<std::string> const& hypotheses, ReferenceLists const& references,
                                          MeteorOptions const& options = {}) {
  return meteor_metric(hypotheses, references, options).score();
}

}  // namespace graft

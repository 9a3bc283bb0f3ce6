/// @file
/// @brief What METEOR can align: pairs of equal words, equal stems, synonyms and paraphrases.
#pragma once

#include <libstemmer.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <graft/core/error.hpp>
#include <graft/metrics/meteor/paraphrases.hpp>
#include <graft/metrics/meteor/synonyms.hpp>
#include <graft/text/utf8.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace graft::detail {

/// METEOR's stages, in the order in which it tries them.
enum class MeteorStage : std::uint8_t { exact, stem, synonym, paraphrase };

inline constexpr std::size_t meteor_stages = 4;

/// Words `start` to `start + length` of the reference matched with words of the hypothesis.
struct MeteorMatch {
  MeteorStage stage;
  std::size_t start, length;  ///< in the reference
  std::size_t hypothesis_start, hypothesis_length;
};

/// The matches of a pair of texts, and how many of them cover each word.
struct MeteorMatches {
  std::vector<std::vector<MeteorMatch>> starting;  ///< `[reference words]`
  std::vector<int> hypothesis_cover, reference_cover;

  MeteorMatches(std::size_t hypothesis, std::size_t reference)
      : starting(reference), hypothesis_cover(hypothesis, 0), reference_cover(reference, 0) {}
  void add(MeteorMatch const& match) {
    starting[match.start].push_back(match);
    for (std::size_t i = 0; i < match.hypothesis_length; ++i) ++hypothesis_cover[match.hypothesis_start + i];
    for (std::size_t i = 0; i < match.length; ++i) ++reference_cover[match.start + i];
  }
};

/// The number by which METEOR compares words: Java's hash of a string. Different words with one hash are equal to it.
inline std::int32_t java_hash(std::string_view word) {
  std::uint32_t hash = 0;
  for (std::size_t i = 0; i < word.size();) {
    Utf8Char const c = utf8_at(word, i);
    i += c.bytes;
    if (c.code < 0x10000) {
      hash = 31 * hash + static_cast<std::uint32_t>(c.code);
    } else {  // two units of UTF-16
      hash = 31 * hash + static_cast<std::uint32_t>(0xD7C0 + (c.code >> 10U));
      hash = 31 * hash + static_cast<std::uint32_t>(0xDC00 + (c.code & 0x3FFU));
    }
  }
  return static_cast<std::int32_t>(hash);
}

/// Snowball's English stemmer.
class EnglishStemmer {
 public:
  EnglishStemmer() : stemmer_(sb_stemmer_new("english", "UTF_8"), &sb_stemmer_delete) {
    if (!stemmer_) fail<ConfigError>("[meteor] libstemmer has no English stemmer; got none; expected Snowball's");
  }
  [[nodiscard]] std::string operator()(std::string const& word) const {
    auto const* const bytes = reinterpret_cast<sb_symbol const*>(word.data());
    sb_symbol const* const stem = sb_stemmer_stem(stemmer_.get(), bytes, static_cast<int>(word.size()));
    if (!stem) fail<ConfigError>("[meteor] libstemmer ran out of memory; got a word of ", word.size(), " bytes");
    return std::string(reinterpret_cast<char const*>(stem),
                       static_cast<std::size_t>(sb_stemmer_length(stemmer_.get())));
  }

 private:
  std::unique_ptr<sb_stemmer, void (*)(sb_stemmer*)> stemmer_;
};

/// A text's words as the stages compare them.
struct MeteorText {
  std::vector<std::string> words;
  std::vector<std::int32_t> keys, stems;
  std::vector<std::unordered_set<std::int32_t>> synsets;
  std::vector<std::int32_t> paraphrase_words;
  std::vector<bool> function;  ///< of and to the: words that say little
};

/// Pairs of single words that `same(hypothesis word, reference word)`, other than equal ones (which are stage exact).
template <class Same>
void add_word_matches(MeteorMatches& matches, MeteorStage stage, MeteorText const& hypothesis,
                      MeteorText const& reference, Same same) {
  for (std::size_t j = 0; j < reference.words.size(); ++j)
    for (std::size_t i = 0; i < hypothesis.words.size(); ++i) {
      bool const equal = hypothesis.keys[i] == reference.keys[j];
      if (stage == MeteorStage::exact ? equal : !equal && same(i, j)) matches.add({stage, j, 1, i, 1});
    }
}

/// Calls `found(start, length, other start, other length)` for every phrase of `text` whose paraphrase stands in
/// `other`.
template <class Found>
void find_paraphrases(std::vector<std::int32_t> const& text, std::vector<std::int32_t> const& other,
                      Paraphrases const& table, Found found) {
  for (std::size_t start = 0; start < text.size(); ++start)
    table.visit(text, start, [&](std::size_t length, std::vector<std::int32_t> const& phrase) {
      for (std::size_t at = 0; at + phrase.size() <= other.size(); ++at)
        if (std::equal(phrase.begin(), phrase.end(), other.begin() + static_cast<std::ptrdiff_t>(at)))
          found(start, length, at, phrase.size());
    });
}

inline void add_paraphrase_matches(MeteorMatches& matches, MeteorText const& hypothesis, MeteorText const& reference,
                                   Paraphrases const& table) {
  find_paraphrases(reference.paraphrase_words, hypothesis.paraphrase_words, table,
                   [&](std::size_t start, std::size_t length, std::size_t at, std::size_t size) {
                     matches.add({MeteorStage::paraphrase, start, length, at, size});
                   });
  find_paraphrases(hypothesis.paraphrase_words, reference.paraphrase_words, table,
                   [&](std::size_t start, std::size_t length, std::size_t at, std::size_t size) {
                     matches.add({MeteorStage::paraphrase, at, size, start, length});
                   });
}

/// All matches, stage after stage. Texts with the same words have exact matches alone.
inline MeteorMatches find_matches(MeteorText const& hypothesis, MeteorText const& reference, Paraphrases const& table) {
  MeteorMatches matches(hypothesis.words.size(), reference.words.size());
  add_word_matches(matches, MeteorStage::exact, hypothesis, reference, [](std::size_t, std::size_t) { return true; });
  if (hypothesis.keys == reference.keys) return matches;
  add_word_matches(matches, MeteorStage::stem, hypothesis, reference,
                   [&](std::size_t i, std::size_t j) { return hypothesis.stems[i] == reference.stems[j]; });
  add_word_matches(matches, MeteorStage::synonym, hypothesis, reference, [&](std::size_t i, std::size_t j) {
    for (std::int32_t const set : hypothesis.synsets[i])
      if (reference.synsets[j].count(set) != 0) return true;
    return false;
  });
  add_paraphrase_matches(matches, hypothesis, reference, table);
  return matches;
}

}  // namespace graft::detail

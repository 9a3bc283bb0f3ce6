/// @file
/// @brief Words as numbers, and counts of n-grams of them: what BLEU, NIST, CIDEr and ROUGE-N share.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <graft/core/error.hpp>
#include <graft/core/random.hpp>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace graft {

/// Several accepted texts for each item, in the items' order.
using ReferenceLists = std::vector<std::vector<std::string>>;

namespace detail {

using WordId = std::uint32_t;
inline constexpr std::size_t longest_ngram = 5;

/// Gives equal words equal numbers (from 1), so that n-grams compare as integers.
class WordIds {
 public:
  [[nodiscard]] std::vector<WordId> operator()(std::vector<std::string> words) {
    std::vector<WordId> ids;
    ids.reserve(words.size());
    for (std::string& word : words)
      ids.push_back(ids_.try_emplace(std::move(word), static_cast<WordId>(ids_.size() + 1)).first->second);
    return ids;
  }

 private:
  std::unordered_map<std::string, WordId> ids_;
};

/// An n-gram of up to five words; unused places are 0, so orders do not mix.
using Ngram = std::array<WordId, longest_ngram>;

struct NgramHash {
  std::size_t operator()(Ngram const& ngram) const {
    std::uint64_t const low = ngram[0] | (std::uint64_t{ngram[1]} << 32U),
                        high = ngram[2] | (std::uint64_t{ngram[3]} << 32U);
    return static_cast<std::size_t>(mix_bits(low ^ mix_bits(high ^ mix_bits(ngram[4]))));
  }
};

using NgramCounts = std::unordered_map<Ngram, std::int64_t, NgramHash>;

/// How often each n-gram of `order` words (1 to 5) occurs.
inline NgramCounts count_ngrams(std::vector<WordId> const& words, std::size_t order) {
  NgramCounts counts;
  for (std::size_t i = 0; i + order <= words.size(); ++i) {
    Ngram ngram{};
    std::copy_n(words.begin() + static_cast<std::ptrdiff_t>(i), order, ngram.begin());
    ++counts[ngram];
  }
  return counts;
}

/// Items and reference lists must pair up, with at least one item and at least one reference each.
inline void check_references(char const* metric, std::vector<std::string> const& hypotheses,
                             ReferenceLists const& references) {
  if (hypotheses.size() != references.size())
    fail<ConfigError>("[", metric, "] hypotheses and reference lists do not pair up; got ", hypotheses.size(),
                      " hypotheses and ", references.size(), " reference lists; expected one list for each hypothesis");
  if (hypotheses.empty()) fail<ConfigError>("[", metric, "] nothing to score; got 0 hypotheses; expected at least one");
  for (std::size_t i = 0; i < references.size(); ++i)
    if (references[i].empty())
      fail<ConfigError>("[", metric, "] item ", i + 1, " of ", references.size(),
                        " has no reference; expected at least one");
}

}  // namespace detail
}  // namespace graft

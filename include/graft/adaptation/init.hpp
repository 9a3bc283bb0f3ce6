/// @file
/// @brief How virtual activations start.
#pragma once

#include <cmath>
#include <vector>

#include <graft/nn/model_info.hpp>

namespace graft {

/// The start of trainable virtual tokens, keys and values.
enum class Init {
  normal,      ///< independent normal numbers with `init_deviation`
  uniform,     ///< independent uniform numbers in ±`init_deviation`
  vocabulary,  ///< embeddings of tokens sampled from the first `init_sample` of the vocabulary (the most common ones;
               ///< Lester et al. 2021)
  words,  ///< the given words: their embeddings, or for keys and values their activations in the base model (Li & Liang
          ///< 2021)
};

/// `count` tokens for `Init::vocabulary`, sampled without replacement where possible.
[[nodiscard]] inline std::vector<std::vector<Token>> sample_vocabulary(Index count, Index vocabulary, Index sample,
                                                                       RandomKey key) {
  Index const bound = std::min(vocabulary, sample);
  std::vector<Token> ids(static_cast<std::size_t>(bound));
  for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<Token>(i);
  shuffle(ids, key.with("sample_vocabulary"));
  std::vector<std::vector<Token>> words;
  for (Index i = 0; i < count; ++i) words.push_back({ids[static_cast<std::size_t>(i % bound)]});
  return words;
}

/// One embedding per word, the mean over its tokens, `[count, width]`; the words are repeated
/// until there are `count` (as PEFT repeats a text).
template <class Scalar, class Device>
[[nodiscard]] Tensor<Scalar> embed_words(std::vector<std::vector<Token>> const& words, Index count,
                                         BaseAccess<Scalar, Device> const& base) {
  if (words.empty())
    fail<ConfigError>("[init] got no words; expected at least one to start ", count,
                      " virtual tokens from; hint: give init_words or another init");
  Tensor<Scalar> result;
  for (Index i = 0; i < count; ++i) {
    auto const& word = words[static_cast<std::size_t>(i) % words.size()];
    if (word.empty()) fail<ConfigError>("[init] got word ", i, " without tokens; expected at least one token");
    auto const rows = base.embed(word);
    if (result.empty()) result = Tensor<Scalar>(Shape{count, rows.width()});
    for (Index k = 0; k < rows.width(); ++k) {
      double sum = 0;
      for (Index t = 0; t < rows.rows(); ++t) sum += static_cast<double>(rows.row(t)[k]);
      result.row(i)[k] = static_cast<Scalar>(sum / static_cast<double>(rows.rows()));
    }
  }
  return result;
}

/// torch.nn.Linear's start: uniform in ±1/√in.
template <class Scalar>
[[nodiscard]] Tensor<Scalar> linear_init(Shape const& shape, Index in, RandomKey key) {
  double const bound = 1.0 / std::sqrt(static_cast<double>(in));
  return uniform<Scalar>(shape, key, -bound, bound);
}

}  // namespace graft

/// @file
/// @brief Packed rows: the batch as every activation sees it. Nothing is padded and nothing is computed for padding.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include <graft/core/error.hpp>
#include <graft/core/types.hpp>

namespace graft {

/// The packed positions whose states predict something, and what they predict.
struct Targets {
  std::vector<Index> at;       ///< index into the packed tokens; ascending
  std::vector<Token> labels;   ///< the token that the state at `at` predicts; empty when only states or logits are wanted
  std::vector<double> weights;  ///< of each target in the loss; empty for all 1
  [[nodiscard]] Index size() const { return static_cast<Index>(at.size()); }
};

/// Offsets and meaning of packed rows; travels with every activation `[tokens, width]`.
struct Rows {
  std::vector<Index> offsets{0};            ///< `[rows + 1]`: row r holds the packed tokens [offsets[r], offsets[r + 1])
  std::vector<Index> positions;             ///< `[tokens]`: position of each token
  std::vector<Index> insertion;             ///< `[rows]`: in-row index of the token before which infix activations stand
  std::vector<std::uint64_t> examples;      ///< `[rows]`: what addresses the row's random numbers; never its place in the batch
  Targets targets;
  std::uint64_t step = 0;                   ///< addresses this step's random numbers
  bool training = false;                    ///< whether dropout acts

  [[nodiscard]] Index count() const { return static_cast<Index>(offsets.size()) - 1; }
  [[nodiscard]] Index tokens() const { return offsets.back(); }
  [[nodiscard]] Index begin(Index row) const { return offsets[static_cast<std::size_t>(row)]; }
  [[nodiscard]] Index length(Index row) const { return offsets[static_cast<std::size_t>(row) + 1] - begin(row); }
};

/// One array of tokens and its rows.
struct Batch {
  std::vector<Token> tokens;  ///< `[rows.tokens()]`
  Rows rows;
};

/// Tokens of one training example: the loss is taken on `target` alone.
struct TokenizedExample {
  std::vector<Token> source, target;
  std::uint64_t id = 0;  ///< its index in the data set, whatever the order of training
};

/// Appends source + target as one row of a causal language model. The states at |source| − 1 … predict the target; infix activations stand
/// before the last source token, so that the state predicting the first target token sees them.
inline void append_causal_row(Batch& batch, TokenizedExample const& example) {
  if (example.source.empty()) fail("[pack] got an example (number ", example.id, ") without source tokens; expected at least one; hint: a separator or a start token");
  Rows& rows = batch.rows;
  Index const begin = rows.tokens(), source = static_cast<Index>(example.source.size()), target = static_cast<Index>(example.target.size());
  Index const length = source + (target > 0 ? target - 1 : 0);  // the state at the last target token predicts nothing
  for (Index i = 0; i < length; ++i) {
    rows.positions.push_back(i);
    batch.tokens.push_back(i < source ? example.source[static_cast<std::size_t>(i)] : example.target[static_cast<std::size_t>(i - source)]);
  }
  for (Index i = 0; i < target; ++i) {
    rows.targets.at.push_back(begin + source - 1 + i);
    rows.targets.labels.push_back(example.target[static_cast<std::size_t>(i)]);
    rows.targets.weights.push_back(1.0);
  }
  rows.insertion.push_back(source - 1);
  rows.examples.push_back(example.id);
  rows.offsets.push_back(begin + length);
}

/// Packs examples into one batch.
[[nodiscard]] inline Batch pack(std::vector<TokenizedExample> const& examples) {
  Batch batch;
  for (auto const& example : examples) append_causal_row(batch, example);
  return batch;
}

}  // namespace graft

/// @file
/// @brief Rows of a trainable table, one a token: y_i = table_{token(i)}. Also learned positions. (A frozen table is a
/// `FrozenMatrix`, whose `rows` serves.)
#pragma once

#include <span>
#include <utility>
#include <vector>

#include <graft/ops/gather.hpp>

namespace graft {

/// Row numbers for tokens of a vocabulary of this size. `what` names the operation in messages.
/// @throws Error for a token outside the vocabulary.
[[nodiscard]] inline std::vector<Index> checked_tokens(std::span<Token const> tokens, Index vocabulary,
                                                       char const* what = "embedding") {
  std::vector<Index> rows(tokens.size());
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (tokens[i] < 0 || tokens[i] >= vocabulary)
      fail("[", what, "] token out of range; got ", tokens[i], " at position ", i, "; expected 0 to ", vocabulary - 1,
           "; hint: do the tokenizer and the model belong together?");
    rows[i] = tokens[i];
  }
  return rows;
}

/// table [vocabulary, width] → [tokens, width]; the table's gradient is dense, each token's rows added in the order of
/// the batch.
/// @throws Error for a token outside the table.
template <class Scalar, class Device>
[[nodiscard]] Variable<Scalar, Device> embedding(Variable<Scalar, Device> const& table, std::span<Token const> tokens) {
  if (table.shape().rank() != 2)
    fail<ShapeError>("[embedding] got a table of shape ", table.shape(), "; expected [vocabulary, width]");
  return gather_rows(table, checked_tokens(tokens, table.rows()));
}

}  // namespace graft

/// @file
/// @brief Passes of nearly the same size made passes of the same size, for a GPU.
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include <graft/train/loss.hpp>

namespace graft {

namespace detail {

/// How many tokens are missing to a multiple of 64, or, where all rows are shorter, of the largest power of two that is
/// no longer than the longest. At least one: a batch of as many rows gets as many every time.
[[nodiscard]] inline std::size_t tokens_missing(Rows const& rows) {
  Index longest = 0, unit = 64;
  for (Index r = 0; r < rows.count(); ++r) longest = std::max(longest, rows.length(r));
  while (unit > longest) unit /= 2;
  return static_cast<std::size_t>(unit - rows.tokens() % unit);
}

}  // namespace detail

/// Adds one row without targets, so that the number of tokens is a multiple of 64, or, where every row has fewer, of
/// the largest power of two that is no longer than the longest row. An encoder's tokens and a decoder's are rounded up
/// each. The row's states are computed and reach neither the loss nor a gradient. On a GPU, passes of the same size are
/// started by the same CUDA graphs (`WorkTogether`); whether that gains more time than the row takes has not been
/// measured. Passes of a model without `append` stay as they are.
template <class Model>
void round_up_tokens(Model const& model, Batch& batch) {
  if constexpr (requires(TokenizedExample const& example) { model.append(batch, example); }) {
    Rows const& rows = batch.rows;
    if (rows.tokens() == 0) return;
    TokenizedExample row{.source = {}, .target = {}, .id = 0, .adapter = rows.adapter_of(rows.count() - 1)};
    std::size_t const missing = detail::tokens_missing(rows);
    Targets targets = std::exchange(batch.rows.targets, {});
    if (batch.source.tokens() > 0) {
      row.source.assign(detail::tokens_missing(batch.source), batch.source_tokens.front());
      row.target.assign(missing, batch.tokens.front());
    } else {
      row.source.assign(missing, batch.tokens.front());
    }
    model.append(batch, row);
    batch.rows.targets = std::move(targets);
  }
}

}  // namespace graft

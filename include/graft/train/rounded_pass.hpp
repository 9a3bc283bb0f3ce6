/// @file
/// @brief Passes of nearly the same size made passes of the same size, for a GPU.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include <graft/train/loss.hpp>

namespace graft {

/// Adds a row without targets, so that the pass has a multiple of 64 tokens, or, where all its rows are shorter, of the
/// largest power of two that is no longer than the longest. Its states are computed and reach neither the loss nor a
/// gradient. On a GPU, passes of the same size are started by the same CUDA graphs (`WorkTogether`), which saves a
/// small model more time than a row takes. Passes of an encoder and a decoder, whose sizes are two, stay as they are,
/// and so do those of a model without `append`.
template <class Model>
void round_up_tokens(Model const& model, Batch& batch) {
  if constexpr (requires(TokenizedExample const& example) { model.append(batch, example); }) {
    Rows const& rows = batch.rows;
    if (rows.tokens() == 0 || batch.source.tokens() > 0) return;
    Index longest = 0, unit = 64;
    for (Index r = 0; r < rows.count(); ++r) longest = std::max(longest, rows.length(r));
    while (unit > longest) unit /= 2;
    auto const missing = static_cast<std::size_t>(unit - rows.tokens() % unit);  // at least 1: as many rows every time
    model.append(batch, {.source = std::vector<Token>(missing, batch.tokens.front()),
                         .target = {},
                         .id = 0,
                         .adapter = rows.adapter_of(rows.count() - 1)});
  }
}

}  // namespace graft

/// @file
/// @brief How a matrix of weights is stored.
#pragma once

#include <graft/core/types.hpp>

namespace graft {

/// How a checkpoint stores the weight of a linear map from `in` to `out` features.
enum class Layout {
  out_in,  ///< `[out, in]`, as torch.nn.Linear
  in_out,  ///< `[in, out]`, as GPT-2's Conv1D
};

/// Where a GGUF file of llama.cpp's keeps row `row` of a query's or key's map. ggml rotates the pairs (2i, 2i + 1) of a
/// head, Hugging Face (i, i + d/2), so the two halves of the `head_rows` (even) rows of every head are interleaved
/// there.
[[nodiscard]] constexpr Index interleaved_row(Index row, Index head_rows) noexcept {
  Index const in_head = row % head_rows, half = head_rows / 2;
  return row - in_head + (in_head < half ? 2 * in_head : 2 * (in_head - half) + 1);
}

}  // namespace graft

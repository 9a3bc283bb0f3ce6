/// @file
/// @brief How a weight matrix lies in a checkpoint.
#pragma once

namespace graft {

/// How a checkpoint stores the weight of a linear map from `in` to `out` features.
enum class Layout {
  out_in,  ///< `[out, in]`, as torch.nn.Linear
  in_out,  ///< `[in, out]`, as GPT-2's Conv1D
};

}  // namespace graft

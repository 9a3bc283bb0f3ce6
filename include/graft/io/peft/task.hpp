/// @file
/// @brief What PEFT calls the task of a model.
#pragma once

#include <graft/nn/model_info.hpp>

namespace graft::detail {

[[nodiscard]] inline bool has_stack(ModelInfo const& model, Stack which) {
  for (auto const& stack : model.stacks)
    if (stack.stack == which) return true;
  return false;
}

/// An encoder's, an encoder–decoder's or a decoder's `task_type`.
[[nodiscard]] inline char const* peft_task(ModelInfo const& model) {
  if (!has_stack(model, Stack::encoder)) return "CAUSAL_LM";
  return has_stack(model, Stack::decoder) ? "SEQ_2_SEQ_LM" : "SEQ_CLS";
}

}  // namespace graft::detail

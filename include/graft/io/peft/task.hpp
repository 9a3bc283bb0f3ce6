/// @file
/// @brief What PEFT calls the task of a model.
#pragma once

#include <graft/nn/model_info.hpp>

namespace graft::detail {

/// The `task_type` of a classifier, an encoder–decoder or a decoder.
[[nodiscard]] inline char const* peft_task(ModelInfo const& model) {
  if (model.classifies) return "SEQ_CLS";
  return model.main().crosses ? "SEQ_2_SEQ_LM" : "CAUSAL_LM";
}

}  // namespace graft::detail

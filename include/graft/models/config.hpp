/// @file
/// @brief The run-time dimensions of a model, as its checkpoint's configuration gives them.
#pragma once

#include <string>
#include <vector>

#include <graft/core/types.hpp>
#include <graft/ops/activation.hpp>

namespace graft {

/// Dimensions and constants of one checkpoint. Which of them matter is the architecture's affair.
struct ModelConfig {
  std::string architecture;  ///< Hugging Face's model_type
  Index vocabulary = 0, width = 0, layers = 0, heads = 0, kv_heads = 0, head_dim = 0, inner = 0;
  Index positions = 0;                    ///< rows of the position table, or the longest row that rotary positions were trained for
  double norm_epsilon = 1e-5;
  std::vector<double> inverse_frequency;  ///< of rotary positions, `[head_dim / 2]`
  Activation activation = Activation::gelu_tanh;
  bool tied_head = true;
  bool attention_bias = false, feed_forward_bias = false;  ///< for architectures where biases are optional
  Token bos = -1, eos = -1, pad = -1;                      ///< −1: none

  [[nodiscard]] Index query_width() const { return heads * head_dim; }
  [[nodiscard]] Index kv_width() const { return kv_heads * head_dim; }
};

}  // namespace graft

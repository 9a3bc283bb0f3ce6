/// @file
/// @brief The run-time dimensions of a model, as its checkpoint's configuration gives them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <graft/core/activation.hpp>
#include <graft/core/types.hpp>

namespace graft {

/// Dimensions of one stack of layers.
struct StackConfig {
  Index layers = 0, heads = 0, kv_heads = 0, head_dim = 0, inner = 0;

  [[nodiscard]] Index query_width() const { return heads * head_dim; }
  [[nodiscard]] Index kv_width() const { return kv_heads * head_dim; }
};

/// Buckets of distances between positions (T5; Raffel et al. 2020).
struct RelativePositions {
  Index buckets = 0, max_distance = 0;
};

/// Dimensions and constants of one checkpoint. Which of them matter is the architecture's affair. The dimensions of
/// layers that it has itself are those of its main stack: the decoder, or the encoder of a model without one.
struct ModelConfig : StackConfig {
  std::string architecture;  ///< Hugging Face's model_type; `t5_v1_1` for the T5s with gated feed-forwards
  Index vocabulary = 0, width = 0;
  std::optional<StackConfig> encoder;  ///< of a model with both
  /// rows that a position table has for real positions, or the longest row that others were trained for
  Index positions = 0;
  Index position_offset = 0;  ///< rows of the position table before that of position 0
  double norm_epsilon = 1e-5;
  double embedding_scale = 1.0;           ///< factor of token embeddings
  double head_scale = 1.0;                ///< factor of the states that the head reads
  std::vector<double> inverse_frequency;  ///< of rotary positions, `[head_dim / 2]`
  RelativePositions relative;
  bool scaled_attention = true;         ///< scores times 1/√head_dim, where the architecture scales them
  bool layer_scaled_attention = false;  ///< scores of layer i times 1/(i + 1) besides
  Index token_types = 0;                ///< rows of the token type table
  Index labels = 0;                     ///< classes of a classification head
  Activation activation = Activation::gelu_tanh;
  bool tied_head = true;
  bool attention_bias = false, attention_output_bias = false,
       feed_forward_bias = false;          ///< for architectures where biases are optional
  Token bos = -1, eos = -1, pad = -1;      ///< −1: none
  Token decoder_start = -1;                ///< what a decoder with an encoder begins with
  Token forced_bos = -1, forced_eos = -1;  ///< what generation must begin and, at its longest, end with
  std::vector<Token> ends = {};            ///< each ends a generated text; empty: the checkpoint names none
  Token generation_start = -1;             ///< what a generating decoder begins with where it is not `decoder_start`

  [[nodiscard]] StackConfig const& main() const { return *this; }
};

}  // namespace graft

/// @file
/// @brief T5 (Raffel et al. 2020): an encoder and a decoder with RMS norms, relative positions and unscaled attention.
/// Version 1.0 has ReLU feed-forwards and a scaled tied head; 1.1 (Shazeer 2020; flan, the LM-adapted ones) has gated
/// GELU and a head of its own.
#pragma once

#include <graft/models/architecture.hpp>

namespace graft {

namespace detail {
struct T5Policies : ArchitectureDefaults {
  static constexpr StackKind stacks = StackKind::encoder_decoder;
  static constexpr NormKind norm = NormKind::rms_norm;
  static constexpr PositionKind positions = PositionKind::relative;
  static constexpr bool scaled_attention = false;
};

/// Both versions' decoder up to the first products of its feed-forward, and behind them.
inline constexpr std::array t5_decoder{
    SiteSpec{Site::token_embedding, Role::embedding, "shared", Extent::vocabulary, Extent::width},
    SiteSpec{Site::head, Role::head, "lm_head", Extent::vocabulary, Extent::width},
    SiteSpec{Site::relative_bias, Role::embedding, "decoder.block.0.layer.0.SelfAttention.relative_attention_bias",
             Extent::relative_buckets, Extent::heads},
    SiteSpec{Site::attention_norm, Role::norm, "decoder.block.{}.layer.0.layer_norm", Extent::width, Extent::none},
    SiteSpec{Site::query, Role::weight, "decoder.block.{}.layer.0.SelfAttention.q", Extent::query, Extent::width},
    SiteSpec{Site::key, Role::weight, "decoder.block.{}.layer.0.SelfAttention.k", Extent::kv, Extent::width},
    SiteSpec{Site::value, Role::weight, "decoder.block.{}.layer.0.SelfAttention.v", Extent::kv, Extent::width},
    SiteSpec{Site::attention_output, Role::weight, "decoder.block.{}.layer.0.SelfAttention.o", Extent::width,
             Extent::query},
    SiteSpec{Site::cross_attention_norm, Role::norm, "decoder.block.{}.layer.1.layer_norm", Extent::width,
             Extent::none},
    SiteSpec{Site::cross_query, Role::weight, "decoder.block.{}.layer.1.EncDecAttention.q", Extent::query,
             Extent::width},
    SiteSpec{Site::cross_key, Role::weight, "decoder.block.{}.layer.1.EncDecAttention.k", Extent::kv, Extent::width},
    SiteSpec{Site::cross_value, Role::weight, "decoder.block.{}.layer.1.EncDecAttention.v", Extent::kv, Extent::width},
    SiteSpec{Site::cross_attention_output, Role::weight, "decoder.block.{}.layer.1.EncDecAttention.o", Extent::width,
             Extent::query},
    SiteSpec{Site::feed_forward_norm, Role::norm, "decoder.block.{}.layer.2.layer_norm", Extent::width, Extent::none},
};
inline constexpr std::array t5_decoder_end{
    SiteSpec{Site::feed_forward_down, Role::weight, "decoder.block.{}.layer.2.DenseReluDense.wo", Extent::width,
             Extent::inner},
    SiteSpec{Site::final_norm, Role::norm, "decoder.final_layer_norm", Extent::width, Extent::none},
};
/// The same of the encoder.
inline constexpr std::array t5_encoder{
    SiteSpec{Site::relative_bias, Role::embedding, "encoder.block.0.layer.0.SelfAttention.relative_attention_bias",
             Extent::relative_buckets, Extent::heads},
    SiteSpec{Site::attention_norm, Role::norm, "encoder.block.{}.layer.0.layer_norm", Extent::width, Extent::none},
    SiteSpec{Site::query, Role::weight, "encoder.block.{}.layer.0.SelfAttention.q", Extent::query, Extent::width},
    SiteSpec{Site::key, Role::weight, "encoder.block.{}.layer.0.SelfAttention.k", Extent::kv, Extent::width},
    SiteSpec{Site::value, Role::weight, "encoder.block.{}.layer.0.SelfAttention.v", Extent::kv, Extent::width},
    SiteSpec{Site::attention_output, Role::weight, "encoder.block.{}.layer.0.SelfAttention.o", Extent::width,
             Extent::query},
    SiteSpec{Site::feed_forward_norm, Role::norm, "encoder.block.{}.layer.1.layer_norm", Extent::width, Extent::none},
};
inline constexpr std::array t5_encoder_end{
    SiteSpec{Site::feed_forward_down, Role::weight, "encoder.block.{}.layer.1.DenseReluDense.wo", Extent::width,
             Extent::inner},
    SiteSpec{Site::final_norm, Role::norm, "encoder.final_layer_norm", Extent::width, Extent::none},
};
}  // namespace detail

struct T5 : detail::T5Policies {
  static constexpr std::string_view model_type = "t5";

  static constexpr std::array sites =
      joined(detail::t5_decoder,
             std::array{
                 SiteSpec{Site::feed_forward_up, Role::weight, "decoder.block.{}.layer.2.DenseReluDense.wi",
                          Extent::inner, Extent::width},
             },
             detail::t5_decoder_end);
  static constexpr std::array encoder_sites =
      joined(detail::t5_encoder,
             std::array{
                 SiteSpec{Site::feed_forward_up, Role::weight, "encoder.block.{}.layer.1.DenseReluDense.wi",
                          Extent::inner, Extent::width},
             },
             detail::t5_encoder_end);
};

/// T5 with gated feed-forwards. Its config.json says `t5` too; `ModelConfig::architecture` tells them apart.
struct T5v11 : detail::T5Policies {
  static constexpr std::string_view model_type = "t5_v1_1";
  static constexpr FeedForwardKind feed_forward = FeedForwardKind::gated;

  static constexpr std::array sites =
      joined(detail::t5_decoder,
             std::array{
                 SiteSpec{Site::feed_forward_gate, Role::weight, "decoder.block.{}.layer.2.DenseReluDense.wi_0",
                          Extent::inner, Extent::width},
                 SiteSpec{Site::feed_forward_up, Role::weight, "decoder.block.{}.layer.2.DenseReluDense.wi_1",
                          Extent::inner, Extent::width},
             },
             detail::t5_decoder_end);
  static constexpr std::array encoder_sites =
      joined(detail::t5_encoder,
             std::array{
                 SiteSpec{Site::feed_forward_gate, Role::weight, "encoder.block.{}.layer.1.DenseReluDense.wi_0",
                          Extent::inner, Extent::width},
                 SiteSpec{Site::feed_forward_up, Role::weight, "encoder.block.{}.layer.1.DenseReluDense.wi_1",
                          Extent::inner, Extent::width},
             },
             detail::t5_encoder_end);
};

}  // namespace graft

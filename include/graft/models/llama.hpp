/// @file
/// @brief LLaMA (Touvron et al. 2023) and its kin (SmolLM2, Mistral, Qwen2): rotary positions,
/// RMS norm, SwiGLU, grouped-query attention, tied or untied head.
#pragma once

#include <array>

#include <graft/models/architecture.hpp>

namespace graft {

struct Llama : ArchitectureDefaults {
  static constexpr std::string_view model_type = "llama";
  static constexpr std::array<std::string_view, 2> also = {"mistral", "qwen2"};
  static constexpr NormKind norm = NormKind::rms_norm;
  static constexpr PositionKind positions = PositionKind::rotary;
  static constexpr FeedForwardKind feed_forward = FeedForwardKind::gated;

  static constexpr std::array sites{
      SiteSpec{Site::token_embedding, Role::embedding, "model.embed_tokens", Extent::vocabulary, Extent::width},
      SiteSpec{Site::attention_norm, Role::norm, "model.layers.{}.input_layernorm", Extent::width, Extent::none},
      SiteSpec{Site::query, Role::weight, "model.layers.{}.self_attn.q_proj", Extent::query, Extent::width,
               Presence::attention_bias},
      SiteSpec{Site::key, Role::weight, "model.layers.{}.self_attn.k_proj", Extent::kv, Extent::width,
               Presence::attention_bias},
      SiteSpec{Site::value, Role::weight, "model.layers.{}.self_attn.v_proj", Extent::kv, Extent::width,
               Presence::attention_bias},
      SiteSpec{Site::attention_output, Role::weight, "model.layers.{}.self_attn.o_proj", Extent::width, Extent::query,
               Presence::attention_output_bias},
      SiteSpec{Site::feed_forward_norm, Role::norm, "model.layers.{}.post_attention_layernorm", Extent::width,
               Extent::none},
      SiteSpec{Site::feed_forward_gate, Role::weight, "model.layers.{}.mlp.gate_proj", Extent::inner, Extent::width,
               Presence::feed_forward_bias},
      SiteSpec{Site::feed_forward_up, Role::weight, "model.layers.{}.mlp.up_proj", Extent::inner, Extent::width,
               Presence::feed_forward_bias},
      SiteSpec{Site::feed_forward_down, Role::weight, "model.layers.{}.mlp.down_proj", Extent::width, Extent::inner,
               Presence::feed_forward_bias},
      SiteSpec{Site::final_norm, Role::norm, "model.norm", Extent::width, Extent::none},
      SiteSpec{Site::head, Role::head, "lm_head", Extent::vocabulary, Extent::width},
  };
};

}  // namespace graft

/// @file
/// @brief BART (Lewis et al. 2020): an encoder and a decoder with learned positions, a layer
/// norm after each sublayer and after the embeddings, tied head.
#pragma once

#include <graft/models/architecture.hpp>

namespace graft {

struct Bart : ArchitectureDefaults {
  static constexpr std::string_view model_type = "bart";
  static constexpr StackKind stacks = StackKind::encoder_decoder;
  static constexpr NormPlacement placement = NormPlacement::after;

  static constexpr std::array sites{
      SiteSpec{Site::token_embedding, Role::embedding, "model.shared", Extent::vocabulary, Extent::width},
      SiteSpec{Site::head, Role::head, "lm_head", Extent::vocabulary, Extent::width},
      SiteSpec{Site::head_bias, Role::buffer, "final_logits_bias", Extent::one, Extent::vocabulary},
      SiteSpec{Site::position_embedding, Role::embedding, "model.decoder.embed_positions", Extent::positions,
               Extent::width},
      SiteSpec{Site::embedding_norm, Role::norm, "model.decoder.layernorm_embedding", Extent::width, Extent::none,
               Presence::always},
      SiteSpec{Site::query, Role::weight, "model.decoder.layers.{}.self_attn.q_proj", Extent::query, Extent::width,
               Presence::always},
      SiteSpec{Site::key, Role::weight, "model.decoder.layers.{}.self_attn.k_proj", Extent::kv, Extent::width,
               Presence::always},
      SiteSpec{Site::value, Role::weight, "model.decoder.layers.{}.self_attn.v_proj", Extent::kv, Extent::width,
               Presence::always},
      SiteSpec{Site::attention_output, Role::weight, "model.decoder.layers.{}.self_attn.out_proj", Extent::width,
               Extent::query, Presence::always},
      SiteSpec{Site::attention_norm, Role::norm, "model.decoder.layers.{}.self_attn_layer_norm", Extent::width,
               Extent::none, Presence::always},
      SiteSpec{Site::cross_query, Role::weight, "model.decoder.layers.{}.encoder_attn.q_proj", Extent::query,
               Extent::width, Presence::always},
      SiteSpec{Site::cross_key, Role::weight, "model.decoder.layers.{}.encoder_attn.k_proj", Extent::kv, Extent::width,
               Presence::always},
      SiteSpec{Site::cross_value, Role::weight, "model.decoder.layers.{}.encoder_attn.v_proj", Extent::kv,
               Extent::width, Presence::always},
      SiteSpec{Site::cross_attention_output, Role::weight, "model.decoder.layers.{}.encoder_attn.out_proj",
               Extent::width, Extent::query, Presence::always},
      SiteSpec{Site::cross_attention_norm, Role::norm, "model.decoder.layers.{}.encoder_attn_layer_norm", Extent::width,
               Extent::none, Presence::always},
      SiteSpec{Site::feed_forward_up, Role::weight, "model.decoder.layers.{}.fc1", Extent::inner, Extent::width,
               Presence::always},
      SiteSpec{Site::feed_forward_down, Role::weight, "model.decoder.layers.{}.fc2", Extent::width, Extent::inner,
               Presence::always},
      SiteSpec{Site::feed_forward_norm, Role::norm, "model.decoder.layers.{}.final_layer_norm", Extent::width,
               Extent::none, Presence::always},
  };
  static constexpr std::array encoder_sites{
      SiteSpec{Site::position_embedding, Role::embedding, "model.encoder.embed_positions", Extent::positions,
               Extent::width},
      SiteSpec{Site::embedding_norm, Role::norm, "model.encoder.layernorm_embedding", Extent::width, Extent::none,
               Presence::always},
      SiteSpec{Site::query, Role::weight, "model.encoder.layers.{}.self_attn.q_proj", Extent::query, Extent::width,
               Presence::always},
      SiteSpec{Site::key, Role::weight, "model.encoder.layers.{}.self_attn.k_proj", Extent::kv, Extent::width,
               Presence::always},
      SiteSpec{Site::value, Role::weight, "model.encoder.layers.{}.self_attn.v_proj", Extent::kv, Extent::width,
               Presence::always},
      SiteSpec{Site::attention_output, Role::weight, "model.encoder.layers.{}.self_attn.out_proj", Extent::width,
               Extent::query, Presence::always},
      SiteSpec{Site::attention_norm, Role::norm, "model.encoder.layers.{}.self_attn_layer_norm", Extent::width,
               Extent::none, Presence::always},
      SiteSpec{Site::feed_forward_up, Role::weight, "model.encoder.layers.{}.fc1", Extent::inner, Extent::width,
               Presence::always},
      SiteSpec{Site::feed_forward_down, Role::weight, "model.encoder.layers.{}.fc2", Extent::width, Extent::inner,
               Presence::always},
      SiteSpec{Site::feed_forward_norm, Role::norm, "model.encoder.layers.{}.final_layer_norm", Extent::width,
               Extent::none, Presence::always},
  };
};

}  // namespace graft

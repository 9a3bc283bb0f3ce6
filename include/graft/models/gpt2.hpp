/// @file
/// @brief GPT-2 (Radford et al. 2019): learned positions, layer norm before each sublayer, one fused query-key-value
/// product, tied head.
#pragma once

#include <array>

#include <graft/models/architecture.hpp>

namespace graft {

struct Gpt2 : ArchitectureDefaults {
  static constexpr std::string_view model_type = "gpt2";
  static constexpr bool fused_attention = true;

  static constexpr std::array sites{
      SiteSpec{Site::token_embedding, Role::embedding, "transformer.wte", Extent::vocabulary, Extent::width},
      SiteSpec{Site::position_embedding, Role::embedding, "transformer.wpe", Extent::positions, Extent::width},
      SiteSpec{Site::attention_norm, Role::norm, "transformer.h.{}.ln_1", Extent::width, Extent::none,
               Presence::always},
      SiteSpec{Site::query_key_value, Role::weight, "transformer.h.{}.attn.c_attn", Extent::query_key_value,
               Extent::width, Presence::always, Layout::in_out},
      SiteSpec{Site::attention_output, Role::weight, "transformer.h.{}.attn.c_proj", Extent::width, Extent::query,
               Presence::always, Layout::in_out},
      SiteSpec{Site::feed_forward_norm, Role::norm, "transformer.h.{}.ln_2", Extent::width, Extent::none,
               Presence::always},
      SiteSpec{Site::feed_forward_up, Role::weight, "transformer.h.{}.mlp.c_fc", Extent::inner, Extent::width,
               Presence::always, Layout::in_out},
      SiteSpec{Site::feed_forward_down, Role::weight, "transformer.h.{}.mlp.c_proj", Extent::width, Extent::inner,
               Presence::always, Layout::in_out},
      SiteSpec{Site::final_norm, Role::norm, "transformer.ln_f", Extent::width, Extent::none, Presence::always},
      SiteSpec{Site::head, Role::head, "lm_head", Extent::vocabulary, Extent::width},
  };
};

}  // namespace graft

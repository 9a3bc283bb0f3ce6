/// @file
/// @brief Names for the places of a transformer where weights live and strategies act. No architecture and no strategy
/// is named here.
#pragma once

#include <cstddef>
#include <string>

#include <graft/core/layout.hpp>
#include <graft/core/types.hpp>

namespace graft {

/// Which half of a model. Decoder-only models have a decoder, encoder-only models an encoder.
enum class Stack { decoder, encoder };

/// A module with weights. An architecture has some of these; its own projections are its sites (a fused qkv is one).
enum class Site {
  token_embedding,
  head,
  head_bias,
  pooler,
  classifier,  // once a model
  position_embedding,
  token_type_embedding,
  embedding_norm,
  relative_bias,
  final_norm,  // once a stack
  attention_norm,
  query,
  key,
  value,
  query_key_value,
  attention_output,  // once a layer
  cross_attention_norm,
  cross_query,
  cross_key,
  cross_value,
  cross_attention_output,  // once a layer that attends to an encoder
  feed_forward_norm,
  feed_forward_gate,
  feed_forward_up,
  feed_forward_down,  // once a layer
};
inline constexpr std::size_t site_count = static_cast<std::size_t>(Site::feed_forward_down) + 1;

/// Whether a model has the site once, in whatever stack.
[[nodiscard]] constexpr bool is_per_model(Site site) { return site < Site::position_embedding; }
/// Whether every layer has the site.
[[nodiscard]] constexpr bool is_per_layer(Site site) { return site >= Site::attention_norm; }

/// What a weight is for: trainability is chosen by role.
enum class Role : unsigned {
  weight = 1,
  bias = 2,
  norm = 4,
  embedding = 8,
  head = 16,
  buffer = 32,  ///< numbers that no strategy trains (BART's final_logits_bias)
};

/// A set of roles, as a strategy's `trained_roles`.
using Roles = unsigned;
constexpr Roles operator|(Role a, Role b) { return static_cast<Roles>(a) | static_cast<Roles>(b); }
constexpr Roles operator|(Roles a, Role b) { return a | static_cast<Roles>(b); }
constexpr bool contains(Roles roles, Role role) { return (roles & static_cast<Roles>(role)) != 0; }

/// Which tensor of a site: the matrix (or a norm's gain), or the bias.
enum class Part { weight, bias };

/// The additions to the residual stream that a layer makes; only a decoder with an encoder has cross-attention.
enum class Sublayer { attention, cross_attention, feed_forward };

/// Which of a layer's attentions: over its own stack's states, or over the encoder's.
enum class AttentionKind { self, cross };

/// A layer of a stack.
struct LayerAddress {
  Stack stack = Stack::decoder;
  int layer = 0;
  friend bool operator==(LayerAddress const& a, LayerAddress const& b) {
    return a.stack == b.stack && a.layer == b.layer;
  }
};

/// A site of a layer; `layer` is −1 for the sites that a stack has once, and the stack the decoder for those that a
/// model has once.
struct SiteAddress {
  Site site{};
  LayerAddress at{Stack::decoder, -1};
  friend bool operator==(SiteAddress const& a, SiteAddress const& b) { return a.site == b.site && a.at == b.at; }
};

/// What a strategy may know of a site.
struct SiteInfo {
  SiteAddress address;
  Role role{};             ///< of the weight; a bias's role is `Role::bias`
  std::string name;        ///< module name in the checkpoint, such as `transformer.h.0.attn.c_attn`
  std::string short_name;  ///< its last component, such as `c_attn`: what LoRA's target lists hold
  Index out = 0, in = 0;   ///< extents of the linear map; a norm has `out` = width, `in` = 0
  Layout layout = Layout::out_in;
  bool bias = false;
  bool tied = false;  ///< shares the weight of the token embedding
  /// Elements of the weight.
  [[nodiscard]] Index weights() const { return out * (in ? in : 1); }
};

}  // namespace graft

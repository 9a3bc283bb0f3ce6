/// @file
/// @brief An architecture is a table: its sites with their shapes and checkpoint names, and a few policies. From the table come loading,
/// PEFT's names, LoRA's targets, BitFit, parameter counts and `inspect`.
#pragma once

#include <string>
#include <string_view>

#include <graft/models/config.hpp>
#include <graft/nn/model_info.hpp>

namespace graft {

/// An extent of a weight, symbolically.
enum class Extent { none, vocabulary, positions, width, query, kv, query_key_value, inner };

/// When a site or its bias exists.
enum class Presence { always, never, attention_bias, feed_forward_bias, untied_head };

/// One line of an architecture's table.
struct SiteSpec {
  Site site;
  Role role;
  std::string_view name;  ///< module name in the checkpoint; `{}` stands for the layer's number
  Extent out, in;
  Presence bias = Presence::never;
  Layout layout = Layout::out_in;
};

enum class NormKind { layer_norm, rms_norm };
enum class PositionKind { learned, rotary };
enum class FeedForwardKind { plain, gated };

/// What an architecture policy must have (see `Gpt2`, `Llama`).
template <class A>
concept Architecture = requires {
  { A::model_type } -> std::convertible_to<std::string_view>;
  { A::norm } -> std::convertible_to<NormKind>;
  { A::positions } -> std::convertible_to<PositionKind>;
  { A::feed_forward } -> std::convertible_to<FeedForwardKind>;
  { A::fused_attention } -> std::convertible_to<bool>;
  A::sites.size();
};

[[nodiscard]] inline Index extent_of(Extent extent, ModelConfig const& config) {
  switch (extent) {
    case Extent::vocabulary: return config.vocabulary;
    case Extent::positions: return config.positions;
    case Extent::width: return config.width;
    case Extent::query: return config.query_width();
    case Extent::kv: return config.kv_width();
    case Extent::query_key_value: return config.query_width() + 2 * config.kv_width();
    case Extent::inner: return config.inner;
    case Extent::none: break;
  }
  return 0;
}

[[nodiscard]] inline bool is_present(Presence presence, ModelConfig const& config) {
  return presence == Presence::always || (presence == Presence::attention_bias && config.attention_bias) ||
         (presence == Presence::feed_forward_bias && config.feed_forward_bias) || (presence == Presence::untied_head && !config.tied_head);
}

/// Whether the architecture has the site at all.
template <Architecture A>
[[nodiscard]] constexpr bool has_site(Site site) {
  for (auto const& spec : A::sites)
    if (spec.site == site) return true;
  return false;
}

/// Fills a table line's `{}` with the layer's number.
[[nodiscard]] inline std::string site_name(std::string_view pattern, int layer) {
  std::string name(pattern);
  if (auto const at = name.find("{}"); at != std::string::npos) name.replace(at, 2, std::to_string(layer));
  return name;
}

/// The table of an architecture with the dimensions of a checkpoint.
template <Architecture A>
[[nodiscard]] ModelInfo describe_model(ModelConfig const& config) {
  ModelInfo info;
  info.architecture = config.architecture;
  info.vocabulary = config.vocabulary;
  info.width = config.width;
  info.positions = config.positions;
  info.stacks.push_back({Stack::decoder, static_cast<int>(config.layers), config.heads, config.kv_heads, config.head_dim, true});
  auto const add = [&](SiteSpec const& spec, int layer) {
    SiteInfo site;
    site.address = {spec.site, {Stack::decoder, layer}};
    site.role = spec.role;
    site.name = site_name(spec.name, layer);
    site.short_name = site.name.substr(site.name.rfind('.') + 1);
    site.out = extent_of(spec.out, config);
    site.in = extent_of(spec.in, config);
    site.layout = spec.layout;
    site.bias = is_present(spec.bias, config);
    site.tied = spec.site == Site::head && config.tied_head;
    info.sites.push_back(std::move(site));
  };
  for (auto const& spec : A::sites)
    if (!is_per_layer(spec.site)) add(spec, -1);
  for (int layer = 0; layer < config.layers; ++layer)
    for (auto const& spec : A::sites)
      if (is_per_layer(spec.site)) add(spec, layer);
  return info;
}

}  // namespace graft

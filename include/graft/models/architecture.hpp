/// @file
/// @brief An architecture is a table: its sites with their shapes and checkpoint names, and a few policies. From the
/// table come loading, PEFT's names, LoRA's targets, BitFit, parameter counts and `inspect`.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include <graft/core/numbers.hpp>
#include <graft/models/config.hpp>
#include <graft/nn/model_info.hpp>

namespace graft {

/// An extent of a weight, symbolically.
enum class Extent {
  none,
  one,
  vocabulary,
  positions,
  width,
  query,
  kv,
  query_key_value,
  inner,
  heads,
  relative_buckets,
  token_types,
  labels
};

/// When a site or its bias exists.
enum class Presence { always, never, attention_bias, attention_output_bias, feed_forward_bias };

/// One line of an architecture's table.
struct SiteSpec {
  Site site;
  Role role;
  std::string_view name;  ///< module name in the checkpoint; `{}` stands for the layer's number
  Extent out, in;
  Presence bias = Presence::never;
  Layout layout = Layout::out_in;
};

/// Parts of a table, one behind the other.
template <std::size_t... Sizes>
[[nodiscard]] constexpr auto joined(std::array<SiteSpec, Sizes> const&... parts) {
  std::array<SiteSpec, (Sizes + ...)> all{};
  auto end = all.begin();
  ((end = std::copy(parts.begin(), parts.end(), end)), ...);
  return all;
}

enum class StackKind { decoder, encoder, encoder_decoder };
enum class NormKind { layer_norm, rms_norm };
enum class NormPlacement {
  before,  ///< x + f(norm(x)), and a final norm
  after,   ///< norm(x + f(x)), and a norm of the embeddings
};
enum class PositionKind { learned, rotary, relative };
enum class FeedForwardKind { plain, gated };
enum class HeadKind { language_model, classifier };

/// What most architectures have in common; a policy derives from it and says what differs.
struct ArchitectureDefaults {
  static constexpr StackKind stacks = StackKind::decoder;
  static constexpr NormKind norm = NormKind::layer_norm;
  static constexpr NormPlacement placement = NormPlacement::before;
  static constexpr PositionKind positions = PositionKind::learned;
  static constexpr FeedForwardKind feed_forward = FeedForwardKind::plain;
  static constexpr HeadKind head = HeadKind::language_model;
  static constexpr bool fused_attention = false;                ///< one product for query, key and value
  static constexpr bool scaled_attention = true;                ///< scores times 1/√head_dim
  static constexpr std::array<std::string_view, 0> also = {};   ///< further values of `model_type` that it covers
  static constexpr std::array<SiteSpec, 0> encoder_sites = {};  ///< the encoder's, where `sites` is a decoder's
};

/// What an architecture policy must have (see `Gpt2`, `Llama`, `T5`, `Bart`, `Bert`).
template <class A>
concept Architecture = requires {
  { A::model_type } -> std::convertible_to<std::string_view>;
  { A::stacks } -> std::convertible_to<StackKind>;
  { A::norm } -> std::convertible_to<NormKind>;
  { A::placement } -> std::convertible_to<NormPlacement>;
  { A::positions } -> std::convertible_to<PositionKind>;
  { A::feed_forward } -> std::convertible_to<FeedForwardKind>;
  { A::head } -> std::convertible_to<HeadKind>;
  { A::fused_attention } -> std::convertible_to<bool>;
  A::also.size();
  A::sites.size();
  A::encoder_sites.size();
};

/// Whether a policy covers checkpoints of this `ModelConfig::architecture`.
template <Architecture A>
[[nodiscard]] constexpr bool covers(std::string_view architecture) {
  return architecture == A::model_type || std::find(A::also.begin(), A::also.end(), architecture) != A::also.end();
}

/// The stack whose states the head reads.
template <Architecture A>
inline constexpr Stack main_stack = A::stacks == StackKind::encoder ? Stack::encoder : Stack::decoder;

/// Whether the main stack's table has a site.
template <Architecture A>
[[nodiscard]] constexpr bool has_site(Site site) {
  for (auto const& spec : A::sites)
    if (spec.site == site) return true;
  return false;
}

/// The role of a site's weight in the main stack's table.
template <Architecture A>
[[nodiscard]] constexpr Role role_of(Site site) {
  for (auto const& spec : A::sites)
    if (spec.site == site) return spec.role;
  return Role::weight;
}

/// The dimensions of a stack.
template <Architecture A>
[[nodiscard]] StackConfig const& stack_config(ModelConfig const& config, Stack stack) {
  return stack == main_stack<A> ? config.main() : *config.encoder;
}

[[nodiscard]] inline Index extent_of(Extent extent, ModelConfig const& config, StackConfig const& stack) {
  switch (extent) {
    case Extent::one: return 1;
    case Extent::vocabulary: return config.vocabulary;
    case Extent::positions: return config.positions + config.position_offset;
    case Extent::width: return config.width;
    case Extent::query: return stack.query_width();
    case Extent::kv: return stack.kv_width();
    case Extent::query_key_value: return stack.query_width() + 2 * stack.kv_width();
    case Extent::inner: return stack.inner;
    case Extent::heads: return stack.heads;
    case Extent::relative_buckets: return config.relative.buckets;
    case Extent::token_types: return config.token_types;
    case Extent::labels: return config.labels;
    case Extent::none: break;
  }
  return 0;
}

[[nodiscard]] inline bool is_present(Presence presence, ModelConfig const& config) {
  return presence == Presence::always || (presence == Presence::attention_bias && config.attention_bias) ||
         (presence == Presence::attention_output_bias && config.attention_output_bias) ||
         (presence == Presence::feed_forward_bias && config.feed_forward_bias);
}

/// Fills a table line's `{}` with the layer's number.
[[nodiscard]] inline std::string site_name(std::string_view pattern, int layer) {
  std::string name(pattern);
  if (auto const at = name.find("{}"); at != std::string::npos) name.replace(at, 2, std::to_string(layer));
  return name;
}

/// Beyond these a configuration is damaged: nothing is allocated for it.
inline constexpr Index most_layers = 100000;
inline constexpr double most_parameters = 1e15;

/// The table of an architecture with the dimensions of a checkpoint. The main stack comes first.
template <Architecture A>
[[nodiscard]] ModelInfo describe_model(ModelConfig const& config) {
  ModelInfo info;
  info.architecture = config.architecture;
  info.vocabulary = config.vocabulary;
  info.width = config.width;
  info.positions = config.positions;
  info.labels = config.labels;
  info.learned_positions = A::positions == PositionKind::learned;
  info.classifies = A::head == HeadKind::classifier;
  auto const add_stack = [&](Stack stack) {
    StackConfig const& c = stack_config<A>(config, stack);
    if (c.layers > most_layers)
      fail<ConfigError>("[model] got a configuration of ", c.layers, " layers; expected at most ", most_layers);
    double const most = static_cast<double>(most_of_anything), head_dim = static_cast<double>(c.head_dim);
    if (static_cast<double>(c.heads) * head_dim > most || static_cast<double>(c.kv_heads) * head_dim > most)
      fail<ConfigError>("[model] got a configuration of ", c.heads, " heads of width ", c.head_dim, "; expected ",
                        at_most_of_anything, " in all");
    bool const crosses = A::stacks == StackKind::encoder_decoder && stack == Stack::decoder;
    info.stacks.push_back(
        {stack, static_cast<int>(c.layers), c.heads, c.kv_heads, c.head_dim, stack == Stack::decoder, crosses});
  };
  add_stack(main_stack<A>);
  if (A::stacks == StackKind::encoder_decoder) add_stack(Stack::encoder);

  double parameters = 0;  // counted so that no product of sizes overflows
  auto const add = [&](SiteSpec const& spec, LayerAddress at) {
    StackConfig const& stack = stack_config<A>(config, at.stack);
    SiteInfo site;
    site.address = is_per_model(spec.site) ? SiteAddress{spec.site} : SiteAddress{spec.site, at};
    site.role = spec.role;
    site.name = site_name(spec.name, at.layer);
    site.short_name = site.name.substr(site.name.rfind('.') + 1);
    site.out = extent_of(spec.out, config, stack);
    site.in = extent_of(spec.in, config, stack);
    parameters += static_cast<double>(site.out) * static_cast<double>(std::max<Index>(1, site.in));
    if (parameters > most_parameters)
      fail<ConfigError>("[model] got a configuration of more than ", most_parameters,
                        " parameters; expected a model that fits some machine");
    site.layout = spec.layout;
    site.bias = is_present(spec.bias, config);
    site.tied = spec.site == Site::head && config.tied_head;
    info.sites.push_back(std::move(site));
  };
  auto const add_sites = [&](auto const& table, StackInfo const& stack) {
    for (auto const& spec : table)
      if (!is_per_layer(spec.site)) add(spec, {stack.stack, -1});
    for (int layer = 0; layer < stack.layers; ++layer)
      for (auto const& spec : table)
        if (is_per_layer(spec.site)) add(spec, {stack.stack, layer});
  };
  add_sites(A::sites, info.stacks.front());
  if (A::stacks == StackKind::encoder_decoder) add_sites(A::encoder_sites, info.stacks.back());
  return info;
}

}  // namespace graft

/// @file
/// @brief What strategies are told about the model they adapt: dimensions and sites.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <graft/nn/site.hpp>
#include <graft/tensor/tensor.hpp>

namespace graft {

/// Dimensions of one stack of layers.
struct StackInfo {
  Stack stack = Stack::decoder;
  int layers = 0;
  Index heads = 0, kv_heads = 0, head_dim = 0;
  bool causal = true;
  bool crosses = false;  ///< whether its layers attend to an encoder too
  [[nodiscard]] Index kv_width() const { return kv_heads * head_dim; }
};

/// Dimensions and sites of a model.
struct ModelInfo {
  std::string architecture;  ///< Hugging Face's model_type
  Index vocabulary = 0, width = 0, positions = 0, labels = 0;
  bool learned_positions = false;  ///< a table of positions, rather than rotary or relative ones
  bool classifies = false;         ///< a classification head in place of a language model's
  std::vector<StackInfo> stacks;   ///< the main one (whose states the head reads) first
  std::vector<SiteInfo> sites;

  [[nodiscard]] StackInfo const& main() const { return stacks.front(); }
  [[nodiscard]] bool has(Stack which) const {
    for (auto const& stack : stacks)
      if (stack.stack == which) return true;
    return false;
  }
  /// The stack that the source goes into: the encoder where there is one.
  [[nodiscard]] StackInfo const& input() const { return stacks.back(); }
  [[nodiscard]] StackInfo const& stack(Stack which) const {
    for (auto const& stack : stacks)
      if (stack.stack == which) return stack;
    fail<ConfigError>("[model] got a request for a stack that ", architecture,
                      " does not have; expected decoder or encoder as in its layers");
  }
  [[nodiscard]] SiteInfo const* find(SiteAddress const& address) const {
    for (auto const& site : sites)
      if (site.address == address) return &site;
    return nullptr;
  }
  /// All parameters of the base model; a tied head is not counted twice.
  [[nodiscard]] Index parameters() const {
    Index total = 0;
    for (auto const& site : sites)
      if (!site.tied && site.role != Role::buffer) total += site.weights() + (site.bias ? site.out : 0);
    return total;
  }
};

/// Keys and values of one attention, as it uses them, in the host's memory.
template <class Scalar>
struct LayerKeysValues {
  LayerAddress at;
  AttentionKind kind = AttentionKind::self;
  Tensor<Scalar> keys, values;  ///< `[tokens, kv_width]` each
};

/// What initialisers may ask of the base model, as callables, so that no strategy includes one. What parameters start
/// from is made on the host, whatever the model's device, and uploaded once.
template <class Scalar, class Device>
struct BaseAccess {
  /// Rows of the token embedding, scaled as the model reads them, `[tokens, width]`.
  std::function<Tensor<Scalar>(std::vector<Token> const&)> embed;
  /// Keys and values of these tokens run through the base model (through the encoder and the decoder of a model with
  /// both), for every attention of every layer.
  std::function<std::vector<LayerKeysValues<Scalar>>(std::vector<Token> const&)> keys_values;
  /// The base's own tensor of a site in its stored shape, in storage of its own on the device; empty if the site lacks
  /// it.
  std::function<Tensor<Scalar, Device>(SiteAddress const&, Part)> weight;
};

/// Parameters that are trained, and all there are.
struct ParameterCounts {
  Index trainable = 0, all = 0;
};

}  // namespace graft

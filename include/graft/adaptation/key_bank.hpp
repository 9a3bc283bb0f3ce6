/// @file
/// @brief Virtual keys and values of one attention in several layers, as one trainable matrix.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include <graft/adaptation/reparametrization.hpp>

namespace graft {

/// `[P, 2·L·D]`: column (2i + kv)·D + h·d + c holds the i-th layer that has a bank, kv 0 = key, 1 = value, head h,
/// component c.
template <class Scalar, class Device>
struct KeyBank {
  std::string name;  ///< "encoder", "decoder" or "cross" of a model with several, else empty
  StackInfo stack;   ///< whose queries see it
  AttentionKind kind = AttentionKind::self;
  std::vector<int> layers;  ///< ascending
  int aliased_slots =
      0;  ///< > 0: PEFT's layout for encoder–decoders, where layer l reads slots 4l and 4l + 1 modulo this many
  ReparametrizedMatrix<Scalar, Device> matrix;

  [[nodiscard]] Index width() const { return stack.kv_width(); }
  [[nodiscard]] Index columns() const {
    return (aliased_slots > 0 ? aliased_slots : 2 * static_cast<Index>(layers.size())) * width();
  }
  /// First column of the keys (0) or values (1) of the i-th layer.
  [[nodiscard]] Index column(std::size_t i, Index kv) const {
    Index const slot =
        aliased_slots > 0 ? (4 * static_cast<Index>(layers[i]) + kv) % aliased_slots : 2 * static_cast<Index>(i) + kv;
    return slot * width();
  }
  /// The place of a layer, or −1 where this bank is not seen.
  [[nodiscard]] std::ptrdiff_t find(LayerAddress at, AttentionKind wanted) const {
    auto const found = std::find(layers.begin(), layers.end(), at.layer);
    return at.stack == stack.stack && kind == wanted && found != layers.end() ? found - layers.begin() : -1;
  }
  /// Keys and values of `length` tokens that the base computes, in the layout of the matrix. (Aliased
  /// slots keep what the last layer that reads them wrote.)
  [[nodiscard]] Tensor<Scalar> from_activations(std::vector<LayerKeysValues<Scalar>> const& activations,
                                                Index length) const {
    Tensor<Scalar> start = zeros<Scalar>(Shape{length, columns()});
    for (auto const& layer : activations) {
      auto const i = find(layer.at, layer.kind);
      if (i < 0) continue;
      for (Index p = 0; p < length; ++p) {
        std::copy_n(layer.keys.row(p), width(), start.row(p) + column(static_cast<std::size_t>(i), 0));
        std::copy_n(layer.values.row(p), width(), start.row(p) + column(static_cast<std::size_t>(i), 1));
      }
    }
    return start;
  }
};

/// Which attentions of an encoder–decoder get a prefix; other models have one kind of attention, and all of these mean
/// that one.
enum class PrefixScope {
  all,           ///< the encoder's, the decoder's and cross-attention, each with its own bank and MLP (Li & Liang 2021)
  decoder,       ///< the decoder's self-attention only
  peft_decoder,  ///< the same in PEFT's layout, where decoder layers may share slots
};

/// The banks of a model, without numbers. An infix stands behind the encoder's states in cross-attention; a prefix as
/// `scope` says.
template <class Scalar, class Device>
[[nodiscard]] std::vector<KeyBank<Scalar, Device>> key_banks(ModelInfo const& model, Place place, PrefixScope scope,
                                                             std::vector<int> const& chosen) {
  std::vector<KeyBank<Scalar, Device>> banks;
  auto const add = [&](std::string name, StackInfo const& stack, AttentionKind kind) {
    std::vector<int> layers = chosen;
    for (int l = 0; chosen.empty() && l < stack.layers; ++l) layers.push_back(l);
    std::sort(layers.begin(), layers.end());
    for (std::size_t i = 0; i < layers.size(); ++i) {
      if (layers[i] < 0 || layers[i] >= stack.layers)
        fail<ConfigError>("[virtual keys] got layer ", layers[i], "; expected 0 to ", stack.layers - 1);
      if (i > 0 && layers[i] == layers[i - 1])
        fail<ConfigError>("[virtual keys] got layer ", layers[i], " twice; expected each once");
    }
    banks.push_back({std::move(name), stack, kind, std::move(layers), 0, {}});
  };
  StackInfo const& main = model.main();
  if (!main.crosses) {
    add("", main, AttentionKind::self);
  } else if (place == Place::infix) {
    add("", main, AttentionKind::cross);
  } else if (scope == PrefixScope::all) {
    add("encoder", model.stack(Stack::encoder), AttentionKind::self);
    add("decoder", main, AttentionKind::self);
    add("cross", main, AttentionKind::cross);
  } else {
    add("", main, AttentionKind::self);
    if (scope == PrefixScope::peft_decoder) banks[0].aliased_slots = 2 * model.stack(Stack::encoder).layers;
  }
  return banks;
}

}  // namespace graft

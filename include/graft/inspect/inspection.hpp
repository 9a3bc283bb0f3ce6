/// @file
/// @brief What `inspect` shows of a pass: attention weights and states of every layer, and what can be read off them.
#pragma once

#include <cmath>
#include <optional>
#include <vector>

#include <graft/inspect/seen_token.hpp>
#include <graft/nn/site.hpp>
#include <graft/tensor/tensor.hpp>

namespace graft {

/// What one row's queries attended to in one attention of one layer.
struct AttentionMap {
  LayerAddress at;
  AttentionKind kind = AttentionKind::self;
  Index row = 0;                         ///< of the batch
  std::vector<SeenToken> queries, keys;  ///< what the axes of `weights` stand for
  Tensor<double> weights;                ///< `[heads, queries, keys]`; each query's sum to 1
};

/// What a layer gave for one row.
struct LayerStates {
  LayerAddress at;                ///< layer −1: the embeddings, which the first layer reads
  Index row = 0;                  ///< of the batch
  std::vector<SeenToken> tokens;  ///< whose states they are
  Tensor<double> states;          ///< `[tokens, width]`: the residual, before the final norm
};

/// What a pass of a model computed, layer by layer: an encoder's first.
struct Inspection {
  std::vector<AttentionMap> attention;
  std::vector<LayerStates> states;
};

/// What is kept. An attention takes heads · queries · keys numbers of 8 bytes, a layer's states tokens · width.
struct InspectSettings {
  bool attention = true, states = true;
};

/// The part of its attention that each query gives to keys of one kind: `[heads, queries]`, from 0 to 1. Over all kinds
/// it sums to 1.
[[nodiscard]] inline Tensor<double> attention_mass(AttentionMap const& map, SeenKind kind) {
  Index const heads = map.weights.shape()[0], queries = map.weights.shape()[1],
              keys = static_cast<Index>(map.keys.size());
  Tensor<double> mass = zeros<double>(Shape{heads, queries});
  for (Index i = 0; i < heads * queries; ++i)
    for (Index k = 0; k < keys; ++k)
      if (map.keys[static_cast<std::size_t>(k)].kind == kind) mass.data()[i] += map.weights.data()[i * keys + k];
  return mass;
}

/// The same, as the mean of some queries: `[heads]`.
/// @param of whose mean: the queries of one kind, or all. Where there are none, the result is empty
[[nodiscard]] inline std::vector<double> mean_attention_mass(AttentionMap const& map, SeenKind kind,
                                                             std::optional<SeenKind> of = std::nullopt) {
  Tensor<double> const mass = attention_mass(map, kind);  // [heads, queries]
  std::vector<double> means(static_cast<std::size_t>(mass.rows()), 0.0);
  Index count = 0;
  for (std::size_t q = 0; q < map.queries.size(); ++q) {
    if (of && map.queries[q].kind != *of) continue;
    ++count;
    for (std::size_t h = 0; h < means.size(); ++h) means[h] += mass.row(static_cast<Index>(h))[q];
  }
  if (count == 0) return {};
  for (double& mean : means) mean /= static_cast<double>(count);
  return means;
}

/// √Σx² of every token's state: `[tokens]`.
[[nodiscard]] inline std::vector<double> state_norms(LayerStates const& layer) {
  std::vector<double> norms;
  for (Index i = 0; i < layer.states.rows(); ++i) {
    double sum = 0;
    for (Index k = 0; k < layer.states.width(); ++k) sum += layer.states.row(i)[k] * layer.states.row(i)[k];
    norms.push_back(std::sqrt(sum));
  }
  return norms;
}

}  // namespace graft

/// @file
/// @brief Seeing inside a model: attention weights and states of every layer, for a batch of one's own.
#pragma once

#include <cmath>
#include <optional>
#include <utility>
#include <vector>

#include <graft/inspect/attention_weights.hpp>
#include <graft/inspect/seen_token.hpp>
#include <graft/models/transformer.hpp>

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

namespace detail {

/// Gathers what one pass shows.
template <class Model>
class Inspector {
 public:
  using Scalar = typename Model::activation_type;
  using Device = typename Model::device_type;

  Inspector(Batch const& batch, InspectSettings const& settings) : batch_(batch) {
    observer.every_query = true;
    if (settings.attention) observer.attention = [this](auto const& seen) { attention(seen); };
    if (settings.states) observer.states = [this](auto const& seen) { states(seen); };
  }
  Inspector(Inspector const&) = delete;
  Inspector& operator=(Inspector const&) = delete;

  typename Model::Observer observer;
  Inspection found;

 private:
  /// Whether a stack's rows are the batch's sources.
  [[nodiscard]] static bool reads_sources(Stack stack) { return Model::has_encoder && stack == Stack::encoder; }
  [[nodiscard]] std::vector<SeenToken> tokens(RowLayout const& layout, Index row, Stack stack) const {
    return reads_sources(stack) ? seen_tokens(layout, batch_.source, batch_.source_tokens, row, stack, false)
                                : seen_tokens(layout, batch_.rows, batch_.tokens, row, stack, Model::has_encoder);
  }

  void attention(ObservedAttention<Scalar, Device> const& seen) {
    Stack const keys_of = seen.kind == AttentionKind::cross ? Stack::encoder : seen.at.stack;
    if (reads_sources(seen.at.stack)) encoder_ = seen.layout;  // cross-attention's keys are its tokens
    RowLayout const& layout = seen.kind == AttentionKind::cross ? encoder_ : seen.layout;
    for (Index row = 0; row < seen.layout.rows.count(); ++row) {
      AttentionMap map{seen.at, seen.kind, row, tokens(seen.layout, row, seen.at.stack), {}, {}};
      auto const stored = tokens(layout, row, keys_of);
      Index front = 0, infix = 0;
      bool behind = false;  // banks in front come before the segment of the tokens
      for (auto const& key : keys_of_row(seen.segments.table(), row)) {
        behind = behind || key.source == 0;
        if (key.source == 0)
          map.keys.push_back(stored[static_cast<std::size_t>(key.row - layout.rows.begin(row))]);
        else
          map.keys.push_back(behind ? SeenToken{SeenKind::infix, infix++} : SeenToken{SeenKind::prefix, front++});
      }
      map.weights = attention_weights(seen, row);
      found.attention.push_back(std::move(map));
    }
  }
  void states(ObservedStates<Scalar, Device> const& seen) {
    auto const all = detail::host_numbers(seen.states.value());  // [tokens, width]
    Rows const& rows = seen.layout.rows;
    for (Index row = 0; row < rows.count(); ++row)
      found.states.push_back({seen.at, row, tokens(seen.layout, row, seen.at.stack),
                              clone(all.slice(rows.begin(row), rows.begin(row) + rows.length(row)))});
  }

  Batch const& batch_;
  RowLayout encoder_;
};

}  // namespace detail

/// Runs the batch through the model, without dropout and without a tape, and keeps what every layer computed of all its
/// tokens. Costs a pass and one more computation of the attention weights; a model that nobody looks into pays nothing.
/// The batch's targets do not matter.
/// @throws ShapeError for a batch that does not fit the model
template <class Model>
[[nodiscard]] Inspection inspect(Model const& model, Batch batch, InspectSettings const& settings = {}) {
  NoGrad no_grad;
  batch.rows.training = batch.rows.recompute = false;
  batch.rows.targets = {};
  for (Index i = 0; i < batch.rows.tokens(); ++i) batch.rows.targets.at.push_back(i);
  detail::Inspector<Model> inspector(batch, settings);
  static_cast<void>(model.hidden_states(batch, nullptr, &inspector.observer));
  return std::move(inspector.found);
}

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

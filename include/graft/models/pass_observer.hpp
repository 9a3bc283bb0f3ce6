/// @file
/// @brief Looking into a pass: functions that are called with what layers compute.
#pragma once

#include <functional>
#include <vector>

#include <graft/models/query_range.hpp>
#include <graft/models/row_layout.hpp>
#include <graft/nn/site.hpp>
#include <graft/ops/attention.hpp>

namespace graft {

/// What one attention of a layer is about to compute with. The references hold during the call alone.
template <class Scalar, class Device>
struct ObservedAttention {
  LayerAddress at;
  AttentionKind kind;
  Columns<Scalar, Device> const& queries;  ///< `[queries, heads · head_dim]`, after rotary positions
  std::vector<AttentionSource<Scalar, Device>> const& sources;  ///< `[rows, kv_heads · head_dim]` each
  CheckedSegments const& segments;                              ///< what every row's queries see of the sources
  AttentionShape shape;
  RelativeBias<Scalar, Device> const* bias;  ///< null: none
  RowLayout const& layout;                   ///< the rows of the queries' stack
  QueryRange const& range;                   ///< which of the rows' tokens are queries
  bool cached;  ///< whether keys of earlier tokens lie in a cache: source 1 of self-attention, source 0 of
                ///< cross-attention
};

/// What a layer gave.
template <class Scalar, class Device>
struct ObservedStates {
  LayerAddress at;                         ///< layer −1: the embeddings, which the first layer reads
  Variable<Scalar, Device> const& states;  ///< `[queries, width]`: the residual, before the final norm
  RowLayout const& layout;                 ///< the rows of the stack
  QueryRange const& range;                 ///< which of the rows' tokens the states are of
};

/// Functions that a pass calls; each may be empty. What they are given must not be changed.
template <class Scalar, class Device>
struct PassObserver {
  /// With the keys and values (as attention uses them) that a layer computes of its stack's tokens, or of the encoder's
  /// states: `[tokens, kv_heads · head_dim]` each.
  std::function<void(LayerAddress, AttentionKind, Columns<Scalar, Device> const& keys,
                     Columns<Scalar, Device> const& values)>
      keys_values = {};
  /// Before every attention is computed.
  std::function<void(ObservedAttention<Scalar, Device> const&)> attention = {};
  /// After the embeddings and after every layer.
  std::function<void(ObservedStates<Scalar, Device> const&)> states = {};
  /// Whether the main stack's last layer computes all tokens. Without it, it begins at each row's first target and ends
  /// at the last one.
  bool every_query = false;
};

}  // namespace graft

/// @file
/// @brief Keys and values of earlier tokens, for generation.
#pragma once

#include <vector>

#include <graft/tensor/tensor.hpp>

namespace graft {

/// Storage for the keys (after rotary positions) and values of every layer: `[capacity, kv_heads · head_dim]`
/// each. Who uses which rows is the session's affair.
template <class Scalar, class Device = Cpu>
struct KeyValueCache {
  struct Layer {
    Tensor<Scalar, Device> keys, values;  ///< `[capacity, kv_heads · head_dim]` each
  };
  std::vector<Layer> layers;

  KeyValueCache() = default;
  KeyValueCache(Index layer_count, Index capacity, Index kv_width) {
    for (Index l = 0; l < layer_count; ++l)
      layers.push_back(
          {Tensor<Scalar, Device>(Shape{capacity, kv_width}), Tensor<Scalar, Device>(Shape{capacity, kv_width})});
  }
  [[nodiscard]] Index capacity() const { return layers.empty() ? 0 : layers.front().keys.rows(); }
};

/// A range of cache rows.
struct CacheExtent {
  Index begin = 0, length = 0;
};

/// One row of a batch that continues earlier tokens. The batch holds only the new tokens.
struct ContinuedRow {
  std::vector<CacheExtent> past;  ///< where this row's earlier tokens are in the cache (or among `FrozenBeginnings`),
                                  ///< virtual ones included, in order; several rows may share them
  Index append = 0;               ///< where the first new token's keys and values go; the others follow it
  Index earlier = 0;              ///< how many earlier real tokens there are: the first new token's index in its row
  CacheExtent source = {};        ///< with an encoder: the row's encoder states in the cross-attention's cache
};

/// Which cache, and what each row of the batch has in it. A pass writes the new tokens' keys and values to the cache
/// that a view points to, whether the view is const or not, at every row's `append`; what `source` points to is read
/// alone.
template <class Scalar, class Device = Cpu>
struct CacheView {
  KeyValueCache<Scalar, Device>* cache = nullptr;
  std::vector<ContinuedRow> rows;
  /// with an encoder: the cross-attention's keys and values, `[source tokens, kv_heads · head_dim]` each
  KeyValueCache<Scalar, Device> const* source = nullptr;
};

}  // namespace graft

/// @file
/// @brief Keys and values of what stands before the rows of a pass and never changes, such as sources before an infix.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include <graft/models/cache.hpp>
#include <graft/nn/divide_at_insertion.hpp>
#include <graft/ops/attention.hpp>

namespace graft {

/// Constants that the self-attention of every layer reads, as it reads a cache; nothing is written there.
template <class Scalar, class Device>
struct FrozenBeginnings {
  Variable<Scalar, Device> keys_values;  ///< `[tokens, layers · 2 · kv_width]`: of each layer its keys, then its values
  std::vector<ContinuedRow> rows;        ///< which of the tokens each row goes on from

  /// `all` are keys and values of the tokens of `divided.before`.
  FrozenBeginnings(Tensor<Scalar, Device> all, DividedBatch const& divided) : keys_values(std::move(all)) {
    for (Index r = 0; r < divided.after.rows.count(); ++r) {
      ContinuedRow row{{}, 0, divided.earlier(r), {}};
      for (Index const b : divided.past[static_cast<std::size_t>(r)])
        row.past.push_back({divided.before.rows.begin(b), divided.before.rows.length(b)});
      rows.push_back(std::move(row));
    }
  }

  /// What a layer's attention reads, `[tokens, kv_width]` each.
  [[nodiscard]] AttentionSource<Scalar, Device> layer(int number, Index kv_width) const {
    Index const first = 2 * number * kv_width;
    return {{keys_values, first}, {keys_values, first + kv_width}};
  }
};

}  // namespace graft

/// @file
/// @brief The weights of an attention, computed once more from what it read: softmax(scale · Q·Kᵀ + bias), which the
/// attention operation never stores.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <graft/models/pass_observer.hpp>

namespace graft {
namespace detail {

/// A tensor's numbers as the host reads them, in double.
template <class Scalar, class Device>
[[nodiscard]] Tensor<double> host_numbers(Tensor<Scalar, Device> const& tensor) {
  return cast<double>(cast<SumOf<Scalar>>(downloaded(tensor)));
}

}  // namespace detail

/// One key of a row's queries.
struct KeyPlace {
  int source = 0;     ///< which of the attention's sources holds it
  Index row = 0;      ///< its row there
  Index segment = 0;  ///< which of the row's segments it is in, from 0
};

/// The keys of row `row` in the order of its segments.
[[nodiscard]] inline std::vector<KeyPlace> keys_of_row(SegmentTable const& table, Index row) {
  std::vector<KeyPlace> keys;
  Index const first = table.first_segment(row);
  for (Index s = first; s < table.first_segment(row + 1); ++s)
    for (Index j = 0; j < table.segment(s).length; ++j)
      keys.push_back({table.segment(s).source, table.segment(s).begin + j, s - first});
  return keys;
}

/// The attention weights of the row `row` of a batch: `[heads, queries, keys]`, where keys are those of `keys_of_row`.
/// Each query's weights are p = softmax(scale · q·kᵀ + bias) over the keys that it sees (Vaswani et al. 2017), and 0
/// for the others; they sum to 1. Computed in double, whatever the model computes in.
template <class Scalar, class Device>
[[nodiscard]] Tensor<double> attention_weights(ObservedAttention<Scalar, Device> const& seen, Index row) {
  SegmentTable const& table = seen.segments.table();
  AttentionShape const& shape = seen.shape;
  auto const keys = keys_of_row(table, row);
  Index const first = table.first_query(row), queries = table.first_query(row + 1) - first,
              count = static_cast<Index>(keys.size()), dim = shape.head_dim;
  Tensor<double> const q =
      detail::host_numbers(copy_columns(seen.queries, shape.width()));  // [queries, heads · head_dim]
  std::vector<Tensor<double>> sources;                                  // [rows, kv_heads · head_dim] each
  for (auto const& source : seen.sources)
    sources.push_back(detail::host_numbers(copy_columns(source.keys, shape.kv_width())));
  Tensor<double> bias;  // [buckets, heads]
  if (seen.bias) bias = detail::host_numbers(seen.bias->table.value());

  Tensor<double> weights = zeros<double>(Shape{shape.heads, queries, count});
  std::vector<double> scores(keys.size());
  for (Index h = 0; h < shape.heads; ++h)
    for (Index i = 0; i < queries; ++i) {
      double const* const query = q.row(first + i) + h * dim;
      double* const out = weights.data() + (h * queries + i) * count;
      double largest = -std::numeric_limits<double>::infinity(), total = 0;
      Index k = 0;
      for (Index s = table.first_segment(row); s < table.first_segment(row + 1); ++s) {
        Segment const& segment = table.segment(s);
        Index const visible = segment.visible(i);
        for (Index j = 0; j < segment.length; ++j, ++k) {
          double& score = scores[static_cast<std::size_t>(k)];
          score = -std::numeric_limits<double>::infinity();
          if (j >= visible) continue;
          double const* const key =
              sources[static_cast<std::size_t>(segment.source)].row(segment.begin + j) + h / shape.group() * dim;
          double product = 0;
          for (Index c = 0; c < dim; ++c) product += query[c] * key[c];
          score = shape.scale * product;
          if (seen.bias) {
            Index const distance = segment.position + j - table.query_position(row, i);
            int const bucket =
                seen.bias->bucket_of_distance.host()[static_cast<std::size_t>(distance - seen.bias->first_distance)];
            score += bias.row(bucket)[h];
          }
          largest = std::max(largest, score);
        }
      }
      for (Index j = 0; j < count; ++j) total += out[j] = std::exp(scores[static_cast<std::size_t>(j)] - largest);
      for (Index j = 0; j < count; ++j) out[j] /= total;
    }
  return weights;
}

}  // namespace graft

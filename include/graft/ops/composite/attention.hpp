/// @file
/// @brief Attention over segments as a composition: for each row and head a softmax over a matrix of scores.
#pragma once

#include <utility>
#include <vector>

#include <graft/ops/attention.hpp>
#include <graft/ops/composite/parts.hpp>
#include <graft/ops/gather.hpp>

namespace graft::composite {

namespace detail {

/// The keys that the segments of one row of a table store, one after the other.
struct RowKeys {
  std::vector<std::pair<int, Index>> stored;  ///< [keys] source and row in it
  std::vector<std::vector<bool>> seen;        ///< [queries][keys]
  std::vector<std::vector<Index>> distances;  ///< [queries][keys] key position − query position
};

[[nodiscard]] inline RowKeys keys_of(SegmentTable const& table, Index row) {
  Index const queries = table.first_query(row + 1) - table.first_query(row);
  RowKeys keys{{},
               std::vector<std::vector<bool>>(static_cast<std::size_t>(queries)),
               std::vector<std::vector<Index>>(static_cast<std::size_t>(queries))};
  for (Index s = table.first_segment(row); s < table.first_segment(row + 1); ++s) {
    Segment const& segment = table.segment(s);
    for (Index j = 0; j < segment.length; ++j) keys.stored.emplace_back(segment.source, segment.begin + j);
    for (Index i = 0; i < queries; ++i)
      for (Index j = 0; j < segment.length; ++j) {
        keys.seen[static_cast<std::size_t>(i)].push_back(j < segment.visible(i));
        keys.distances[static_cast<std::size_t>(i)].push_back(segment.position + j - table.query_position(row, i));
      }
  }
  return keys;
}

/// 1 where a query sees a key, else 0: `[queries, keys]`.
template <class Scalar, class Device>
[[nodiscard]] Variable<Scalar, Device> mask_of(RowKeys const& keys) {
  Tensor<Scalar> mask(Shape{static_cast<Index>(keys.seen.size()), static_cast<Index>(keys.stored.size())});
  for (Index i = 0; i < mask.rows(); ++i)
    for (Index j = 0; j < mask.width(); ++j)
      mask.row(i)[j] = keys.seen[static_cast<std::size_t>(i)][static_cast<std::size_t>(j)] ? Scalar(1) : Scalar(0);
  return constant<Device>(mask);
}

/// The relative bias of one head for every query and key: `[queries, keys]`.
template <class Scalar, class Device>
[[nodiscard]] Variable<Scalar, Device> bias_of(RowKeys const& keys, RelativeBias<Scalar, Device> const& bias,
                                               Index head) {
  std::vector<Index> buckets;
  for (auto const& line : keys.distances)
    for (Index distance : line)
      buckets.push_back(bias.bucket_of_distance.host().at(static_cast<std::size_t>(distance - bias.first_distance)));
  auto const all = gather_rows(columns(bias.table, head, 1), std::move(buckets));  // [queries·keys, 1]
  return reshape(all, Shape{static_cast<Index>(keys.distances.size()), static_cast<Index>(keys.stored.size())});
}

}  // namespace detail

/// `graft::attention`, which says what the arguments are: a row's keys K and values V are those of its segments, and
/// head h gives p·V with p = e^s ∘ mask / Σ_keys (e^s ∘ mask) and s = scale·Q·Kᵀ + bias. Query heads of a group share a
/// head of keys and values. Scores must stay where e^s is finite: no maximum is subtracted. Checks nothing.
template <class Scalar, class Device>
[[nodiscard]] Variable<Scalar, Device> attention(Columns<Scalar, Device> const& queries,
                                                 std::vector<AttentionSource<Scalar, Device>> const& sources,
                                                 SegmentTable const& table, AttentionShape const& shape,
                                                 RelativeBias<Scalar, Device> const* bias = nullptr) {
  using Value = Variable<Scalar, Device>;
  Index const width = shape.head_dim;
  std::vector<Value> keys, values, rows;
  for (auto const& [k, v] : sources) {
    keys.push_back(detail::columns(k.x, k.first, shape.kv_width()));
    values.push_back(detail::columns(v.x, v.first, shape.kv_width()));
  }
  std::vector<std::pair<int, Index>> places;  // of every query in `rows`
  for (Index row = 0; row < table.rows(); ++row) {
    if (table.first_query(row) == table.first_query(row + 1)) continue;
    auto const seen = detail::keys_of(table, row);
    auto const mask = detail::mask_of<Scalar, Device>(seen);  // [queries, keys]
    auto const q = slice_rows(detail::columns(queries.x, queries.first, shape.width()), table.first_query(row),
                              table.first_query(row + 1));
    auto const k = assemble_rows(keys, seen.stored), v = assemble_rows(values, seen.stored);  // [keys, kv_width]
    Value output;
    for (Index head = 0; head < shape.heads; ++head) {
      Index const first = head / shape.group() * width;
      auto scores = scale(linear(detail::columns(q, head * width, width), detail::columns(k, first, width)),
                          shape.scale);  // [queries, keys]
      if (bias) scores = add(scores, detail::bias_of(seen, *bias, head));
      auto const weights = multiply(exp(scores), mask);                        // [queries, keys]
      auto const p = multiply(weights, power(detail::row_sums(weights), -1));  // [queries, keys]
      auto const y = detail::place(matmul(p, detail::columns(v, first, width)), shape.width(), head * width);
      output = head == 0 ? y : add(output, y);  // [queries, width]
    }
    for (Index i = 0; i < output.rows(); ++i) places.emplace_back(static_cast<int>(rows.size()), i);
    rows.push_back(std::move(output));
  }
  return rows.empty() ? Value(Tensor<Scalar, Device>(Shape{0, shape.width()})) : assemble_rows(rows, places);
}

}  // namespace graft::composite

/// @file
/// @brief Gradients of attention's keys and values on a GPU: a block has a tile of a segment's keys and one of its
/// heads, and the row's queries come by.
#pragma once

#include <graft/kernels/cuda/attention_backward.cuh>

namespace graft::kernels::cuda::attention {

/// Where the gradients of keys and values go: straight to the operands, or, of stored rows that several segments share,
/// to one row of partial sums for each of a segment's keys.
template <class Sum>
struct KeyTargets {
  PerSource<KeysValues<Sum>> gradients;
  KeysValues<Sum> partial;  ///< [partial rows, kv_heads · head_dim] each
  KeyLists lists;
};

/// Writes a block's sums, or adds them to what is there.
template <class Sum>
__device__ void store(Sums<Sum> const& sums, Sum factor, int keys, int columns, bool add, Strided<Sum, Cuda> to) {
  for (int i = 0; i < 4; ++i) {
    if (own_row(i) >= keys) continue;
    Sum* const row = to.row(own_row(i)).raw();
    for (int c = 0; c < block_columns<Sum> / line; ++c)
      if (across(c) < columns) row[across(c)] = (add ? row[across(c)] : Sum(0)) + factor * sums[i][c];
  }
}

template <class Scalar>
__global__ void __launch_bounds__(block, resident_blocks<SumOf<Scalar>>)
    key_gradients_kernel(Call<Scalar> x, Reverse<Scalar> reverse, KeyTargets<SumOf<Scalar>> targets, Index parts) {
  using Sum = SumOf<Scalar>;
  __shared__ TilesOf<Scalar> tiles;
  for (Index p = blockIdx.x; p < parts; p += gridDim.x) {
    Part const part = Part::at<Sum>(p, targets.lists.key_tiles, x.shape.kv_heads, x.head_dim);
    KeyTile const tile = targets.lists.key_tile.raw()[part.tile];
    Segment const segment = x.lists.segment(tile.segment);
    KeysValues<Sum> const to = targets.gradients[segment.source];
    if (!to.keys.data && !to.values.data) continue;
    KeysValues<Scalar const> const source = x.sources[segment.source];
    Index const packed = x.lists.first_query(tile.row), queries = x.lists.queries_of(tile.row),
                stored = segment.begin + tile.first, kv_column = part.head * x.head_dim;
    int const keys = count_from(tile.first, segment.length, own_rows);
    Sums<Sum> key_sums{}, value_sums{};
    for (Index head = part.head * x.shape.group(); head < (part.head + 1) * x.shape.group(); ++head)
      for (Index first = segment.first_seeing(tile.first); first < queries; first += other_rows) {
        int const count = count_from(first, queries, other_rows);
        Index const column = head * x.head_dim;
        auto const dy = reverse.output_gradient.from(packed + first, column);
        Weights<Sum> p_of{}, ds{};
        add_dots(tiles, source.keys.from(stored, kv_column), keys, x.queries.from(packed + first, column), count,
                 x.head_dim, p_of);
        for (int n = 0; n < 4; ++n) {
          bool const there = across(n) < count;
          Index const q = first + across(n), visible = there ? segment.visible(q) - tile.first : 0,
                      position = there ? x.lists.query_position(tile.row, q) : 0;
          Sum const log_sum = there ? reverse.log_sum[(packed + q) * x.shape.heads + head] : Sum(0);
          for (int i = 0; i < 4; ++i)
            p_of[i][n] =
                own_row(i) < visible
                    ? std::exp(x.score(p_of[i][n], head, segment.position + tile.first + own_row(i), position) -
                               log_sum)
                    : Sum(0);
        }
        if (to.values.data) {
          share(tiles, p_of);
          add_products(tiles, keys, reverse.output_gradient.from(packed + first, column + part.first_column), count,
                       part.columns, value_sums);
        }
        if (!to.keys.data) continue;
        add_dots(tiles, source.values.from(stored, kv_column), keys, dy, count, x.head_dim, ds);
        for (int n = 0; n < 4; ++n) {
          Sum const delta =
              across(n) < count ? reverse.deltas[(packed + first + across(n)) * x.shape.heads + head] : Sum(0);
          for (int i = 0; i < 4; ++i) ds[i][n] = p_of[i][n] * (ds[i][n] - delta);
        }
        share(tiles, ds);
        add_products(tiles, keys, x.queries.from(packed + first, column + part.first_column), count, part.columns,
                     key_sums);
      }
    Index const partial = targets.lists.partial_row.raw()[tile.segment];
    bool const add = partial < 0;
    Index const row = add ? stored : partial + tile.first, to_column = kv_column + part.first_column;
    KeysValues<Sum> const all = add ? to : targets.partial;
    if (to.keys.data) store(key_sums, x.scale, keys, part.columns, add, all.keys.from(row, to_column));
    if (to.values.data) store(value_sums, Sum(1), keys, part.columns, add, all.values.from(row, to_column));
  }
}

/// Adds the partial sums of a shared stored row to its gradients, column by column, in the order of the segments. One
/// thread adds a column of the keys and then the same column of the values, because the two may be one matrix.
template <class Sum>
struct AddShared {
  SegmentLists lists;
  KeyTargets<Sum> targets;

  /// The run of shared rows that row i of all shared ones is in.
  __device__ SharedRows run_of(Index i) const {
    Index run = 0;
    for (Index end = targets.lists.shared_runs; end - run > 1;) {
      Index const middle = (run + end) / 2;
      (targets.lists.shared.raw()[middle].before <= i ? run : end) = middle;
    }
    return targets.lists.shared.raw()[run];
  }

  __device__ void add(SharedRows const& rows, Index stored, Index column, Strided<Sum, Cuda> from,
                      Strided<Sum, Cuda> to) const {
    if (!to.data) return;
    Sum sum = to.row(stored).raw()[column];
    for (Index m = rows.first_member; m < rows.first_member + rows.members; ++m) {
      Index const s = targets.lists.members.raw()[m], key = stored - lists.segment(s).begin;
      if (key >= 0 && key < lists.segment(s).length)
        sum += from.row(targets.lists.partial_row.raw()[s] + key).raw()[column];
    }
    to.row(stored).raw()[column] = sum;
  }

  /// Column j of row i of all shared ones.
  __device__ void operator()(Index i, Index j) const {
    SharedRows const rows = run_of(i);
    KeysValues<Sum> const to = targets.gradients[rows.source];
    Index const stored = rows.begin + i - rows.before;
    add(rows, stored, j, targets.partial.keys, to.keys);
    add(rows, stored, j, targets.partial.values, to.values);
  }
};

}  // namespace graft::kernels::cuda::attention

/// @file
/// @brief Forward pass of attention on a GPU: a block has a tile of queries and a head, and its softmax grows with the
/// keys that come by (Dao et al. 2022).
#pragma once

#include <graft/kernels/cuda/attention_call.cuh>
#include <graft/kernels/cuda/row_team.cuh>

namespace graft::kernels::cuda::attention {

/// Of a thread's four own queries, over the keys so far.
template <class Sum>
struct Softmax {
  Sum greatest[4];  ///< score: −∞ while no key was seen
  Sum sums[4];      ///< Σ exp(score − greatest) over the keys that came to this thread
  Sums<Sum> y;      ///< Σ exp(score − greatest)·value

  __device__ Softmax() {
    for (int i = 0; i < 4; ++i) {
      greatest[i] = static_cast<Sum>(-HUGE_VAL);
      sums[i] = 0;
      for (auto& element : y[i]) element = 0;
    }
  }
  /// Turns scores, −∞ for what a query does not see, into exp(score − greatest).
  __device__ void take(Weights<Sum>& scores) {
    for (int i = 0; i < 4; ++i) {
      Sum most = greatest[i];
      for (Sum const score : scores[i]) most = Larger()(most, score);
      most = join_lanes<line>(most, Larger());
      Sum const shift = most == static_cast<Sum>(-HUGE_VAL) ? Sum(0) : most;
      Sum const kept = std::exp(greatest[i] - shift);
      greatest[i] = most;
      sums[i] *= kept;
      for (Sum& element : y[i]) element *= kept;
      for (Sum& score : scores[i]) {
        score = std::exp(score - shift);
        sums[i] += score;
      }
    }
  }
};

template <class Scalar, class Output>
__global__ void __launch_bounds__(block, resident_blocks<SumOf<Scalar>>)
    forward_kernel(Call<Scalar> x, Output* output, SumOf<Scalar>* log_sum, Index parts) {
  using Sum = SumOf<Scalar>;
  __shared__ TilesOf<Scalar> tiles;
  for (Index p = blockIdx.x; p < parts; p += gridDim.x) {
    Part const part = Part::at<Sum>(p, x.lists.query_tiles, x.shape.heads, x.head_dim);
    QueryTile const tile = x.lists.query_tile.raw()[part.tile];
    Index const packed = x.lists.first_query(tile.row) + tile.first,
                kv_column = part.head / x.shape.group() * x.head_dim;
    int const queries = count_from(tile.first, x.lists.queries_of(tile.row), own_rows);
    Strided<Scalar const, Cuda> const query = x.queries.from(packed, part.head * x.head_dim);
    Softmax<Sum> softmax;
    for (Index s = x.lists.first_segment(tile.row); s < x.lists.first_segment(tile.row + 1); ++s) {
      Segment const segment = x.lists.segment(s);
      KeysValues<Scalar const> const source = x.sources[segment.source];
      Index const seen = segment.visible(tile.first + queries - 1);
      for (Index first = 0; first < seen; first += other_rows) {
        int const keys = count_from(first, seen, other_rows);
        Weights<Sum> scores{};
        add_dots(tiles, query, queries, source.keys.from(segment.begin + first, kv_column), keys, x.head_dim, scores);
        for (int i = 0; i < 4; ++i) {
          bool const there = own_row(i) < queries;
          Index const q = tile.first + own_row(i), visible = there ? segment.visible(q) - first : 0,
                      position = there ? x.lists.query_position(tile.row, q) : 0;
          for (int n = 0; n < 4; ++n)
            scores[i][n] = across(n) < visible
                               ? x.score(scores[i][n], part.head, segment.position + first + across(n), position)
                               : static_cast<Sum>(-HUGE_VAL);
        }
        softmax.take(scores);
        share(tiles, scores);
        add_products(tiles, queries, source.values.from(segment.begin + first, kv_column + part.first_column), keys,
                     part.columns, softmax.y);
      }
    }
    for (int i = 0; i < 4; ++i) {
      Sum const sum = join_lanes<line>(softmax.sums[i], Plus());
      if (own_row(i) >= queries) continue;
      Index const q = packed + own_row(i);
      Output* const y = output + q * x.shape.width() + part.head * x.head_dim + part.first_column;
      for (int c = 0; c < block_columns<Sum> / line; ++c)
        if (across(c) < part.columns) y[across(c)] = static_cast<Output>(softmax.y[i][c] / sum);
      if (log_sum && part.first_column == 0 && across(0) == 0)
        log_sum[q * x.shape.heads + part.head] = softmax.greatest[i] + std::log(sum);
    }
  }
}

/// output [queries, heads · head_dim]; log_sum [queries, heads], or null.
template <class Scalar, class Output>
void forward(Call<Scalar> const& x, Output* output, SumOf<Scalar>* log_sum) {
  Index const parts = Part::count<SumOf<Scalar>>(x.lists.query_tiles, x.shape.heads, x.shape.head_dim);
  launch_parts("attention", &forward_kernel<Scalar, Output>, parts, x, output, log_sum, parts);
}

}  // namespace graft::kernels::cuda::attention

/// @file
/// @brief Backward pass of attention on a GPU, in the terms of kernels/cpu/attention_backward.hpp: with P = exp(score −
/// log_sum), dP = dO·Vᵀ, δ = Σ dO∘O and dS = P∘(dP − δ), dQ = scale·dS·K, dK = scale·dSᵀ·Q, dV = Pᵀ·dO. Blocks form P
/// and dS again, those with a tile of queries for dQ and those with a tile of keys for dK and dV, so that each sum is
/// one block's and its order depends on the sizes alone.
#pragma once

#include <graft/kernels/cuda/attention_bias.cuh>

namespace graft::kernels::cuda::attention {

/// What a backward pass reads beside the operands.
template <class Scalar>
struct Reverse {
  using Sum = SumOf<Scalar>;
  Strided<Scalar const, Cuda> output_gradient;  ///< [queries, heads · head_dim]
  Sum const *log_sum, *deltas;                  ///< [queries, heads]
};

/// δ_i = Σ dO_i∘O_i: 32 threads have a query and a head.
template <class Scalar, class Output>
__global__ void __launch_bounds__(block) deltas_kernel(Output const* output, Scalar const* output_gradient, Index size,
                                                       Index head_dim, SumOf<Scalar>* deltas) {
  constexpr int lanes = 32, lines = block / lanes;
  int const lane = static_cast<int>(threadIdx.x) % lanes;
  for (Index first = static_cast<Index>(blockIdx.x) * lines; first < size;
       first += static_cast<Index>(gridDim.x) * lines) {
    Index const i = first + threadIdx.x / lanes;
    SumOf<Scalar> sum = 0;
    if (i < size)
      for (Index d = lane; d < head_dim; d += lanes)
        sum += static_cast<SumOf<Scalar>>(output_gradient[i * head_dim + d]) *
               static_cast<SumOf<Scalar>>(output[i * head_dim + d]);
    sum = join_lanes<lanes>(sum, Plus());
    if (lane == 0 && i < size) deltas[i] = sum;
  }
}
template <class Scalar, class Output>
void find_deltas(Output const* output, Scalar const* output_gradient, Index size, Index head_dim,
                 SumOf<Scalar>* deltas) {
  if (size > 0)
    launch("attention_backward", &deltas_kernel<Scalar, Output>, blocks_for(size, block / 32), dim3(block), output,
           output_gradient, size, head_dim, deltas);
}

/// Adds to the gradient of a tile of queries and of its part of the relative bias's table.
template <class Scalar>
__global__ void __launch_bounds__(block, resident_blocks<SumOf<Scalar>>)
    query_gradients_kernel(Call<Scalar> x, Reverse<Scalar> reverse, Strided<SumOf<Scalar>, Cuda> gradient,
                           SumOf<Scalar>* bias_sums, Index parts) {
  using Sum = SumOf<Scalar>;
  __shared__ TilesOf<Scalar> tiles;
  for (Index p = blockIdx.x; p < parts; p += gridDim.x) {
    Part const part = Part::at<Sum>(p, x.lists.query_tiles, x.shape.heads, x.head_dim);
    QueryTile const tile = x.lists.query_tile.raw()[part.tile];
    Index const packed = x.lists.first_query(tile.row) + tile.first, column = part.head * x.head_dim,
                kv_column = part.head / x.shape.group() * x.head_dim;
    int const queries = count_from(tile.first, x.lists.queries_of(tile.row), own_rows);
    Sum log_sum[4] = {}, delta[4] = {};
    for (int i = 0; i < 4; ++i)
      if (own_row(i) < queries) {
        Index const at = (packed + own_row(i)) * x.shape.heads + part.head;
        log_sum[i] = reverse.log_sum[at];
        delta[i] = reverse.deltas[at];
      }
    BiasPart<Sum> const bias(part.first_column == 0 ? bias_sums : nullptr, part.tile, part.head, x);
    Sums<Sum> sums{};
    for (Index s = x.lists.first_segment(tile.row); s < x.lists.first_segment(tile.row + 1); ++s) {
      Segment const segment = x.lists.segment(s);
      KeysValues<Scalar const> const source = x.sources[segment.source];
      Index const seen = segment.visible(tile.first + queries - 1);
      for (Index first = 0; first < seen; first += other_rows) {
        int const keys = count_from(first, seen, other_rows);
        Weights<Sum> scores{}, weights{};
        add_dots(tiles, x.queries.from(packed, column), queries, source.keys.from(segment.begin + first, kv_column),
                 keys, x.head_dim, scores);
        add_dots(tiles, reverse.output_gradient.from(packed, column), queries,
                 source.values.from(segment.begin + first, kv_column), keys, x.head_dim, weights);
        for (int i = 0; i < 4; ++i) {
          bool const there = own_row(i) < queries;
          Index const q = tile.first + own_row(i), visible = there ? segment.visible(q) - first : 0,
                      position = there ? x.lists.query_position(tile.row, q) : 0;
          for (int n = 0; n < 4; ++n)
            weights[i][n] =
                across(n) < visible
                    ? std::exp(x.score(scores[i][n], part.head, segment.position + first + across(n), position) -
                               log_sum[i]) *
                          (weights[i][n] - delta[i])
                    : Sum(0);
        }
        share(tiles, weights);
        bias.add(tiles, tile, queries, segment.position + first, keys, x);
        if (gradient.data)
          add_products(tiles, queries, source.keys.from(segment.begin + first, kv_column + part.first_column), keys,
                       part.columns, sums);
      }
    }
    if (!gradient.data) continue;
    for (int i = 0; i < 4; ++i) {
      if (own_row(i) >= queries) continue;
      Sum* const to = gradient.from(packed + own_row(i), column + part.first_column).data.raw();
      for (int c = 0; c < block_columns<Sum> / line; ++c)
        if (across(c) < part.columns) to[across(c)] += x.scale * sums[i][c];
    }
  }
}

}  // namespace graft::kernels::cuda::attention

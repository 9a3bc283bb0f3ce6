/// @file
/// @brief The gradient of the relative bias's table on a GPU: dS, summed over all pairs of a query and a key whose
/// distance has the same bucket.
#pragma once

#include <graft/kernels/cuda/attention_call.cuh>
#include <graft/kernels/cuda/loops.cuh>
#include <graft/kernels/cuda/row_team.cuh>

namespace graft::kernels::cuda::attention {

/// A block's part of the gradient, of one tile and head. Its sums are a thread's each, which adds to them in the order
/// of the keys: 32 threads share the buckets, for 16 of the 64 keys that come by.
template <class Sum>
class BiasPart {
 public:
  static constexpr int lanes = 32, parts = block / lanes;
  /// Of all sums, [rows, buckets, heads].
  static Index rows(Index tiles) { return tiles * parts; }

  /// @param sums of all blocks; null: not wanted
  template <class Scalar>
  __device__ BiasPart(Sum* sums, Index tile, Index head, Call<Scalar> const& x) {
    if (!sums) return;
    sums_ = sums + (tile * parts + threadIdx.x / lanes) * x.bias.buckets * x.shape.heads + head;
    for (Index b = threadIdx.x % lanes; b < x.bias.buckets; b += lanes) sums_[b * x.shape.heads] = 0;
  }
  /// Adds the block's weights, those of the tile's queries and of `keys` keys from `position` on. All threads must call
  /// it.
  template <class Scalar>
  __device__ void add(TilesOf<Scalar> const& tiles, QueryTile const& tile, int queries, Index position, int keys,
                      Call<Scalar> const& x) const {
    if (!sums_) return;
    int const first = static_cast<int>(threadIdx.x) / lanes * (other_rows / parts), end = first + other_rows / parts;
    __syncthreads();
    for (Index b = threadIdx.x % lanes; b < x.bias.buckets; b += lanes) {
      Sum sum = 0;
      for (int m = first; m < end && m < keys; ++m)
        for (int i = 0; i < queries; ++i)
          if (x.bucket(position + m, x.lists.query_position(tile.row, tile.first + i)) == b) sum += tiles.weight(m, i);
      sums_[b * x.shape.heads] += sum;
    }
  }

 private:
  Sum* sums_ = nullptr;
};

template <class Sum>
struct BiasElement {
  Sum const* sums;
  Index width;
  __device__ Sum operator()(Index i, Index j) const { return sums[i * width + j]; }
};
template <class Sum>
struct AddTo {
  Sum const* sums;
  Sum* to;
  __device__ void operator()(Index j) const { to[j] += sums[j]; }
};

/// Adds the sums of all parts to the table's gradient [buckets, heads].
template <class Sum>
void add_bias_parts(Sum const* sums, Index tiles, Index width, Sum* gradient) {
  Scratch const total(static_cast<std::size_t>(width) * sizeof(Sum));
  auto* const all = static_cast<Sum*>(total.data());
  Loops<Cuda>::sum_rows("attention_backward", BiasPart<Sum>::rows(tiles), width, DevicePointer<Sum>(all),
                        BiasElement<Sum>{sums, width});
  each("attention_backward", width, AddTo<Sum>{all, gradient});
}

}  // namespace graft::kernels::cuda::attention

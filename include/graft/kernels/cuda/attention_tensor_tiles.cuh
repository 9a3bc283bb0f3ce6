/// @file
/// @brief The same products of tiles for bfloat16, by tensor cores: attention_tiles.cuh says what they are.
///
/// Operands are exact, and sums float32. A weight, which is float32, is the sum of two bfloat16 numbers to 17 bits, and
/// takes two products: so what is computed differs from the products in float32 by less than rounding its result to
/// bfloat16 does.
#pragma once

#include <cuda_bf16.h>
#include <mma.h>

#include <cstdint>
#include <type_traits>

#include <graft/core/precision.hpp>
#include <graft/kernels/cuda/attention_tiles.cuh>

#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 800
#error "graft: bfloat16 needs the compute capability 8.0; expected CMAKE_CUDA_ARCHITECTURES of 80 or more"
#endif

namespace graft::kernels::cuda::attention {

/// Columns that come into shared memory at a time.
inline constexpr int tensor_depth = 64;
/// Numbers at the end of a line that spread lines over the memory's banks; lines stay aligned to 32 bytes every 16.
inline constexpr int line_rest = 8;
/// Rows and columns of what a warp multiplies at once.
inline constexpr int fragment_size = 16;

static_assert(other_rows == tensor_depth, "weights and operands have lines of one length");

/// CUDA's bfloat16, which shared memory can hold because it has no constructor of its own; graft's has the same bits.
using Stored = __nv_bfloat16;
static_assert(sizeof(Stored) == sizeof(bfloat16));
__device__ inline bfloat16& number(Stored& stored) { return reinterpret_cast<bfloat16&>(stored); }
__device__ inline bfloat16 const& number(Stored const& stored) { return reinterpret_cast<bfloat16 const&>(stored); }

/// A block's shared memory. Lines of `other` are what comes by: rows of the other operand, and rows of what the weights
/// multiply.
struct alignas(32) TensorTiles {
  static constexpr int line_size = tensor_depth + line_rest;
  Stored own[own_rows][line_size];
  Stored other[other_rows][line_size];
  Stored weights[2][own_rows][line_size];    ///< rounded, and what rounding left, rounded: [own row][other row]
  float products[own_rows][other_rows + 4];  ///< of a warp's tiles, on their way to the threads

  /// The block's weight of another row and an own one.
  [[nodiscard]] __device__ float weight(int other_row, int mine) const {
    return static_cast<float>(number(weights[0][mine][other_row])) +
           static_cast<float>(number(weights[1][mine][other_row]));
  }
};

/// Eight numbers that are read and written at once.
struct alignas(16) PackOfEight {
  bfloat16 at[8];
};

/// to[i][d] = rows[i][first + d] for `tensor_depth` columns, zero beyond `present` rows and `width` columns.
template <int count>
__device__ void load_rows(Strided<bfloat16 const, Cuda> rows, int present, int first, int width,
                          Stored (*to)[TensorTiles::line_size]) {
  constexpr int packs = tensor_depth / 8;
  auto const start = reinterpret_cast<std::uintptr_t>(rows.row(0).raw() + first);
  bool const aligned = start % 16 == 0 && rows.stride % 8 == 0;  // alike for all threads
  for (int e = static_cast<int>(threadIdx.x); e < count * packs; e += block) {
    int const i = e / packs, d = e % packs * 8;
    PackOfEight pack;
    bfloat16 const* const from = rows.row(i).raw() + first + d;
    if (i < present && aligned && first + d + 8 <= width)
      pack = *reinterpret_cast<PackOfEight const*>(from);
    else
      for (int k = 0; k < 8; ++k) pack.at[k] = i < present && first + d + k < width ? from[k] : bfloat16(0.0F);
    *reinterpret_cast<PackOfEight*>(&to[i][d]) = pack;
  }
}

namespace tensor {
using nvcuda::wmma::accumulator, nvcuda::wmma::col_major, nvcuda::wmma::matrix_a, nvcuda::wmma::matrix_b,
    nvcuda::wmma::mem_row_major, nvcuda::wmma::row_major;
template <class Use, class... Order>
using Fragment = nvcuda::wmma::fragment<Use, fragment_size, fragment_size, fragment_size, Stored, Order...>;
using Accumulator = nvcuda::wmma::fragment<accumulator, fragment_size, fragment_size, fragment_size, float>;
}  // namespace tensor

/// Writes the products of a warp: the two tiles of 16 own rows, for the 16 columns that are the warp's.
__device__ inline void store_products(TensorTiles& tiles, tensor::Accumulator const (&sums)[2], int column) {
  for (int half = 0; half < 2; ++half)
    nvcuda::wmma::store_matrix_sync(&tiles.products[half * fragment_size][column], sums[half], other_rows + 4,
                                    nvcuda::wmma::mem_row_major);
}

/// dots[i][n] += own_i · other_n. Each of the block's four warps has 16 of the other rows.
__device__ inline void add_dots(TensorTiles& tiles, Strided<bfloat16 const, Cuda> own, int own_count,
                                Strided<bfloat16 const, Cuda> other, int other_count, int width, Weights<float>& dots) {
  using namespace tensor;
  int const column = static_cast<int>(threadIdx.x) / 32 * fragment_size;
  Accumulator sums[2];
  for (auto& sum : sums) nvcuda::wmma::fill_fragment(sum, 0.0F);
  for (int first = 0; first < width; first += tensor_depth) {
    __syncthreads();  // before what others may still read is overwritten
    load_rows<own_rows>(own, own_count, first, width, tiles.own);
    load_rows<other_rows>(other, other_count, first, width, tiles.other);
    __syncthreads();
    for (int d = 0; d < tensor_depth && first + d < width; d += fragment_size) {
      Fragment<matrix_b, col_major> b;
      nvcuda::wmma::load_matrix_sync(b, &tiles.other[column][d], TensorTiles::line_size);
      for (int half = 0; half < 2; ++half) {
        Fragment<matrix_a, row_major> a;
        nvcuda::wmma::load_matrix_sync(a, &tiles.own[half * fragment_size][d], TensorTiles::line_size);
        nvcuda::wmma::mma_sync(sums[half], a, b, sums[half]);
      }
    }
  }
  store_products(tiles, sums, column);
  __syncthreads();
  for (int i = 0; i < 4; ++i)
    for (int n = 0; n < 4; ++n) dots[i][n] += tiles.products[own_row(i)][across(n)];
}

/// Makes a thread's weights the block's.
__device__ inline void share(TensorTiles& tiles, Weights<float> const& weights) {
  for (int i = 0; i < 4; ++i)
    for (int n = 0; n < 4; ++n) {
      bfloat16 const rounded(weights[i][n]);
      number(tiles.weights[0][own_row(i)][across(n)]) = rounded;
      number(tiles.weights[1][own_row(i)][across(n)]) = bfloat16(weights[i][n] - static_cast<float>(rounded));
    }
}

/// sums[i][c] += Σ_m weights[m][i] · other_m[c]. Each warp has 16 columns of the 64 that come at a time.
__device__ inline void add_products(TensorTiles& tiles, int, Strided<bfloat16 const, Cuda> other, int other_count,
                                    int columns, Sums<float>& sums) {
  using namespace tensor;
  int const column = static_cast<int>(threadIdx.x) / 32 * fragment_size;
  for (int first = 0; first < block_columns<float>; first += tensor_depth) {
    if (first >= columns) break;  // alike for all threads
    __syncthreads();
    load_rows<other_rows>(other, other_count, first, columns, tiles.other);
    __syncthreads();
    Accumulator products[2];
    for (auto& product : products) nvcuda::wmma::fill_fragment(product, 0.0F);
    for (int m = 0; m < other_rows && m < other_count; m += fragment_size) {
      Fragment<matrix_b, row_major> b;
      nvcuda::wmma::load_matrix_sync(b, &tiles.other[m][column], TensorTiles::line_size);
      for (int half = 0; half < 2; ++half)
        for (auto const& part : tiles.weights) {
          Fragment<matrix_a, row_major> a;
          nvcuda::wmma::load_matrix_sync(a, &part[half * fragment_size][m], TensorTiles::line_size);
          nvcuda::wmma::mma_sync(products[half], a, b, products[half]);
        }
    }
    store_products(tiles, products, column);
    __syncthreads();
    for (int i = 0; i < 4; ++i)
      for (int c = 0; c < block_columns<float> / line; ++c)
        if (int const at = across(c) - first; at >= 0 && at < tensor_depth)
          sums[i][c] += tiles.products[own_row(i)][at];
  }
}

/// The shared memory of a kernel whose operands are of this type.
template <class Scalar>
using TilesOf = std::conditional_t<std::is_same_v<Scalar, bfloat16>, TensorTiles, Tiles<SumOf<Scalar>>>;

}  // namespace graft::kernels::cuda::attention

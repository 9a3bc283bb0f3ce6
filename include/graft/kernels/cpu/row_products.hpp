/// @file
/// @brief Products of small blocks on one thread: C += A·B with a few rows of A at a time, B read where it lies (no
/// packing). For blocks of up to about 64 × 64 × 64 this is faster than a general product, which copies both operands
/// first.
#pragma once

#include <utility>

#include <graft/core/types.hpp>
#include <graft/kernels/cpu/simd.hpp>
#include <graft/kernels/strided.hpp>

namespace graft::kernels::cpu {

/// `size` rounded up to whole registers.
template <class Scalar>
constexpr Index padded(Index size) {
  return (size + simd::size<Scalar> - 1) / simd::size<Scalar> * simd::size<Scalar>;
}

/// The left operand: element (row, k) is data[row · row_stride + k · step]; either stride may be 1, so a transposed
/// matrix is read in place.
template <class Scalar>
struct Left {
  Scalar const* data;
  Index row_stride, step;
};

/// Rows of C that are computed together: with `wide_registers` registers each, they and one row of B fill the register
/// file.
inline constexpr int tile_height = 6;
inline constexpr int wide_registers = simd::registers >= 32 ? 4 : 2;

template <int... i, class F>
EIGEN_ALWAYS_INLINE void unrolled(std::integer_sequence<int, i...>, F const& f) {
  (f(std::integral_constant<int, i>{}), ...);
}
/// f(0), f(1) … f(count − 1) with constant arguments, so that arrays indexed by them live in registers.
template <int count, class F>
EIGEN_ALWAYS_INLINE void unrolled(F const& f) {
  unrolled(std::make_integer_sequence<int, count>{}, f);
}

/// C (+)= A·B for `rows` rows and `registers` of them a row of C. The sums stay in registers only if everything is
/// inlined, so that is not left to the compiler.
template <int rows, int registers, class Scalar>
void product_tile(Index depth, Left<Scalar> a, Scalar const* b, Index b_stride, Scalar* c, Index c_stride, bool add) {
  using Register = simd::Register<Scalar>;
  constexpr Index size = simd::size<Scalar>;
  Register sum[std::size_t{rows}][std::size_t{registers}];
  unrolled<rows>([&](auto r) __attribute__((always_inline)) {
    unrolled<registers>([&](auto p) __attribute__((always_inline)) {
      sum[r][p] = add ? simd::load(c + r * c_stride + p * size) : simd::broadcast(Scalar(0));
    });
  });
  for (Index k = 0; k < depth; ++k, a.data += a.step, b += b_stride) {
    Register right[std::size_t{registers}];
    unrolled<registers>([&](auto p) __attribute__((always_inline)) { right[p] = simd::load(b + p * size); });
    unrolled<rows>([&](auto r) __attribute__((always_inline)) {
      auto const left = simd::broadcast(a.data[r * a.row_stride]);
      unrolled<registers>([&](auto p)
                              __attribute__((always_inline)) { sum[r][p] = simd::pmadd(left, right[p], sum[r][p]); });
    });
  }
  unrolled<rows>([&](auto r) __attribute__((always_inline)) {
    unrolled<registers>([&](auto p)
                            __attribute__((always_inline)) { simd::store(c + r * c_stride + p * size, sum[r][p]); });
  });
}

/// C (+)= A·B for `rows` rows and any number of columns: wide tiles, then single registers, then single elements.
template <int rows, class Scalar>
void product_rows(Index columns, Index depth, Left<Scalar> a, Scalar const* b, Index b_stride, Scalar* c,
                  Index c_stride, bool add) {
  constexpr Index wide = wide_registers * simd::size<Scalar>;
  Index j = 0;
  for (; j + wide <= columns; j += wide)
    product_tile<rows, wide_registers>(depth, a, b + j, b_stride, c + j, c_stride, add);
  if constexpr (wide_registers > 2)
    for (; j + wide / 2 <= columns; j += wide / 2)
      product_tile<rows, wide_registers / 2>(depth, a, b + j, b_stride, c + j, c_stride, add);
  for (; j + simd::size<Scalar> <= columns; j += simd::size<Scalar>)
    product_tile<rows, 1>(depth, a, b + j, b_stride, c + j, c_stride, add);
  for (; j < columns; ++j)
    for (Index r = 0; r < rows; ++r) {
      Scalar sum = add ? c[r * c_stride + j] : Scalar(0);
      for (Index k = 0; k < depth; ++k) sum += a.data[r * a.row_stride + k * a.step] * b[k * b_stride + j];
      c[r * c_stride + j] = sum;
    }
}

/// C[rows, columns] (+)= A[rows, depth] · B[depth, columns] for 1 to `tile_height` rows. Every element is summed in the
/// order of depth.
template <class Scalar>
void product(Index rows, Index columns, Index depth, Left<Scalar> a, Strided<Scalar const> b, Strided<Scalar> c,
             bool add = true) {
  auto const run = [&](auto height) {
    product_rows<height>(columns, depth, a, b.data, b.stride, c.data, c.stride, add);
  };
  switch (rows) {
    case 1: return run(std::integral_constant<int, 1>{});
    case 2: return run(std::integral_constant<int, 2>{});
    case 3: return run(std::integral_constant<int, 3>{});
    case 4: return run(std::integral_constant<int, 4>{});
    case 5: return run(std::integral_constant<int, 5>{});
    default: return run(std::integral_constant<int, tile_height>{});
  }
}

/// to[d · width + j] = from[j · stride + d] for j < rows and d < columns, zero for rows <= j < width; width is in whole
/// registers.
template <class Scalar>
void transpose_padded(Scalar const* from, Index stride, Index rows, Index columns, Scalar* to, Index width) {
  constexpr int size = static_cast<int>(simd::size<Scalar>);
  for (Index j = 0; j < width; j += size) {
    Index d = 0;
    for (; d + size <= columns; d += size) {
      simd::Square<Scalar> block;
      for (int r = 0; r < size; ++r)
        block.packet[r] = j + r < rows ? simd::load(from + (j + r) * stride + d) : simd::broadcast(Scalar(0));
      simd::transpose(block);
      for (int r = 0; r < size; ++r) simd::store(to + (d + r) * width + j, block.packet[r]);
    }
    for (; d < columns; ++d)
      for (Index r = j; r < j + size; ++r) to[d * width + r] = r < rows ? from[r * stride + d] : Scalar(0);
  }
}

}  // namespace graft::kernels::cpu

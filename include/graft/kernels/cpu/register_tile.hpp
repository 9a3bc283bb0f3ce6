/// @file
/// @brief The innermost block of a matrix product: a tile of C in registers, op(A) broadcast element by element, op(B)
/// read in registers.
#pragma once

#include <algorithm>
#include <vector>

#include <graft/core/types.hpp>
#include <graft/kernels/cpu/simd.hpp>

namespace graft::kernels::cpu {

/// Memory that begins where a register's does: one that crosses a line of the cache takes two accesses.
template <class Scalar>
using Buffer = std::vector<Scalar, Eigen::aligned_allocator<Scalar>>;

/// Never makes it smaller: what grows again is written anew.
template <class Scalar>
void make_room(Buffer<Scalar>& buffer, Index size) {
  if (static_cast<Index>(buffer.size()) < size) buffer.resize(static_cast<std::size_t>(size));
}

/// How a tile fills the processor's vector registers: `height` rows of C by `columns`,
/// and what is left for one row of B and one element of A.
template <class Scalar>
struct Tile {
  static constexpr Index lanes = simd::size<Scalar>;
  static constexpr Index columns = 2 * lanes;
  static constexpr Index height = simd::registers >= 32 ? 12 : 6;
};

/// `rows` rows of op(A): element (r, t) at `data[r * row + t * step]`.
template <class Scalar>
struct Strip {
  Scalar const* data;
  Index rows, row, step;
};

/// Columns of op(B): row t at `data + t * step`, `width` columns of which `valid` belong to C.
template <class Scalar, class Stored = Scalar>
struct Panel {
  Stored const* data;
  Index step, width, valid;
};

/// Else the compiler may load a register of B anew for each row of A.
template <class Register>
void keep_in_register([[maybe_unused]] Register& x) {
#if defined(__GNUC__) && defined(__AVX512F__)
  __asm__("" : "+v"(x));
#elif defined(__GNUC__) && defined(__SSE2__)
  __asm__("" : "+x"(x));
#endif
}

/// A tile of at most `few_rows` rows waits for memory. B is therefore fetched `ahead` of its rows before it is read:
/// the processor itself looks ahead within a page of memory only. (Not inlined early, g++ takes a call of `prefetch`
/// for one without effect.)
inline constexpr Index few_rows = simd::registers >= 32 ? 8 : 4, ahead = 24;
template <class Stored>
EIGEN_ALWAYS_INLINE void prefetch([[maybe_unused]] Stored const* from, [[maybe_unused]] Index count) {
#if defined(__GNUC__)
#pragma GCC unroll 4
  for (Index i = 0; i < count; i += 64 / static_cast<Index>(sizeof(Stored))) __builtin_prefetch(from + i);
#endif
}

/// What a tile fetches to the second-level cache for a later one: at row t of B the bytes [from + t · step,
/// from + (t + 1) · step).
struct NextBlock {
  char const* from = nullptr;  ///< null: nothing
  Index step = 0;              ///< at most 128

  EIGEN_ALWAYS_INLINE void fetch([[maybe_unused]] Index t) const {
#if defined(__GNUC__)
    char const* const at = from + t * step;
    __builtin_prefetch(at, 0, 2);
    if (step > 64) __builtin_prefetch(at + 64, 0, 2);
#endif
  }
};

/// C[rows, valid] = β·C + A[rows, k]·B[k, valid]. Every element is one chain of sums along k, so a row's bits depend
/// neither on its neighbours nor on where tiles begin. Not inlined: amid its callers' variables the sums would not stay
/// in registers.
template <Index rows, Index registers, bool unit_step, class Scalar, class Stored>
[[gnu::noinline]] void multiply_tile(Index k, Strip<Scalar> a, Panel<Scalar, Stored> b, Scalar beta, Scalar* c,
                                     Index ldc, NextBlock next = {}) {
  using Register = simd::Register<Scalar>;
  constexpr Index lanes = Tile<Scalar>::lanes, columns = registers * lanes;
  constexpr auto height = static_cast<std::size_t>(rows), breadth = static_cast<std::size_t>(registers);
  Register sums[height][breadth];
  Scalar const* lines[height];
#pragma GCC unroll 16
  for (std::size_t r = 0; r < height; ++r) {
#pragma GCC unroll 16
    for (auto& sum : sums[r]) sum = simd::broadcast(Scalar(0));
    lines[r] = a.data + static_cast<Index>(r) * a.row;
  }
  Index const step = unit_step ? 1 : a.step;
  Stored const* line_of_b = b.data;
  for (Index t = 0; t < k; ++t, line_of_b += b.step) {
    if (next.from)
      next.fetch(t);
    else if constexpr (rows <= few_rows)
      prefetch(line_of_b + ahead * b.step, columns);
    Register right[breadth];
#pragma GCC unroll 16
    for (std::size_t p = 0; p < breadth; ++p) {
      right[p] = simd::load_wide<Scalar>(line_of_b + static_cast<Index>(p) * lanes);
      keep_in_register(right[p]);
    }
#pragma GCC unroll 16
    for (std::size_t r = 0; r < height; ++r) {
      Register const left = simd::broadcast(lines[r][t * step]);
#pragma GCC unroll 16
      for (std::size_t p = 0; p < breadth; ++p) sums[r][p] = simd::pmadd(left, right[p], sums[r][p]);
    }
  }
  bool const whole = b.valid == columns;
  Scalar edge[static_cast<std::size_t>(columns)] = {};
#pragma GCC unroll 16
  for (std::size_t r = 0; r < height; ++r, c += ldc) {
    Scalar* const out = whole ? c : edge;
    if (!whole && beta != Scalar(0)) std::copy_n(c, b.valid, edge);
#pragma GCC unroll 16
    for (std::size_t p = 0; p < breadth; ++p) {
      Scalar* const at = out + static_cast<Index>(p) * lanes;
      simd::store(at, beta == Scalar(0) ? sums[r][p] : simd::pmadd(simd::broadcast(beta), simd::load(at), sums[r][p]));
    }
    if (!whole) std::copy_n(edge, b.valid, c);
  }
}

/// The same for a number of rows known at run time, at most `rows`.
template <Index rows, class Scalar, class Stored>
void multiply_strip(Index k, Strip<Scalar> const& a, Panel<Scalar, Stored> const& b, Scalar beta, Scalar* c, Index ldc,
                    NextBlock next = {}) {
  if (a.rows < rows) {
    if constexpr (rows > 1) multiply_strip<rows - 1>(k, a, b, beta, c, ldc, next);
    return;
  }
  bool const narrow = b.width == Tile<Scalar>::lanes;
  if (a.step == 1) {
    narrow ? multiply_tile<rows, 1, true>(k, a, b, beta, c, ldc, next)
           : multiply_tile<rows, 2, true>(k, a, b, beta, c, ldc, next);
  } else {
    narrow ? multiply_tile<rows, 1, false>(k, a, b, beta, c, ldc, next)
           : multiply_tile<rows, 2, false>(k, a, b, beta, c, ldc, next);
  }
}

}  // namespace graft::kernels::cpu

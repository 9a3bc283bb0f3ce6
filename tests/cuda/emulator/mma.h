// The products of a warp's threads on the host. On a GPU each thread has a part of a fragment; here the warp's first
// thread has all of it and does the warp's work, which others see behind the next barrier.
#pragma once

#include <cstdint>
#include <type_traits>

#include "cuda_bf16.h"
#include "execution.hpp"

namespace nvcuda::wmma {

struct matrix_a {};
struct matrix_b {};
struct accumulator {};
struct row_major {};
struct col_major {};
enum layout_t { mem_row_major, mem_col_major };

template <class Use, int m, int n, int k, class T, class Order = void>
struct fragment {
  static_assert(m == 16 && n == 16 && k == 16, "the one shape that graft asks for");
  static_assert(std::is_same_v<Use, accumulator> ? std::is_same_v<T, float> && std::is_void_v<Order>
                                                 : std::is_same_v<T, __nv_bfloat16> && !std::is_void_v<Order>);
  float at[16][16];  ///< [row][column]
};

inline bool is_first() { return threadIdx.x % 32 == 0; }
/// As a GPU wants it: lines of a multiple of 16 bytes that begin at a multiple of 32.
template <class T>
void check_place(T const* place, unsigned line) {
  if (reinterpret_cast<std::uintptr_t>(place) % 32 != 0 || line * sizeof(T) % 16 != 0)
    emulator::stop("a fragment whose memory is not aligned");
}

template <class Use, int m, int n, int k, class T, class Order>
void fill_fragment(fragment<Use, m, n, k, T, Order>& f, float value) {
  if (!is_first()) return;
  for (auto& row : f.at)
    for (float& element : row) element = value;
}
template <class Use, int m, int n, int k, class T, class Order>
void load_matrix_sync(fragment<Use, m, n, k, T, Order>& f, T const* from, unsigned line) {
  check_place(from, line);
  if (!is_first()) return;
  for (unsigned i = 0; i < 16; ++i)
    for (unsigned j = 0; j < 16; ++j)
      f.at[i][j] = static_cast<float>(std::is_same_v<Order, row_major> ? from[i * line + j] : from[j * line + i]);
}
template <int m, int n, int k, class A, class B>
void mma_sync(fragment<accumulator, m, n, k, float>& d, fragment<matrix_a, m, n, k, __nv_bfloat16, A> const& a,
              fragment<matrix_b, m, n, k, __nv_bfloat16, B> const& b, fragment<accumulator, m, n, k, float> const& c) {
  if (!is_first()) return;
  for (int i = 0; i < 16; ++i)
    for (int j = 0; j < 16; ++j) {
      float sum = c.at[i][j];
      for (int p = 0; p < 16; ++p) sum += a.at[i][p] * b.at[p][j];
      d.at[i][j] = sum;
    }
}
template <int m, int n, int k>
void store_matrix_sync(float* to, fragment<accumulator, m, n, k, float> const& f, unsigned line, layout_t order) {
  check_place(to, line);
  if (order != mem_row_major) emulator::stop("an order that is not emulated");
  if (!is_first()) return;
  for (unsigned i = 0; i < 16; ++i)
    for (unsigned j = 0; j < 16; ++j) to[i * line + j] = f.at[i][j];
}

}  // namespace nvcuda::wmma

/// @file
/// @brief Matrix products on the host: dot products for few rows, register tiles over packed panels for more.
#pragma once

#include <graft/kernels/cpu/few_rows.hpp>
#include <graft/kernels/cpu/packed_matmul.hpp>
#include <graft/kernels/matmul.hpp>

namespace graft::kernels {

namespace cpu {

template <class Scalar>
void matmul(Product<Scalar> const& p) {
  if (p.m == 0 || p.n == 0) return;
  if (p.m <= few_rows_limit && p.read_a == Read::plain && p.read_b == Read::transposed) return few_rows_transposed(p);
  packed_matmul(p);
}

}  // namespace cpu

template <class Scalar>
typename Matmul<Cpu, Scalar>::Function& Matmul<Cpu, Scalar>::function() {
  static Function chosen = &cpu::matmul<Scalar>;
  return chosen;
}

}  // namespace graft::kernels

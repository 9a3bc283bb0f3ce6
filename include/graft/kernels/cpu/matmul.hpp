/// @file
/// @brief Matrix products on the host: dot products for few rows, register tiles over packed panels for more.
#pragma once

#include <graft/core/profile.hpp>
#include <graft/kernels/cpu/few_rows.hpp>
#include <graft/kernels/cpu/packed_matmul.hpp>
#include <graft/kernels/matmul.hpp>

namespace graft::kernels {

namespace cpu {

template <class Scalar>
void matmul(Product<Scalar> const& p) {
  if (p.m == 0 || p.n == 0) return;
  KernelTimer const timer("product", product_operations(p.m, p.n, p.k), product_bytes<Scalar>(p.m, p.n, p.k));
  if (p.m <= few_rows_limit && p.read_a == Read::plain && p.read_b == Read::transposed) return few_rows_transposed(p);
  packed_matmul(p);
}

}  // namespace cpu

template <class Scalar>
typename Matmul<Cpu, Scalar>::Function& Matmul<Cpu, Scalar>::function() {
  static Function chosen = own();
  return chosen;
}
template <class Scalar>
typename Matmul<Cpu, Scalar>::Function Matmul<Cpu, Scalar>::own() {
  return &cpu::matmul<Scalar>;
}

}  // namespace graft::kernels

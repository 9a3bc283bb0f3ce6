/// @file
/// @brief Matrix products: C = β·C + op(A)·op(B), row-major. Every product in the library goes through `ProductTable`, so that another
/// library can serve them without a change of any inline body.
#pragma once

#include <graft/core/device.hpp>
#include <graft/kernels/cuda_listed.hpp>
#include <graft/kernels/matmul_operands.hpp>

namespace graft::kernels {

/// The functions that carry out products: our own. A program may put others in their place before the first product.
template <class Scalar>
struct ProductTable {
  using Function = void (*)(Product<Scalar> const&);
  Function matmul;
  static ProductTable& current();
};

/// C = β·C + op(A)·op(B). The same bits for any number of threads.
template <class Scalar>
void matmul(Cpu, Product<Scalar> const& product) {
  ProductTable<Scalar>::current().matmul(product);
}

namespace cuda {
/// The same on a GPU, by cuBLAS, in full precision; defined in kernels/cuda/matmul.cuh.
template <class Scalar>
struct Matmul {
  static void matmul(Product<Scalar, Cuda> const& product);
};
}  // namespace cuda

template <class Scalar>
void matmul(Cuda, Product<Scalar, Cuda> const& product) {
  cuda::Listed<cuda::Matmul, Scalar>::matmul(product);
}

}  // namespace graft::kernels

#if !defined(GRAFT_COMPILED) && !defined(__CUDACC__)
#include <graft/kernels/cpu/matmul.hpp>
#endif

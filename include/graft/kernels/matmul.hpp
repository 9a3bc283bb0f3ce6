/// @file
/// @brief Matrix products: C = β·C + op(A)·op(B), row-major.
#pragma once

#include <graft/kernels/matmul_operands.hpp>
#include <graft/kernels/on.hpp>

namespace graft::kernels {

template <class Device, class Scalar>
struct Matmul {
  static_assert(implemented<Device>, "the kernel Matmul does not exist for this device yet");
};

template <class Scalar>
struct Matmul<Cpu, Scalar> {
  using Function = void (*)(Product<Scalar> const&);
  /// C = β·C + op(A)·op(B). The same bits for any number of threads.
  static void matmul(Product<Scalar> const& product) { function()(product); }
  /// What carries out every product on the host: our own function. A program may put another one, of another library,
  /// in its place before the first product.
  static Function& function();
};

template <class Scalar>
struct Matmul<Cuda, Scalar> {
  /// The same by cuBLAS, in the scalar's full precision.
  static void matmul(Product<Scalar, Cuda> const& product);
};

}  // namespace graft::kernels

#if !defined(GRAFT_COMPILED) && !defined(__CUDACC__)
#include <graft/kernels/cpu/matmul.hpp>
#endif

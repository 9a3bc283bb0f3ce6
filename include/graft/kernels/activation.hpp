/// @file
/// @brief y = f(x) and y = f(gate) ∘ up for the activation functions of transformers, with their gradients.
#pragma once

#include <graft/core/activation.hpp>
#include <graft/core/device.hpp>
#include <graft/core/types.hpp>
#include <graft/kernels/cuda_listed.hpp>

namespace graft::kernels {

/// y_i = f(x_i); y may be x.
template <class Scalar>
void activate(Cpu, Activation f, Scalar const* x, Scalar* y, Index size);
/// dx_i = dy_i · f'(x_i), where `kept` is y if `keeps_output(f)`, else x; dx may be dy.
template <class Scalar>
void activate_backward(Cpu, Activation f, Scalar const* kept, Scalar const* dy, Scalar* dx, Index size);
/// y_i = f(gate_i) · up_i
template <class Scalar>
void gated(Cpu, Activation f, Scalar const* gate, Scalar const* up, Scalar* y, Index size);
/// dgate_i = dy_i · up_i · f'(gate_i), dup_i = dy_i · f(gate_i); a null result is left out; dgate or dup may be dy.
template <class Scalar>
void gated_backward(Cpu, Activation f, Scalar const* gate, Scalar const* up, Scalar const* dy, Scalar* dgate, Scalar* dup, Index size);

namespace cuda {
/// The same on a GPU; defined in kernels/cuda/activation.cuh.
template <class Scalar>
struct Activation {
  static void activate(graft::Activation f, Scalar const* x, Scalar* y, Index size);
  static void activate_backward(graft::Activation f, Scalar const* kept, Scalar const* dy, Scalar* dx, Index size);
  static void gated(graft::Activation f, Scalar const* gate, Scalar const* up, Scalar* y, Index size);
  static void gated_backward(graft::Activation f, Scalar const* gate, Scalar const* up, Scalar const* dy, Scalar* dgate, Scalar* dup,
                             Index size);
};
}  // namespace cuda

template <class Scalar>
void activate(Cuda, Activation f, Scalar const* x, Scalar* y, Index size) {
  cuda::Listed<cuda::Activation, Scalar>::activate(f, x, y, size);
}
template <class Scalar>
void activate_backward(Cuda, Activation f, Scalar const* kept, Scalar const* dy, Scalar* dx, Index size) {
  cuda::Listed<cuda::Activation, Scalar>::activate_backward(f, kept, dy, dx, size);
}
template <class Scalar>
void gated(Cuda, Activation f, Scalar const* gate, Scalar const* up, Scalar* y, Index size) {
  cuda::Listed<cuda::Activation, Scalar>::gated(f, gate, up, y, size);
}
template <class Scalar>
void gated_backward(Cuda, Activation f, Scalar const* gate, Scalar const* up, Scalar const* dy, Scalar* dgate, Scalar* dup, Index size) {
  cuda::Listed<cuda::Activation, Scalar>::gated_backward(f, gate, up, dy, dgate, dup, size);
}

}  // namespace graft::kernels

#if !defined(GRAFT_COMPILED) && !defined(__CUDACC__)
#include <graft/kernels/cpu/activation.hpp>
#endif

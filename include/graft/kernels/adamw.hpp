/// @file
/// @brief One AdamW update of one parameter.
#pragma once

#include <graft/core/device.hpp>
#include <graft/core/types.hpp>
#include <graft/kernels/cuda_listed.hpp>

namespace graft::kernels {

/// The numbers of one update, formed in double and rounded once to the parameter's scalar, as torch does.
struct AdamWFactors {
  double keep;            ///< 1 − η·λ, the decoupled weight decay
  double blend_first;     ///< 1 − β₁
  double keep_second;     ///< β₂
  double blend_second;    ///< 1 − β₂
  double step_size;       ///< η / (1 − β₁ᵗ)
  double correction;      ///< √(1 − β₂ᵗ)
  double epsilon;         ///< ε, added outside the square root
  double gradient_scale;  ///< multiplies the gradient first (clipping)
};

/// g ← scale·g; θ ← keep·θ; m ← m + (1 − β₁)(g − m); v ← β₂·v + (1 − β₂)g²; θ ← θ − step_size·m / (√v / correction + ε).
template <class Scalar>
void adamw(Cpu, Scalar* parameter, Scalar const* gradient, Scalar* first, Scalar* second, Index size, AdamWFactors const& factors);

namespace cuda {
/// The same on a GPU; defined in kernels/cuda/adamw.cuh.
template <class Scalar>
struct Adamw {
  static void adamw(Scalar* parameter, Scalar const* gradient, Scalar* first, Scalar* second, Index size, AdamWFactors const& factors);
};
}  // namespace cuda

template <class Scalar>
void adamw(Cuda, Scalar* parameter, Scalar const* gradient, Scalar* first, Scalar* second, Index size, AdamWFactors const& factors) {
  cuda::Listed<cuda::Adamw, Scalar>::adamw(parameter, gradient, first, second, size, factors);
}

}  // namespace graft::kernels

#if !defined(GRAFT_COMPILED) && !defined(__CUDACC__)
#include <graft/kernels/cpu/adamw.hpp>
#endif

/// @file
/// @brief The AdamW update on a GPU: one pass over parameter, gradient and both moments.
#pragma once

#include <cmath>

#include <graft/kernels/adamw.hpp>
#include <graft/kernels/cuda/launch.cuh>

namespace graft::kernels::cuda {

template <class Scalar>
struct AdamwStep {
  Scalar* parameter;
  Scalar const* gradient;
  Scalar *first, *second;
  Scalar keep, blend_first, keep_second, blend_second, step_size, correction, epsilon, scale;

  __device__ void operator()(Index i) const {
    Scalar const g = scale * gradient[i];
    Scalar const m = first[i] + blend_first * (g - first[i]);
    Scalar const v = keep_second * second[i] + blend_second * g * g;
    first[i] = m;
    second[i] = v;
    parameter[i] = keep * parameter[i] - step_size * m / (std::sqrt(v) / correction + epsilon);
  }
};

template <class Scalar>
void Adamw<Scalar>::adamw(Scalar* parameter, Scalar const* gradient, Scalar* first, Scalar* second, Index size,
                          AdamWFactors const& factors) {
  auto const rounded = [](double factor) { return static_cast<Scalar>(factor); };
  each("adamw", size,
       AdamwStep<Scalar>{parameter, gradient, first, second, rounded(factors.keep), rounded(factors.blend_first),
                         rounded(factors.keep_second), rounded(factors.blend_second), rounded(factors.step_size),
                         rounded(factors.correction), rounded(factors.epsilon), rounded(factors.gradient_scale)});
}

}  // namespace graft::kernels::cuda

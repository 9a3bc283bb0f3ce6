/// @file
/// @brief The AdamW update on the host: one pass over parameter, gradient and both moments.
#pragma once

#include <cmath>

#include <graft/core/thread_pool.hpp>
#include <graft/kernels/adamw.hpp>

namespace graft::kernels {

template <class Scalar>
void adamw(Cpu, Scalar* parameter, Scalar const* gradient, Scalar* first, Scalar* second, Index size, AdamWFactors const& factors) {
  auto const keep = static_cast<Scalar>(factors.keep), blend_first = static_cast<Scalar>(factors.blend_first);
  auto const keep_second = static_cast<Scalar>(factors.keep_second), blend_second = static_cast<Scalar>(factors.blend_second);
  auto const step_size = static_cast<Scalar>(factors.step_size), correction = static_cast<Scalar>(factors.correction);
  auto const epsilon = static_cast<Scalar>(factors.epsilon), scale = static_cast<Scalar>(factors.gradient_scale);
  parallel_chunks(size, 16384, [=](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) {
      Scalar const g = scale * gradient[i];
      Scalar const m = first[i] + blend_first * (g - first[i]);
      Scalar const v = keep_second * second[i] + blend_second * g * g;
      first[i] = m;
      second[i] = v;
      parameter[i] = keep * parameter[i] - step_size * m / (std::sqrt(v) / correction + epsilon);
    }
  });
}

}  // namespace graft::kernels

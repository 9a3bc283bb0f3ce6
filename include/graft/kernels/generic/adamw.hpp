/// @file
/// @brief The AdamW update on every device: one pass over parameter, gradient and both moments.
#pragma once

#include <cmath>

#include <graft/kernels/adamw.hpp>
#include <graft/kernels/loops.hpp>

namespace graft::kernels {

namespace generic {
template <class Scalar, class Number>
struct AdamwStep {
  Scalar* parameter;
  Scalar const* gradient;
  Scalar *first, *second;
  Scalar keep, blend_first, keep_second, blend_second, step_size, correction, epsilon;
  Number scale;

  GRAFT_HOST_DEVICE void operator()(Index i) const {
    Scalar const g = scale * gradient[i];
    Scalar const m = first[i] + blend_first * (g - first[i]);
    Scalar const v = keep_second * second[i] + blend_second * g * g;
    first[i] = m;
    second[i] = v;
    parameter[i] = keep * parameter[i] - step_size * m / (std::sqrt(v) / correction + epsilon);
  }
};
}  // namespace generic

template <class Device, class Scalar>
void Adamw<Device, Scalar>::adamw(Out parameter, In gradient, Out first, Out second, Index size,
                                  AdamWFactors const& factors, Pointer<Device, double const> scale) {
  using Number = typename Loops<Device>::template Number<Scalar>;
  auto const rounded = [](double factor) { return static_cast<Scalar>(factor); };
  Loops<Device>::each(
      "adamw", size,
      generic::AdamwStep<Scalar, Number>{raw(parameter), raw(gradient), raw(first), raw(second), rounded(factors.keep),
                                         rounded(factors.blend_first), rounded(factors.keep_second),
                                         rounded(factors.blend_second), rounded(factors.step_size),
                                         rounded(factors.correction), rounded(factors.epsilon), Number(scale)});
}

extern template struct Adamw<Cuda, float>;  // of the source that graft_add_cuda generates
extern template struct Adamw<Cuda, double>;

}  // namespace graft::kernels

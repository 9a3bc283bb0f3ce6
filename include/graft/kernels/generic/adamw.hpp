/// @file
/// @brief The AdamW update on every device: one pass over parameter, gradient and both moments.
#pragma once

#include <cmath>
#include <vector>

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
    Scalar const factor = scale;
    if constexpr (Number::is_late)  // else the host has looked at it
      if (factor != factor) return;
    Scalar const g = factor * gradient[i];
    Scalar const m = first[i] + blend_first * (g - first[i]);
    Scalar const v = keep_second * second[i] + blend_second * g * g;
    first[i] = m;
    second[i] = v;
    parameter[i] = keep * parameter[i] - step_size * m / (std::sqrt(v) / correction + epsilon);
  }
};
template <class Scalar, class Number, class Update>
[[nodiscard]] AdamwStep<Scalar, Number> adamw_step(Update const& update, Number scale) {
  auto const rounded = [](double factor) { return static_cast<Scalar>(factor); };
  AdamWFactors const& factors = update.factors;
  return {raw(update.parameter),        raw(update.gradient),          raw(update.first),
          raw(update.second),           rounded(factors.keep),         rounded(factors.blend_first),
          rounded(factors.keep_second), rounded(factors.blend_second), rounded(factors.step_size),
          rounded(factors.correction),  rounded(factors.epsilon),      scale};
}
}  // namespace generic

template <class Device, class Scalar>
void Adamw<Device, Scalar>::adamw(Out parameter, In gradient, Out first, Out second, Index size,
                                  AdamWFactors const& factors, Pointer<Device, double const> scale) {
  using Number = typename Loops<Device>::template Number<Scalar>;
  Update const update{parameter, gradient, first, second, size, factors};
  Loops<Device>::each("adamw", size, generic::adamw_step<Scalar>(update, Number(scale)));
}

template <class Device, class Scalar>
void Adamw<Device, Scalar>::adamw(std::vector<Update> const& updates, Pointer<Device, double const> scale) {
  using Number = typename Loops<Device>::template Number<Scalar>;
  std::vector<Piece<generic::AdamwStep<Scalar, Number>>> pieces;
  pieces.reserve(updates.size());
  for (auto const& update : updates)
    pieces.push_back({generic::adamw_step<Scalar>(update, Number(scale)), update.size});
  Loops<Device>::each_of("adamw", pieces);
}

extern template struct Adamw<Cuda, float>;  // of the source that graft_add_cuda generates
extern template struct Adamw<Cuda, double>;

}  // namespace graft::kernels

/// @file
/// @brief The values and derivatives of activation functions, once for all devices; `Math` has a device's exp, erf and
/// tanh. Those of bfloat16 are computed in float.
#pragma once

#include <graft/core/activation.hpp>
#include <graft/core/error.hpp>
#include <graft/kernels/loops.hpp>

namespace graft::kernels::generic {

/// A value and the derivative there.
template <class Scalar>
struct ValueAndSlope {
  Scalar value, slope;
};

template <class Math>
struct Gelu {
  template <class Scalar>
  GRAFT_HOST_DEVICE static ValueAndSlope<Scalar> at(Scalar x) {
    Scalar const phi = Scalar(0.5) * (Scalar(1) + Math::erf(x * Scalar(0.70710678118654752440)));
    Scalar const density = Scalar(0.39894228040143267794) * Math::exp(Scalar(-0.5) * x * x);
    return {x * phi, phi + x * density};
  }
};
template <class Math>
struct GeluTanh {
  /// (1 + tanh u)/2 = σ(2u), which loses no digits where tanh u is near -1.
  template <class Scalar>
  GRAFT_HOST_DEVICE static ValueAndSlope<Scalar> at(Scalar x) {
    constexpr Scalar twice = Scalar(1.59576912160573071176), cubic = Scalar(0.044715);  // 2√(2/π)
    Scalar const sigma = Scalar(1) / (Scalar(1) + Math::exp(-twice * (x + cubic * (x * x * x))));
    return {x * sigma, sigma + x * sigma * (Scalar(1) - sigma) * twice * (Scalar(1) + Scalar(3) * cubic * (x * x))};
  }
};
template <class Math>
struct Silu {
  template <class Scalar>
  GRAFT_HOST_DEVICE static ValueAndSlope<Scalar> at(Scalar x) {
    Scalar const sigma = Scalar(1) / (Scalar(1) + Math::exp(-x));
    return {x * sigma, sigma * (Scalar(1) + x * (Scalar(1) - sigma))};
  }
};
struct Relu {
  template <class Scalar>
  GRAFT_HOST_DEVICE static ValueAndSlope<Scalar> at(Scalar x) {
    return {x < Scalar(0) ? Scalar(0) : x, slope_from_output(x)};  // a NaN stays a NaN
  }
  template <class Scalar>
  GRAFT_HOST_DEVICE static Scalar slope_from_output(Scalar y) {
    return y > Scalar(0) ? Scalar(1) : Scalar(0);
  }
};
template <class Math>
struct Tanh {
  template <class Scalar>
  GRAFT_HOST_DEVICE static ValueAndSlope<Scalar> at(Scalar x) {
    Scalar const y = Math::tanh(x);
    return {y, slope_from_output(y)};
  }
  template <class Scalar>
  GRAFT_HOST_DEVICE static Scalar slope_from_output(Scalar y) {
    return Scalar(1) - y * y;
  }
};

/// `body(F{})` for the type F of an activation.
template <class Math, class Body>
void with_activation(graft::Activation f, Body const& body) {
  switch (f) {
    case graft::Activation::gelu: return body(Gelu<Math>{});
    case graft::Activation::gelu_tanh: return body(GeluTanh<Math>{});
    case graft::Activation::silu: return body(Silu<Math>{});
    case graft::Activation::relu: return body(Relu{});
    case graft::Activation::tanh: return body(Tanh<Math>{});
  }
  fail<ConfigError>("[activation] got the unknown activation ", static_cast<int>(f), "; expected one of Activation's");
}

/// f(x)
template <class F, class Scalar>
struct Activated {
  Scalar const* x;
  GRAFT_HOST_DEVICE Scalar operator()(Index i) const { return Scalar(F::at(wide(x[i])).value); }
};
/// dy · f', from the function's output where that is kept.
template <class F, class Scalar>
struct ActivatedGradient {
  Scalar const *kept, *dy;
  GRAFT_HOST_DEVICE Scalar operator()(Index i) const {
    if constexpr (requires { F::slope_from_output(wide(kept[i])); })
      return Scalar(wide(dy[i]) * F::slope_from_output(wide(kept[i])));
    else
      return Scalar(wide(dy[i]) * F::at(wide(kept[i])).slope);
  }
};
/// f(gate) · up
template <class F, class Scalar>
struct Gated {
  Scalar const *gate, *up;
  GRAFT_HOST_DEVICE Scalar operator()(Index i) const { return Scalar(F::at(wide(gate[i])).value * wide(up[i])); }
};
template <class F, class Scalar>
struct GateGradient {
  Scalar const *gate, *up, *dy;
  GRAFT_HOST_DEVICE Scalar operator()(Index i) const {
    return Scalar(wide(dy[i]) * wide(up[i]) * F::at(wide(gate[i])).slope);
  }
};
/// The gradients of gate and up, for the loop to round.
template <class F, class Scalar>
struct GatedGradients {
  Scalar const *gate, *up, *dy;
  GRAFT_HOST_DEVICE Pair<SumOf<Scalar>> operator()(Index i) const {
    auto const at = F::at(wide(gate[i]));
    return {wide(dy[i]) * wide(up[i]) * at.slope, wide(dy[i]) * at.value};
  }
};

}  // namespace graft::kernels::generic

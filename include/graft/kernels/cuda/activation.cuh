/// @file
/// @brief Activation functions on a GPU: the host's formulas (kernels/cpu/activation.hpp) with the device's exp, erf and tanh.
#pragma once

#include <cmath>

#include <graft/kernels/activation.hpp>
#include <graft/kernels/cuda/launch.cuh>

namespace graft::kernels::cuda {

namespace activation {

template <class Scalar>
struct ValueAndSlope {
  Scalar value, slope;
};

struct Gelu {
  template <class Scalar>
  __device__ static ValueAndSlope<Scalar> at(Scalar x) {
    Scalar const phi = Scalar(0.5) * (Scalar(1) + std::erf(x * Scalar(0.70710678118654752440)));
    Scalar const density = Scalar(0.39894228040143267794) * std::exp(Scalar(-0.5) * x * x);
    return {x * phi, phi + x * density};
  }
  template <class Scalar>
  __device__ static Scalar slope_from_kept(Scalar x) {
    return at(x).slope;
  }
};
struct GeluTanh {
  /// (1 + tanh u)/2 = σ(2u), which loses no digits where tanh u is near -1.
  template <class Scalar>
  __device__ static ValueAndSlope<Scalar> at(Scalar x) {
    constexpr Scalar twice = Scalar(1.59576912160573071176), cubic = Scalar(0.044715);  // 2√(2/π)
    Scalar const sigma = Scalar(1) / (Scalar(1) + std::exp(-twice * (x + cubic * (x * x * x))));
    return {x * sigma, sigma + x * sigma * (Scalar(1) - sigma) * twice * (Scalar(1) + Scalar(3) * cubic * (x * x))};
  }
  template <class Scalar>
  __device__ static Scalar slope_from_kept(Scalar x) {
    return at(x).slope;
  }
};
struct Silu {
  template <class Scalar>
  __device__ static ValueAndSlope<Scalar> at(Scalar x) {
    Scalar const sigma = Scalar(1) / (Scalar(1) + std::exp(-x));
    return {x * sigma, sigma * (Scalar(1) + x * (Scalar(1) - sigma))};
  }
  template <class Scalar>
  __device__ static Scalar slope_from_kept(Scalar x) {
    return at(x).slope;
  }
};
struct Relu {
  template <class Scalar>
  __device__ static ValueAndSlope<Scalar> at(Scalar x) {
    return {x < Scalar(0) ? Scalar(0) : x, slope_from_kept(x)};  // a NaN stays a NaN
  }
  template <class Scalar>
  __device__ static Scalar slope_from_kept(Scalar y) {
    return y > Scalar(0) ? Scalar(1) : Scalar(0);
  }
};
struct Tanh {
  template <class Scalar>
  __device__ static ValueAndSlope<Scalar> at(Scalar x) {
    Scalar const y = std::tanh(x);
    return {y, slope_from_kept(y)};
  }
  template <class Scalar>
  __device__ static Scalar slope_from_kept(Scalar y) {
    return Scalar(1) - y * y;
  }
};

template <class F, class Scalar>
struct Forward {
  Scalar const* x;
  Scalar* y;
  __device__ void operator()(Index i) const { y[i] = F::at(x[i]).value; }
};
template <class F, class Scalar>
struct Backward {
  Scalar const *kept, *dy;
  Scalar* dx;
  __device__ void operator()(Index i) const { dx[i] = dy[i] * F::slope_from_kept(kept[i]); }
};
template <class F, class Scalar>
struct Gated {
  Scalar const *gate, *up;
  Scalar* y;
  __device__ void operator()(Index i) const { y[i] = F::at(gate[i]).value * up[i]; }
};
/// Everything is read before anything is written: dgate or dup may be dy.
template <class F, class Scalar>
struct GatedBackward {
  Scalar const *gate, *up, *dy;
  Scalar *dgate, *dup;
  __device__ void operator()(Index i) const {
    ValueAndSlope<Scalar> const at = F::at(gate[i]);
    Scalar const to_gate = dy[i] * up[i] * at.slope, to_up = dy[i] * at.value;
    if (dgate) dgate[i] = to_gate;
    if (dup) dup[i] = to_up;
  }
};

/// `body(F{})` for the type F of an activation.
template <class Body>
void with(graft::Activation f, Body const& body) {
  switch (f) {
    case graft::Activation::gelu: return body(Gelu{});
    case graft::Activation::gelu_tanh: return body(GeluTanh{});
    case graft::Activation::silu: return body(Silu{});
    case graft::Activation::relu: return body(Relu{});
    case graft::Activation::tanh: return body(Tanh{});
  }
  fail<ConfigError>("[activation] got the unknown activation ", static_cast<int>(f), "; expected one of Activation's");
}

}  // namespace activation

template <class Scalar>
void Activation<Scalar>::activate(graft::Activation f, Scalar const* x, Scalar* y, Index size) {
  activation::with(f, [&]<class F>(F) { each("activate", size, activation::Forward<F, Scalar>{x, y}); });
}
template <class Scalar>
void Activation<Scalar>::activate_backward(graft::Activation f, Scalar const* kept, Scalar const* dy, Scalar* dx, Index size) {
  activation::with(f, [&]<class F>(F) { each("activate_backward", size, activation::Backward<F, Scalar>{kept, dy, dx}); });
}
template <class Scalar>
void Activation<Scalar>::gated(graft::Activation f, Scalar const* gate, Scalar const* up, Scalar* y, Index size) {
  activation::with(f, [&]<class F>(F) { each("gated", size, activation::Gated<F, Scalar>{gate, up, y}); });
}
template <class Scalar>
void Activation<Scalar>::gated_backward(graft::Activation f, Scalar const* gate, Scalar const* up, Scalar const* dy, Scalar* dgate,
                                        Scalar* dup, Index size) {
  activation::with(f, [&]<class F>(F) { each("gated_backward", size, activation::GatedBackward<F, Scalar>{gate, up, dy, dgate, dup}); });
}

}  // namespace graft::kernels::cuda

/// @file
/// @brief Activation functions on the host. One vectorized loop for each function: the choice is made outside the loop.
#pragma once

#include <utility>

#include <graft/core/error.hpp>
#include <graft/kernels/activation.hpp>
#include <graft/kernels/cpu/loop.hpp>
#include <graft/kernels/cpu/math.hpp>

namespace graft::kernels {

namespace cpu {

/// A value and the derivative there.
template <class Scalar>
struct ValueAndSlope {
  Scalar value, slope;
};

struct Gelu {
  template <class Scalar>
  static ValueAndSlope<Scalar> at(Scalar x) {
    Scalar const phi = Scalar(0.5) * (Scalar(1) + fast_erf(x * Scalar(0.70710678118654752440)));
    Scalar const density = Scalar(0.39894228040143267794) * fast_exp(Scalar(-0.5) * x * x);
    return {x * phi, phi + x * density};
  }
};
struct GeluTanh {
  /// (1 + tanh u)/2 = σ(2u), which loses no digits where tanh u is near -1.
  template <class Scalar>
  static ValueAndSlope<Scalar> at(Scalar x) {
    constexpr Scalar twice = Scalar(1.59576912160573071176), cubic = Scalar(0.044715);  // 2√(2/π)
    Scalar const sigma = Scalar(1) / (Scalar(1) + fast_exp(-twice * (x + cubic * (x * x * x))));
    return {x * sigma, sigma + x * sigma * (Scalar(1) - sigma) * twice * (Scalar(1) + Scalar(3) * cubic * (x * x))};
  }
};
struct Silu {
  template <class Scalar>
  static ValueAndSlope<Scalar> at(Scalar x) {
    Scalar const sigma = Scalar(1) / (Scalar(1) + fast_exp(-x));
    return {x * sigma, sigma * (Scalar(1) + x * (Scalar(1) - sigma))};
  }
};
struct Relu {
  template <class Scalar>
  static ValueAndSlope<Scalar> at(Scalar x) {
    return {x < Scalar(0) ? Scalar(0) : x, x > Scalar(0) ? Scalar(1) : Scalar(0)};  // a NaN stays a NaN
  }
  template <class Scalar>
  static Scalar slope_from_output(Scalar y) {
    return y > Scalar(0) ? Scalar(1) : Scalar(0);
  }
};
struct Tanh {
  template <class Scalar>
  static ValueAndSlope<Scalar> at(Scalar x) {
    Scalar const y = fast_tanh(x);
    return {y, slope_from_output(y)};
  }
  template <class Scalar>
  static Scalar slope_from_output(Scalar y) {
    return Scalar(1) - y * y;
  }
};

/// `body(F{})` for the type F of an activation.
template <class Body>
void with_activation(Activation f, Body const& body) {
  switch (f) {
    case Activation::gelu:
      return body(Gelu{});
    case Activation::gelu_tanh:
      return body(GeluTanh{});
    case Activation::silu:
      return body(Silu{});
    case Activation::relu:
      return body(Relu{});
    case Activation::tanh:
      return body(Tanh{});
  }
  fail<ConfigError>("[activation] got the unknown activation ", static_cast<int>(f), "; expected one of Activation's");
}

template <class F, class Scalar>
Scalar slope_from_kept(Scalar kept) {
  if constexpr (requires { F::slope_from_output(kept); })
    return F::slope_from_output(kept);
  else
    return F::at(kept).slope;
}

}  // namespace cpu

template <class Scalar>
void activate(Cpu, Activation f, Scalar const* x, Scalar* y, Index size) {
  cpu::with_activation(f, [&]<class F>(F) { cpu::map_chunks(y, size, [=](Index i) { return F::at(x[i]).value; }); });
}
template <class Scalar>
void activate_backward(Cpu, Activation f, Scalar const* kept, Scalar const* dy, Scalar* dx, Index size) {
  cpu::with_activation(f,
                       [&]<class F>(F) { cpu::map_chunks(dx, size, [=](Index i) { return dy[i] * cpu::slope_from_kept<F>(kept[i]); }); });
}
template <class Scalar>
void gated(Cpu, Activation f, Scalar const* gate, Scalar const* up, Scalar* y, Index size) {
  cpu::with_activation(f, [&]<class F>(F) { cpu::map_chunks(y, size, [=](Index i) { return F::at(gate[i]).value * up[i]; }); });
}
template <class Scalar>
void gated_backward(Cpu, Activation f, Scalar const* gate, Scalar const* up, Scalar const* dy, Scalar* dgate, Scalar* dup, Index size) {
  cpu::with_activation(f, [&]<class F>(F) {
    if (dgate && dup) {
      cpu::map_chunks(dgate, dup, size, [=](Index i) {
        auto const at = F::at(gate[i]);
        return std::pair<Scalar, Scalar>(dy[i] * up[i] * at.slope, dy[i] * at.value);
      });
    } else if (dgate) {
      cpu::map_chunks(dgate, size, [=](Index i) { return dy[i] * up[i] * F::at(gate[i]).slope; });
    } else if (dup) {
      cpu::map_chunks(dup, size, [=](Index i) { return dy[i] * F::at(gate[i]).value; });
    }
  });
}

}  // namespace graft::kernels

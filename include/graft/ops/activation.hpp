/// @file
/// @brief Activation functions, alone and gated: y = f(x), y = f(gate) ∘ up.
#pragma once

#include <utility>

#include <graft/kernels/activation.hpp>
#include <graft/ops/storage.hpp>

namespace graft {

/// y = f(x), any shape; dx = dy ∘ f'(x). Keeps y if that determines the derivative (`keeps_output`), else x.
template <class Scalar, class Device>
[[nodiscard]] Variable<Scalar, Device> activate(Variable<Scalar, Device> const& x, Activation f) {
  Tensor<Scalar, Device> y(x.shape());
  kernels::On<Device, kernels::Activation, Scalar>::activate(f, x.value().data(), y.data(), y.size());
  if (!needs_gradient(x)) return y;
  return record(y, [f, kept = keeps_output(f) ? y : x.value(), slot = x.slot()](Tensor<Scalar, Device> const& dy) {
    Tensor<Scalar, Device> dx = recycled(dy);
    kernels::On<Device, kernels::Activation, Scalar>::activate_backward(f, kept.data(), dy.data(), dx.data(),
                                                                        dx.size());
    slot->accumulate(std::move(dx));
  });
}

/// x·Φ(x), exact (Hendrycks & Gimpel 2016).
template <class Scalar, class Device>
[[nodiscard]] Variable<Scalar, Device> gelu(Variable<Scalar, Device> const& x) {
  return activate(x, Activation::gelu);
}
/// x/2·(1 + tanh(√(2/π)(x + 0.044715x³))).
template <class Scalar, class Device>
[[nodiscard]] Variable<Scalar, Device> gelu_tanh(Variable<Scalar, Device> const& x) {
  return activate(x, Activation::gelu_tanh);
}
/// x·σ(x).
template <class Scalar, class Device>
[[nodiscard]] Variable<Scalar, Device> silu(Variable<Scalar, Device> const& x) {
  return activate(x, Activation::silu);
}
/// max(x, 0); the derivative at 0 is 0.
template <class Scalar, class Device>
[[nodiscard]] Variable<Scalar, Device> relu(Variable<Scalar, Device> const& x) {
  return activate(x, Activation::relu);
}
/// The hyperbolic tangent.
template <class Scalar, class Device>
[[nodiscard]] Variable<Scalar, Device> tanh(Variable<Scalar, Device> const& x) {
  return activate(x, Activation::tanh);
}

/// f(gate) ∘ up in one pass: SwiGLU with silu, GEGLU with a gelu (Shazeer 2020). dgate = dy ∘ up ∘ f'(gate), dup = dy ∘
/// f(gate).
/// @throws ShapeError if the operands' shapes differ.
template <class Scalar, class Device>
[[nodiscard]] Variable<Scalar, Device> gated(Variable<Scalar, Device> const& gate, Variable<Scalar, Device> const& up,
                                             Activation f) {
  if (!(gate.shape() == up.shape()))
    fail<ShapeError>("[gated] got a gate of shape ", gate.shape(), " and values of shape ", up.shape(),
                     "; expected equal shapes");
  Tensor<Scalar, Device> y(up.shape());
  kernels::On<Device, kernels::Activation, Scalar>::gated(f, gate.value().data(), up.value().data(), y.data(),
                                                          y.size());
  if (!needs_gradient(gate, up)) return y;
  auto reverse = [f, g = gate.value(), u = up.value(), to_gate = gate.slot(),
                  to_up = up.slot()](Tensor<Scalar, Device> const& dy) {
    Tensor<Scalar, Device> dup = to_up ? recycled(dy) : Tensor<Scalar, Device>();
    Tensor<Scalar, Device> dgate = !to_gate ? Tensor<Scalar, Device>()
                                   : to_up  ? Tensor<Scalar, Device>(dy.shape())
                                            : recycled(dy);
    kernels::On<Device, kernels::Activation, Scalar>::gated_backward(f, g.data(), u.data(), dy.data(), dgate.data(),
                                                                     dup.data(), dy.size());
    if (to_gate) to_gate->accumulate(std::move(dgate));
    if (to_up) to_up->accumulate(std::move(dup));
  };
  return record(std::move(y), std::move(reverse));
}

}  // namespace graft

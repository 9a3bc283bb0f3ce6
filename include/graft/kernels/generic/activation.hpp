/// @file
/// @brief Activation functions on every device. One loop for each function: the choice is made outside the loop.
#pragma once

#include <graft/kernels/activation.hpp>
#include <graft/kernels/generic/activation_formulas.hpp>
#include <graft/kernels/loops.hpp>

namespace graft::kernels {

template <class Device, class Scalar>
void Activation<Device, Scalar>::activate(graft::Activation f, In x, Out y, Index size) {
  generic::with_activation<typename Loops<Device>::Math>(
      f, [&]<class F>(F) { Loops<Device>::map("activate", y, size, generic::Activated<F, Scalar>{raw(x)}); });
}
template <class Device, class Scalar>
void Activation<Device, Scalar>::activate_backward(graft::Activation f, In kept, In dy, Out dx, Index size) {
  generic::with_activation<typename Loops<Device>::Math>(f, [&]<class F>(F) {
    Loops<Device>::map("activate_backward", dx, size, generic::ActivatedGradient<F, Scalar>{raw(kept), raw(dy)});
  });
}
template <class Device, class Scalar>
void Activation<Device, Scalar>::gated(graft::Activation f, In gate, In up, Out y, Index size) {
  generic::with_activation<typename Loops<Device>::Math>(
      f, [&]<class F>(F) { Loops<Device>::map("gated", y, size, generic::Gated<F, Scalar>{raw(gate), raw(up)}); });
}
template <class Device, class Scalar>
void Activation<Device, Scalar>::gated_backward(graft::Activation f, In gate, In up, In dy, Out dgate, Out dup,
                                                Index size) {
  generic::with_activation<typename Loops<Device>::Math>(f, [&]<class F>(F) {
    if (dgate && dup)
      Loops<Device>::map("gated_backward", dgate, dup, size,
                         generic::GatedGradients<F, Scalar>{raw(gate), raw(up), raw(dy)});
    else if (dgate)
      Loops<Device>::map("gated_backward", dgate, size, generic::GateGradient<F, Scalar>{raw(gate), raw(up), raw(dy)});
    else if (dup)
      Loops<Device>::map("gated_backward", dup, size,
                         generic::Gated<F, Scalar>{raw(gate), raw(dy)});  // dup = f(gate) ∘ dy
  });
}

extern template struct Activation<Cuda, float>;  // of the source that graft_add_cuda generates
extern template struct Activation<Cuda, double>;
extern template struct Activation<Cuda, bfloat16>;

}  // namespace graft::kernels

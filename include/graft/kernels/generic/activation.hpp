/// @file
/// @brief Activation functions on every device. One loop for each function: the choice is made outside the loop.
#pragma once

#include <graft/kernels/activation.hpp>
#include <graft/kernels/generic/activation_formulas.hpp>
#include <graft/kernels/loops.hpp>

namespace graft::kernels {

template <class Device, class Scalar>
void Activation<Device, Scalar>::activate(graft::Activation f, Scalar const* x, Scalar* y, Index size) {
  generic::with_activation<typename Loops<Device>::Math>(
      f, [&]<class F>(F) { Loops<Device>::map("activate", y, size, generic::Activated<F, Scalar>{x}); });
}
template <class Device, class Scalar>
void Activation<Device, Scalar>::activate_backward(graft::Activation f, Scalar const* kept, Scalar const* dy, Scalar* dx, Index size) {
  generic::with_activation<typename Loops<Device>::Math>(f, [&]<class F>(F) {
    Loops<Device>::map("activate_backward", dx, size, generic::ActivatedGradient<F, Scalar>{kept, dy});
  });
}
template <class Device, class Scalar>
void Activation<Device, Scalar>::gated(graft::Activation f, Scalar const* gate, Scalar const* up, Scalar* y, Index size) {
  generic::with_activation<typename Loops<Device>::Math>(f, [&]<class F>(F) {
    Loops<Device>::map("gated", y, size, generic::Gated<F, Scalar>{gate, up});
  });
}
template <class Device, class Scalar>
void Activation<Device, Scalar>::gated_backward(graft::Activation f, Scalar const* gate, Scalar const* up, Scalar const* dy, Scalar* dgate,
                                                Scalar* dup, Index size) {
  generic::with_activation<typename Loops<Device>::Math>(f, [&]<class F>(F) {
    if (dgate && dup)
      Loops<Device>::map("gated_backward", dgate, dup, size, generic::GatedGradients<F, Scalar>{gate, up, dy});
    else if (dgate)
      Loops<Device>::map("gated_backward", dgate, size, generic::GateGradient<F, Scalar>{gate, up, dy});
    else if (dup)
      Loops<Device>::map("gated_backward", dup, size, generic::Gated<F, Scalar>{gate, dy});  // dup = f(gate) ∘ dy
  });
}

extern template struct Activation<Cuda, float>;  // of the source that graft_add_cuda generates
extern template struct Activation<Cuda, double>;

}  // namespace graft::kernels

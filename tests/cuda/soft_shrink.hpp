// A kernel of one's own, written once for host and GPU. nvcc sees this file too: of graft it includes core/ and
// kernels/ only.
#pragma once

#include <graft/kernels/loops.hpp>
#include <graft/kernels/on.hpp>
#ifndef __CUDACC__
#include <graft/kernels/cpu/loops.hpp>
#endif

namespace app {

template <class Device, class Scalar>
struct SoftShrink {
  using In = graft::Pointer<Device, Scalar const>;
  using Out = graft::Pointer<Device, Scalar>;

  /// y_i = sign(x_i) · max(|x_i| - threshold, 0)
  static void forward(In x, Scalar threshold, Out y, graft::Index size);
};

template <class Scalar>
struct SoftShrinkElement {
  Scalar const* x;
  Scalar threshold;
  GRAFT_HOST_DEVICE Scalar operator()(graft::Index i) const {
    return x[i] > threshold ? x[i] - threshold : x[i] < -threshold ? x[i] + threshold : Scalar(0);
  }
};

template <class Device, class Scalar>
void SoftShrink<Device, Scalar>::forward(In x, Scalar threshold, Out y, graft::Index size) {
  graft::kernels::Loops<Device>::map("soft_shrink", y, size,
                                     SoftShrinkElement<Scalar>{graft::kernels::raw(x), threshold});
}
extern template struct SoftShrink<graft::Cuda, float>;  // of the source that graft_add_cuda generates

}  // namespace app

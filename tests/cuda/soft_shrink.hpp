// A kernel of one's own: what the host's compiler sees.
#pragma once

#include <graft/kernels/cuda_listed.hpp>

namespace app {

/// Declares the kernel for every scalar; soft_shrink.cuh defines it, graft_add_cuda instantiates it.
template <class Scalar>
struct SoftShrink {
  static void forward(Scalar const* x, Scalar threshold, Scalar* y, graft::Index size);
};

/// y_i = sign(x_i) · max(|x_i| - threshold, 0), on the host …
template <class Scalar>
void soft_shrink(graft::Cpu, Scalar const* x, Scalar threshold, Scalar* y, graft::Index size) {
  for (graft::Index i = 0; i < size; ++i) y[i] = x[i] > threshold ? x[i] - threshold : x[i] < -threshold ? x[i] + threshold : Scalar(0);
}
/// … and on a GPU. `Listed` refuses what graft_add_cuda does not name.
template <class Scalar>
void soft_shrink(graft::Cuda, Scalar const* x, Scalar threshold, Scalar* y, graft::Index size) {
  graft::kernels::cuda::Listed<SoftShrink, Scalar>::forward(x, threshold, y, size);
}

}  // namespace app

// A kernel of one's own: what nvcc sees. It includes neither Eigen nor xtensor, nor anything of graft but core/ and kernels/.
#pragma once

#include <graft/kernels/cuda/launch.cuh>

#include "soft_shrink.hpp"

namespace app {

template <class Scalar>
struct SoftShrinkElement {
  Scalar const* x;
  Scalar threshold;
  Scalar* y;
  __device__ void operator()(graft::Index i) const { y[i] = x[i] > threshold ? x[i] - threshold : x[i] < -threshold ? x[i] + threshold : Scalar(0); }
};

template <class Scalar>
void SoftShrink<Scalar>::forward(Scalar const* x, Scalar threshold, Scalar* y, graft::Index size) {
  graft::kernels::cuda::each("soft_shrink", size, SoftShrinkElement<Scalar>{x, threshold, y});
}

}  // namespace app

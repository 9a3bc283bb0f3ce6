/// @file
/// @brief Bias on a GPU.
#pragma once

#include <graft/kernels/bias.hpp>
#include <graft/kernels/cuda/launch.cuh>

namespace graft::kernels::cuda {

namespace bias {

template <class Scalar>
struct Add {
  Scalar const *x, *bias;
  Index width;
  Scalar* y;
  __device__ void operator()(Index i, Index j) const { y[i * width + j] = x[i * width + j] + bias[j]; }
};

inline constexpr unsigned strip = 32, lanes = 8;

/// A block takes 32 columns at a time: 8 lanes sum every eighth row, then lane 0 adds the lanes. The order depends on the sizes alone.
template <class Scalar>
__global__ void sum_rows_kernel(Scalar const* x, Index rows, Index width, Scalar* y) {
  __shared__ Scalar sums[lanes][strip];
  unsigned const column = threadIdx.x, lane = threadIdx.y;
  for (Index first = static_cast<Index>(blockIdx.x) * strip; first < width; first += static_cast<Index>(gridDim.x) * strip) {
    Index const j = first + column;
    Scalar sum = 0;
    if (j < width)
      for (Index i = lane; i < rows; i += lanes) sum += x[i * width + j];
    sums[lane][column] = sum;
    __syncthreads();
    if (lane == 0 && j < width) {
      for (unsigned other = 1; other < lanes; ++other) sum += sums[other][column];
      y[j] = sum;
    }
    __syncthreads();  // before the next strip overwrites the lanes' sums
  }
}

}  // namespace bias

template <class Scalar>
void Bias<Scalar>::add_bias(Scalar const* x, Scalar const* bias, Index rows, Index width, Scalar* y) {
  each_in_rows("add_bias", rows, width, bias::Add<Scalar>{x, bias, width, y});
}
template <class Scalar>
void Bias<Scalar>::add_to_rows(Scalar const* bias, Index rows, Index width, Scalar* y) {
  add_bias(y, bias, rows, width, y);
}
template <class Scalar>
void Bias<Scalar>::sum_rows(Scalar const* x, Index rows, Index width, Scalar* y) {
  if (width > 0)
    launch("sum_rows", &bias::sum_rows_kernel<Scalar>, blocks_for(width, bias::strip), dim3(bias::strip, bias::lanes), x, rows, width, y);
}

}  // namespace graft::kernels::cuda

/// @file
/// @brief Rotary position embeddings on a GPU.
#pragma once

#include <cmath>

#include <graft/kernels/cuda/launch.cuh>
#include <graft/kernels/rotary.hpp>

namespace graft::kernels {

namespace cuda {

template <class Scalar>
struct RotaryAngle {
  double const* frequencies;
  Index half, first;
  Scalar* table;
  __device__ void operator()(Index i, Index j) const {
    double const angle = static_cast<double>(first + i) * frequencies[j];
    Scalar* const row = table + 2 * half * (first + i);
    row[j] = Scalar(static_cast<SumOf<Scalar>>(std::cos(angle)));
    row[half + j] = Scalar(static_cast<SumOf<Scalar>>(std::sin(angle)));
  }
};

/// Of token t, `k` counts the pairs and the elements that are left, head by head: `step` of them in each.
template <class Scalar>
struct Rotate {
  using Sum = SumOf<Scalar>;
  Scalar const* x;
  Sum const* table;
  Index const* positions;
  Sum direction;
  Index heads, head_width, half, step;
  Scalar* y;
  __device__ void operator()(Index t, Index k) const {
    Index const head = k / step, j = k % step, at = (t * heads + head) * head_width + j;
    if (j >= half) {
      y[at + half] = x[at + half];
      return;
    }
    Sum const* const turns = table + 2 * half * positions[t];
    Sum const a = static_cast<Sum>(x[at]), b = static_cast<Sum>(x[at + half]), turn = direction * turns[half + j];
    y[at] = Scalar(a * turns[j] - b * turn);
    y[at + half] = Scalar(b * turns[j] + a * turn);
  }
};

}  // namespace cuda

template <class Scalar>
void Rotary<Cuda, Scalar>::rotary_table(DevicePointer<double const> frequencies, Index half, Index first, Index last,
                                        Out table) {
  cuda::each_in_rows("rotary_table", last - first, half,
                     cuda::RotaryAngle<Scalar>{frequencies.raw(), half, first, table.raw()});
}

template <class Scalar>
void Rotary<Cuda, Scalar>::rotate(In x, DevicePointer<SumOf<Scalar> const> table, DevicePointer<Index const> positions,
                                  SumOf<Scalar> direction, Index tokens, Index heads, Index head_width, Index half,
                                  Out y) {
  Index const step = head_width - half;  // the first half of a pair stands for both
  cuda::each_in_rows(
      "rotate", tokens, heads * step,
      cuda::Rotate<Scalar>{x.raw(), table.raw(), positions.raw(), direction, heads, head_width, half, step, y.raw()});
}

}  // namespace graft::kernels

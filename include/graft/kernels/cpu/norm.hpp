/// @file
/// @brief Norms on the host: a few passes over each row while it is in the first-level cache.
#pragma once

#include <cmath>

#include <graft/kernels/cpu/loop.hpp>
#include <graft/kernels/norm.hpp>

namespace graft::kernels {

namespace cpu {

/// y_j = (x_j - mean) · inverse · gain_j + bias_j with either operand optional.
template <class Scalar>
void normalise_row(Scalar const* x, Scalar mean, Scalar inverse, Scalar const* gain, Scalar const* bias, Index width,
                   Scalar* y) {
  if (gain && bias)
    map_here(y, width, [=](Index j) { return (x[j] - mean) * inverse * gain[j] + bias[j]; });
  else if (gain)
    map_here(y, width, [=](Index j) { return (x[j] - mean) * inverse * gain[j]; });
  else
    map_here(y, width, [=](Index j) { return (x[j] - mean) * inverse + (bias ? bias[j] : Scalar(0)); });
}

/// With g = dy ∘ gain and x̂ the normalised row: dx = inverse · (g - [centred] mean(g) - x̂ · mean(g ∘ x̂)).
template <class Scalar, class G>
void norm_backward_row(Scalar const* x, Scalar mean, Scalar inverse, bool centred, Index width, Scalar* dx,
                       G const& g) {
  Scalar const n = static_cast<Scalar>(width);
  Scalar const along = lane_sum<Scalar>(width, [=](Index j) { return g(j) * ((x[j] - mean) * inverse); }) / n;
  Scalar const shift = centred ? lane_sum<Scalar>(width, g) / n : Scalar(0);
  map_here(dx, width, [=](Index j) { return inverse * (g(j) - shift - (x[j] - mean) * inverse * along); });
}

}  // namespace cpu

template <class Device, class Scalar>
void Norm<Device, Scalar>::norm(In x, SumIn gain, SumIn bias, SumOf<Scalar> epsilon, Index rows, Index width, Out y,
                                SumOut mean, SumOut inverse) {
  parallel_chunks(rows, rows_per_chunk(width), [=](Index first, Index last) {
    Scalar const n = static_cast<Scalar>(width);
    for (Index i = first; i < last; ++i) {
      Scalar const* const row = x + i * width;
      Scalar const centre = mean ? cpu::lane_sum<Scalar>(width, [=](Index j) { return row[j]; }) / n : Scalar(0);
      Scalar const variance =
          cpu::lane_sum<Scalar>(width, [=](Index j) { return (row[j] - centre) * (row[j] - centre); }) / n;
      Scalar const factor = Scalar(1) / std::sqrt(variance + epsilon);
      cpu::normalise_row(row, centre, factor, gain, bias, width, y + i * width);
      if (mean) mean[i] = centre;
      inverse[i] = factor;
    }
  });
}

template <class Device, class Scalar>
void Norm<Device, Scalar>::norm_backward(In x, SumIn mean, SumIn inverse, SumIn gain, In dy, Index rows, Index width,
                                         Out dx) {
  parallel_chunks(rows, rows_per_chunk(width), [=](Index first, Index last) {
    for (Index i = first; i < last; ++i) {
      Scalar const* const row = x + i * width;
      Scalar const* const d = dy + i * width;
      Scalar const centre = mean ? mean[i] : Scalar(0);
      auto const plain = [=](Index j) { return d[j]; };
      auto const gained = [=](Index j) { return d[j] * gain[j]; };
      if (gain)
        cpu::norm_backward_row(row, centre, inverse[i], mean != nullptr, width, dx + i * width, gained);
      else
        cpu::norm_backward_row(row, centre, inverse[i], mean != nullptr, width, dx + i * width, plain);
    }
  });
}

template <class Device, class Scalar>
void Norm<Device, Scalar>::norm_gain_gradient(In x, SumIn mean, SumIn inverse, In dy, Index rows, Index width,
                                              SumOut dgain) {
  cpu::sum_rows(rows, width, dgain, [=](Index i, Index j) {
    Scalar const centre = mean ? mean[i] : Scalar(0);
    return dy[i * width + j] * ((x[i * width + j] - centre) * inverse[i]);
  });
}

}  // namespace graft::kernels

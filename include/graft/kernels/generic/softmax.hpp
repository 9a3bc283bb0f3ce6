/// @file
/// @brief Softmax and its logarithm on every device.
#pragma once

#include <cmath>
#include <type_traits>

#include <graft/kernels/loops.hpp>
#include <graft/kernels/row_team.hpp>
#include <graft/kernels/softmax.hpp>

namespace graft::kernels {

namespace generic {

/// e^x for x ≤ 0: 0 where the device's fast exponential, which ends at the smallest normal numbers, would give more.
template <class Math, class Scalar>
GRAFT_HOST_DEVICE Scalar exp_below_zero(Scalar x) {
  constexpr Scalar least = std::is_same_v<Scalar, float> ? Scalar(-87) : Scalar(-708);
  return x < least ? Scalar(0) : Math::exp(x);
}

template <class Math, class Scalar>
struct Softmax {
  Scalar const* x;
  Index width;
  Scalar* y;
  template <class Team>
  GRAFT_HOST_DEVICE void operator()(Index i, Team const& team) const {
    Scalar const* const row = x + i * width;
    Scalar const largest = team.max(width, [=](Index j) { return row[j]; });
    auto const power = [=](Index j) { return exp_below_zero<Math>(row[j] - largest); };
    Scalar const sum = team.sum(width, power);
    team.map(y + i * width, width, [=](Index j) { return power(j) / sum; });
  }
};
template <class Scalar>
struct SoftmaxGradient {
  Scalar const *y, *dy;
  Index width;
  Scalar* dx;
  template <class Team>
  GRAFT_HOST_DEVICE void operator()(Index i, Team const& team) const {
    Scalar const *const p = y + i * width, *const d = dy + i * width;
    Scalar const mean = team.sum(width, [=](Index j) { return d[j] * p[j]; });
    team.map(dx + i * width, width, [=](Index j) { return p[j] * (d[j] - mean); });
  }
};
template <class Math, class Scalar>
struct LogSoftmax {
  Scalar const* x;
  Index width;
  Scalar* y;
  template <class Team>
  GRAFT_HOST_DEVICE void operator()(Index i, Team const& team) const {
    Scalar const* const row = x + i * width;
    Scalar const largest = team.max(width, [=](Index j) { return row[j]; });
    Scalar const sum = team.sum(width, [=](Index j) { return exp_below_zero<Math>(row[j] - largest); });
    Scalar const log_sum = std::log(sum);
    team.map(y + i * width, width, [=](Index j) { return row[j] - largest - log_sum; });
  }
};
template <class Math, class Scalar>
struct LogSoftmaxGradient {
  Scalar const *y, *dy;
  Index width;
  Scalar* dx;
  template <class Team>
  GRAFT_HOST_DEVICE void operator()(Index i, Team const& team) const {
    Scalar const *const log_p = y + i * width, *const d = dy + i * width;
    Scalar const sum = team.sum(width, [=](Index j) { return d[j]; });
    team.map(dx + i * width, width, [=](Index j) { return d[j] - exp_below_zero<Math>(log_p[j]) * sum; });
  }
};

}  // namespace generic

template <class Device, class Scalar>
void Softmax<Device, Scalar>::softmax(In x, Index rows, Index width, Out y) {
  using Math = typename Loops<Device>::Math;
  RowTeam<Device>::each_row("softmax", rows, width, generic::Softmax<Math, Scalar>{raw(x), width, raw(y)});
}
template <class Device, class Scalar>
void Softmax<Device, Scalar>::softmax_gradient(In y, In dy, Index rows, Index width, Out dx) {
  RowTeam<Device>::each_row("softmax_gradient", rows, width,
                            generic::SoftmaxGradient<Scalar>{raw(y), raw(dy), width, raw(dx)});
}
template <class Device, class Scalar>
void Softmax<Device, Scalar>::log_softmax(In x, Index rows, Index width, Out y) {
  using Math = typename Loops<Device>::Math;
  RowTeam<Device>::each_row("log_softmax", rows, width, generic::LogSoftmax<Math, Scalar>{raw(x), width, raw(y)});
}
template <class Device, class Scalar>
void Softmax<Device, Scalar>::log_softmax_gradient(In y, In dy, Index rows, Index width, Out dx) {
  using Math = typename Loops<Device>::Math;
  RowTeam<Device>::each_row("log_softmax_gradient", rows, width,
                            generic::LogSoftmaxGradient<Math, Scalar>{raw(y), raw(dy), width, raw(dx)});
}

extern template struct Softmax<Cuda, float>;  // of the source that graft_add_cuda generates
extern template struct Softmax<Cuda, double>;

}  // namespace graft::kernels

/// @file
/// @brief Norms on every device: a few passes over each row. Of rows in bfloat16, all but the stored numbers is
/// float32.
#pragma once

#include <cmath>

#include <graft/kernels/loops.hpp>
#include <graft/kernels/norm.hpp>
#include <graft/kernels/row_team.hpp>

namespace graft::kernels {

namespace generic {

/// The operands of a row that was normalised: x̂_j = (x_j - mean) · inverse.
template <class Scalar>
struct NormedRow {
  Scalar const* x;
  SumOf<Scalar> mean, inverse;
  GRAFT_HOST_DEVICE SumOf<Scalar> operator()(Index j) const {
    return (static_cast<SumOf<Scalar>>(x[j]) - mean) * inverse;
  }
};

/// y_j = x̂_j · gain_j + bias_j with either operand optional.
template <class Scalar>
struct Norm {
  using Sum = SumOf<Scalar>;
  Scalar const* x;
  Sum const *gain, *bias;
  Sum epsilon;
  Index width;
  Scalar* y;
  Sum *mean, *inverse;

  template <class Team>
  GRAFT_HOST_DEVICE void operator()(Index i, Team const& team) const {
    Scalar const* const row = x + i * width;
    Sum const n = static_cast<Sum>(width);
    Sum const centre = mean ? team.sum(width, [=](Index j) { return static_cast<Sum>(row[j]); }) / n : Sum(0);
    auto const square = [=](Index j) {
      Sum const distance = static_cast<Sum>(row[j]) - centre;
      return distance * distance;
    };
    Sum const factor = Sum(1) / std::sqrt(team.sum(width, square) / n + epsilon);
    write({row, centre, factor}, team, y + i * width);
    if (mean) team.map(mean + i, 1, [=](Index) { return centre; });
    team.map(inverse + i, 1, [=](Index) { return factor; });
  }

 private:
  template <class Team>
  GRAFT_HOST_DEVICE void write(NormedRow<Scalar> const& normed, Team const& team, Scalar* to) const {
    Sum const *const g = gain, *const b = bias;
    if (g && b)
      team.map(to, width, [=](Index j) { return Scalar(normed(j) * g[j] + b[j]); });
    else if (g)
      team.map(to, width, [=](Index j) { return Scalar(normed(j) * g[j]); });
    else
      team.map(to, width, [=](Index j) { return Scalar(normed(j) + (b ? b[j] : Sum(0))); });
  }
};

/// With g = dy ∘ gain: dx = inverse · (g - [centred] mean(g) - x̂ · mean(g ∘ x̂)).
template <class Scalar>
struct NormGradient {
  using Sum = SumOf<Scalar>;
  Scalar const* x;
  Sum const *mean, *inverse, *gain;
  Scalar const* dy;
  Index width;
  Scalar* dx;

  template <class Team>
  GRAFT_HOST_DEVICE void operator()(Index i, Team const& team) const {
    Scalar const* const d = dy + i * width;
    Sum const* const weights = gain;
    NormedRow<Scalar> const normed{x + i * width, mean ? mean[i] : Sum(0), inverse[i]};
    if (weights)
      write(normed, team, [=](Index j) { return static_cast<Sum>(d[j]) * weights[j]; }, dx + i * width);
    else
      write(normed, team, [=](Index j) { return static_cast<Sum>(d[j]); }, dx + i * width);
  }

 private:
  template <class Team, class G>
  GRAFT_HOST_DEVICE void write(NormedRow<Scalar> const& normed, Team const& team, G const& g, Scalar* to) const {
    Sum const n = static_cast<Sum>(width);
    Sum const along = team.sum(width, [=](Index j) { return g(j) * normed(j); }) / n;
    Sum const shift = mean ? team.sum(width, g) / n : Sum(0);
    team.map(to, width, [=](Index j) { return Scalar(normed.inverse * (g(j) - shift - normed(j) * along)); });
  }
};

/// dy ∘ x̂, whose sums down the rows are the gain's gradient.
template <class Scalar>
struct NormGainTerm {
  using Sum = SumOf<Scalar>;
  Scalar const* x;
  Sum const *mean, *inverse;
  Scalar const* dy;
  Index width;
  GRAFT_HOST_DEVICE Sum operator()(Index i, Index j) const {
    Sum const centre = mean ? mean[i] : Sum(0);
    return static_cast<Sum>(dy[i * width + j]) * ((static_cast<Sum>(x[i * width + j]) - centre) * inverse[i]);
  }
};

}  // namespace generic

template <class Device, class Scalar>
void Norm<Device, Scalar>::norm(In x, SumIn gain, SumIn bias, SumOf<Scalar> epsilon, Index rows, Index width, Out y,
                                SumOut mean, SumOut inverse) {
  RowTeam<Device>::each_row(
      "norm", rows, width,
      generic::Norm<Scalar>{raw(x), raw(gain), raw(bias), epsilon, width, raw(y), raw(mean), raw(inverse)});
}
template <class Device, class Scalar>
void Norm<Device, Scalar>::norm_backward(In x, SumIn mean, SumIn inverse, SumIn gain, In dy, Index rows, Index width,
                                         Out dx) {
  RowTeam<Device>::each_row(
      "norm_backward", rows, width,
      generic::NormGradient<Scalar>{raw(x), raw(mean), raw(inverse), raw(gain), raw(dy), width, raw(dx)});
}
template <class Device, class Scalar>
void Norm<Device, Scalar>::norm_gain_gradient(In x, SumIn mean, SumIn inverse, In dy, Index rows, Index width,
                                              SumOut dgain) {
  Loops<Device>::sum_rows("norm_gain_gradient", rows, width, dgain,
                          generic::NormGainTerm<Scalar>{raw(x), raw(mean), raw(inverse), raw(dy), width});
}

extern template struct Norm<Cuda, float>;  // of the source that graft_add_cuda generates
extern template struct Norm<Cuda, double>;
extern template struct Norm<Cuda, bfloat16>;
#ifdef GRAFT_COMPILED
extern template struct Norm<Cpu, float>;  // which the host's norms of bfloat16 call, also in a source for a GPU
#endif

}  // namespace graft::kernels

/// @file
/// @brief How large Adafactor's updates are, and how they move parameters, on every device. No update is stored: each
/// pass that needs it computes it from the gradient and the second moments.
#pragma once

#include <cmath>

#include <graft/kernels/generic/adafactor_moments.hpp>

namespace graft::kernels::generic {

/// u_ij = g_ij / √(row_i / mean(row)) / √column_j of the i-th row.
template <class Scalar>
struct RowUpdate {
  template <class Number>
  GRAFT_HOST_DEVICE RowUpdate(AdafactorStep<Scalar, Number> const& s, Index i)
      : gradient(s.gradient + i * s.width),
        by_column(s.by_column),
        by_row(Scalar(1) / std::sqrt(s.row[i] / (*s.row_sum / static_cast<Scalar>(s.rows)))),
        scale(s.scale) {}
  GRAFT_HOST_DEVICE Scalar operator()(Index j) const { return by_row * by_column[j] * (scale * gradient[j]); }

  Scalar const *gradient, *by_column;
  Scalar by_row, scale;
};
/// u_i = g_i / √second_i of a vector.
template <class Scalar, class Number>
GRAFT_HOST_DEVICE Scalar vector_update(AdafactorStep<Scalar, Number> const& s, Index i) {
  Scalar const g = s.scale * s.gradient[i];
  return g / std::sqrt(s.second[i]);
}

template <class Scalar, class Number>
struct RowSquares {
  AdafactorStep<Scalar, Number> s;
  template <class Team>
  GRAFT_HOST_DEVICE void operator()(Index i, Team const& team) const {
    RowUpdate<Scalar> const update(s, i);
    double const sum = team.sum(s.width, [update](Index j) {
      auto const u = static_cast<double>(update(j));
      return u * u;
    });
    team.map(s.row_squares + i, 1, [sum](Index) { return sum; });
  }
};
template <class Scalar, class Number>
struct VectorSquare {
  AdafactorStep<Scalar, Number> s;
  GRAFT_HOST_DEVICE double operator()(Index i) const {
    auto const u = static_cast<double>(vector_update(s, i));
    return u * u;
  }
};
/// The numbers of an array, to be summed.
template <class Number>
struct NumberAt {
  Number const* numbers;
  GRAFT_HOST_DEVICE Number operator()(Index i) const { return numbers[i]; }
};

/// What updates (`how_far[0]`) and parameters (`how_far[1]`) are multiplied by.
template <class Scalar>
struct HowFar {
  double rate;
  double const *parameter_squares, *update_squares;  ///< Σθ², null for a rate that is absolute; Σu²
  double least_scale, threshold, weight_decay, size;
  Scalar* how_far;
  GRAFT_HOST_DEVICE void operator()(Index) const {
    double scaled = rate;
    if (parameter_squares) {
      double const root_mean = std::sqrt(*parameter_squares / size);
      scaled = rate * (root_mean > least_scale ? root_mean : least_scale);
    }
    double const excess = std::sqrt(*update_squares / size) / threshold;
    how_far[0] = static_cast<Scalar>(scaled / (excess > 1.0 ? excess : 1.0));
    how_far[1] = static_cast<Scalar>(1.0 - weight_decay * scaled);
  }
};

/// θ ← how_far[1]·θ − how_far[0]·u
template <class Scalar, class Number>
struct ApplyToRow {
  AdafactorStep<Scalar, Number> s;
  template <class Team>
  GRAFT_HOST_DEVICE void operator()(Index i, Team const& team) const {
    if (s.unsound()) return;
    auto const how = [own = s.parameter + i * s.width, far = s.how_far[0], stay = s.how_far[1],
                      update = RowUpdate<Scalar>(s, i)](Index j) { return stay * own[j] - far * update(j); };
    team.map(s.parameter + i * s.width, s.width, how);
  }
};
template <class Scalar, class Number>
struct ApplyToElement {
  AdafactorStep<Scalar, Number> s;
  GRAFT_HOST_DEVICE void operator()(Index i) const {
    if (s.unsound()) return;
    s.parameter[i] = s.how_far[1] * s.parameter[i] - s.how_far[0] * vector_update(s, i);
  }
};
/// m ← β₁·m + (1 − β₁)·how_far[0]·u, θ ← how_far[1]·θ − m
template <class Scalar, class Number>
struct ApplyMomentToRow {
  AdafactorStep<Scalar, Number> s;
  template <class Team>
  GRAFT_HOST_DEVICE void operator()(Index i, Team const& team) const {
    if (s.unsound()) return;
    Scalar *const own = s.parameter + i * s.width, *const first = s.first + i * s.width;
    auto const moment = [first, far = s.how_far[0], keep = s.keep_first, blend = s.blend_first,
                         update = RowUpdate<Scalar>(s, i)](Index j) {
      return keep * first[j] + blend * (far * update(j));
    };
    team.map(first, s.width, moment);
    team.map(own, s.width, [own, first, stay = s.how_far[1]](Index j) { return stay * own[j] - first[j]; });
  }
};
template <class Scalar, class Number>
struct ApplyMomentToElement {
  AdafactorStep<Scalar, Number> s;
  GRAFT_HOST_DEVICE void operator()(Index i) const {
    if (s.unsound()) return;
    s.first[i] = s.keep_first * s.first[i] + s.blend_first * (s.how_far[0] * vector_update(s, i));
    s.parameter[i] = s.how_far[1] * s.parameter[i] - s.first[i];
  }
};

}  // namespace graft::kernels::generic

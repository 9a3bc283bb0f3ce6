/// @file
/// @brief Adafactor on every device. Sums run in a fixed order; what they give stays on the device.
#pragma once

#include <cmath>

#include <graft/kernels/adafactor.hpp>
#include <graft/kernels/loops.hpp>
#include <graft/kernels/row_team.hpp>

namespace graft::kernels {

namespace generic {

/// (scale · g_ij)² + ε
template <class Scalar, class Number>
struct SquaredGradient {
  Scalar const* gradient;
  Index width;
  Number scale;
  Scalar epsilon;
  GRAFT_HOST_DEVICE Scalar operator()(Index i, Index j) const {
    Scalar const g = scale * gradient[i * width + j];
    return g * g + epsilon;
  }
};
template <class Scalar, class Number>
struct RowMoment {
  SquaredGradient<Scalar, Number> square;
  Scalar keep, blend;
  Scalar* row;
  template <class Team>
  GRAFT_HOST_DEVICE void operator()(Index i, Team const& team) const {
    auto const of_row = [i, term = square](Index j) { return term(i, j); };
    Scalar const mean = team.sum(square.width, of_row) / static_cast<Scalar>(square.width);
    team.map(row + i, 1,
             [before = row + i, stay = keep, share = blend * mean](Index) { return stay * *before + share; });
  }
};
template <class Scalar>
struct ColumnMoment {
  Scalar const *column, *sums;
  Scalar keep, blend, rows;
  GRAFT_HOST_DEVICE Scalar operator()(Index j) const { return keep * column[j] + blend * (sums[j] / rows); }
};

/// What the two moments multiply an element's gradient by, of all rows and then of all columns: 1/√(row_i / mean(row)),
/// 1/√column_j.
template <class Scalar>
struct MomentFactor {
  Scalar const *row, *row_sum, *column;
  Index rows;
  Scalar* factors;
  GRAFT_HOST_DEVICE void operator()(Index k) const {
    Scalar const moment = k < rows ? row[k] / (*row_sum / static_cast<Scalar>(rows)) : column[k - rows];
    factors[k] = Scalar(1) / std::sqrt(moment);
  }
};
template <class Scalar>
struct RowAt {
  Scalar const* row;
  GRAFT_HOST_DEVICE Scalar operator()(Index i) const { return row[i]; }
};
template <class Scalar, class Number>
struct FactoredUpdate {
  Scalar const *gradient, *by_row, *by_column;
  Index width;
  Number scale;
  GRAFT_HOST_DEVICE Scalar operator()(Index i, Index j) const {
    return by_row[i] * by_column[j] * (scale * gradient[i * width + j]);
  }
};

/// A vector's second moment and its update.
template <class Scalar, class Number>
struct VectorUpdate {
  Scalar const *gradient, *second;
  Number scale;
  Scalar keep, blend, epsilon;
  GRAFT_HOST_DEVICE Pair<Scalar> operator()(Index i) const {
    Scalar const g = scale * gradient[i];
    Scalar const moment = keep * second[i] + blend * (g * g + epsilon);
    return {moment, g / std::sqrt(moment)};
  }
};

/// What updates (`how_far[0]`) and parameters (`how_far[1]`) are multiplied by.
template <class Scalar>
struct StepNumbers {
  double rate;
  double const *parameter_squares, *update_squares;
  double epsilon, threshold, weight_decay, size;
  Scalar* how_far;
  GRAFT_HOST_DEVICE void operator()(Index) const {
    double scaled = rate;
    if (parameter_squares) {
      double const root_mean = std::sqrt(*parameter_squares / size);
      scaled = rate * (root_mean > epsilon ? root_mean : epsilon);
    }
    double const excess = std::sqrt(*update_squares / size) / threshold;
    how_far[0] = static_cast<Scalar>(scaled / (excess > 1.0 ? excess : 1.0));
    how_far[1] = static_cast<Scalar>(1.0 - weight_decay * scaled);
  }
};
template <class Scalar>
struct AppliedUpdate {
  Scalar const *parameter, *update, *how_far;
  GRAFT_HOST_DEVICE Scalar operator()(Index i) const { return how_far[1] * parameter[i] - how_far[0] * update[i]; }
};
/// The first moment and the parameter.
template <class Scalar>
struct AppliedMoment {
  Scalar const *parameter, *update, *first, *how_far;
  Scalar stay, blend;
  GRAFT_HOST_DEVICE Pair<Scalar> operator()(Index i) const {
    Scalar const moment = stay * first[i] + blend * (how_far[0] * update[i]);
    return {moment, how_far[1] * parameter[i] - moment};
  }
};

}  // namespace generic

template <class Device, class Scalar>
void Adafactor<Device, Scalar>::adafactor_moments(In gradient, Index rows, Index width,
                                                  AdafactorFactors<Device> const& factors, Out row, Out column) {
  using Number = typename Loops<Device>::template Number<Scalar>;
  auto const keep = static_cast<Scalar>(factors.keep), blend = static_cast<Scalar>(1.0 - factors.keep);
  generic::SquaredGradient<Scalar, Number> const square{raw(gradient), width, Number(factors.gradient_scale),
                                                        static_cast<Scalar>(factors.epsilon)};
  RowTeam<Device>::each_row("adafactor_moments of rows", rows, width,
                            generic::RowMoment<Scalar, Number>{square, keep, blend, raw(row)});
  typename Loops<Device>::template Room<Scalar> sums(width);
  Loops<Device>::sum_rows("adafactor_moments of columns", rows, width, sums.data(), square);
  Loops<Device>::map(
      "adafactor_moments of columns", column, width,
      generic::ColumnMoment<Scalar>{raw(column), raw(sums.data()), keep, blend, static_cast<Scalar>(rows)});
}

template <class Device, class Scalar>
void Adafactor<Device, Scalar>::adafactor_update(In gradient, In row, In column, Index rows, Index width,
                                                 AdafactorFactors<Device> const& factors, Out update) {
  using Number = typename Loops<Device>::template Number<Scalar>;
  typename Loops<Device>::template Room<Scalar> room(1 + rows + width);
  auto const sum = room.data(), by = sum + 1;
  Loops<Device>::sum("adafactor_update's mean", rows, generic::RowAt<Scalar>{raw(row)}, Scalar(1), sum);
  Loops<Device>::each("adafactor_update's factors", rows + width,
                      generic::MomentFactor<Scalar>{raw(row), raw(sum), raw(column), rows, raw(by)});
  Loops<Device>::map_rows("adafactor_update", rows, width, update,
                          generic::FactoredUpdate<Scalar, Number>{raw(gradient), raw(by), raw(by) + rows, width,
                                                                  Number(factors.gradient_scale)});
}

template <class Device, class Scalar>
void Adafactor<Device, Scalar>::adafactor_vector(In gradient, Index size, AdafactorFactors<Device> const& factors,
                                                 Out second, Out update) {
  using Number = typename Loops<Device>::template Number<Scalar>;
  Loops<Device>::map("adafactor_vector", second, update, size,
                     generic::VectorUpdate<Scalar, Number>{
                         raw(gradient), raw(second), Number(factors.gradient_scale), static_cast<Scalar>(factors.keep),
                         static_cast<Scalar>(1.0 - factors.keep), static_cast<Scalar>(factors.epsilon)});
}

template <class Device, class Scalar>
void Adafactor<Device, Scalar>::adafactor_apply(Out parameter, In update, Out first, Index size,
                                                AdafactorRate<Device> const& how) {
  typename Loops<Device>::template Room<Scalar> room(2);
  Scalar* const how_far = raw(room.data());
  Loops<Device>::each(
      "adafactor_apply's rate", 1,
      generic::StepNumbers<Scalar>{how.rate, raw(how.parameter_squares), raw(how.update_squares), how.epsilon,
                                   how.threshold, how.weight_decay, static_cast<double>(size), how_far});
  if (first)
    Loops<Device>::map(
        "adafactor_apply", first, parameter, size,
        generic::AppliedMoment<Scalar>{raw(parameter), raw(update), raw(first), how_far, static_cast<Scalar>(how.beta1),
                                       static_cast<Scalar>(1.0 - how.beta1)});
  else
    Loops<Device>::map("adafactor_apply", parameter, size,
                       generic::AppliedUpdate<Scalar>{raw(parameter), raw(update), how_far});
}

extern template struct Adafactor<Cuda, float>;  // of the source that graft_add_cuda generates
extern template struct Adafactor<Cuda, double>;

}  // namespace graft::kernels

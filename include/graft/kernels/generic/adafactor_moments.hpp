/// @file
/// @brief What Adafactor's passes share, and its second moments of rows, columns and elements, on every device.
#pragma once

#include <cmath>

#include <graft/kernels/loops.hpp>
#include <graft/kernels/row_team.hpp>

namespace graft::kernels::generic {

/// What the passes over one parameter read and write. `Number` is the device's (see `Loops`).
template <class Scalar, class Number>
struct AdafactorStep {
  Scalar* parameter;       ///< [rows, width]
  Scalar const* gradient;  ///< [rows, width]
  Scalar *row, *column;    ///< of a matrix: second moments [rows] and [width]
  Scalar* second;          ///< of a vector: second moments [width]
  Scalar* first;           ///< [rows, width], or null
  Index rows, width;
  Number scale;                    ///< multiplies the gradient
  Scalar keep, blend, epsilon;     ///< β̂₂, 1 − β̂₂, ε₁
  Scalar keep_first, blend_first;  ///< β₁, 1 − β₁
  Scalar* row_sum;                 ///< of a matrix: Σ row_i
  Scalar* by_column;               ///< of a matrix: [width], 1/√column_j
  double* row_squares;             ///< of a matrix: [rows], Σ_j u_ij²
  Scalar* how_far;                 ///< [2], what updates and parameters are multiplied by

  /// Whether the gradients are no numbers, so that nothing may change. On the host somebody has looked before.
  [[nodiscard]] GRAFT_HOST_DEVICE bool unsound() const {
    if constexpr (Number::is_late) {
      Scalar const factor = scale;
      return factor != factor;
    } else {
      return false;
    }
  }
};

template <class Scalar, class Number>
struct RowMoment {
  AdafactorStep<Scalar, Number> s;
  template <class Team>
  GRAFT_HOST_DEVICE void operator()(Index i, Team const& team) const {
    if (s.unsound()) return;
    Scalar const scale = s.scale;
    auto const square = [own = s.gradient + i * s.width, scale, epsilon = s.epsilon](Index j) {
      Scalar const g = scale * own[j];
      return g * g + epsilon;
    };
    Scalar const mean = team.sum(s.width, square) / static_cast<Scalar>(s.width);
    team.map(s.row + i, 1,
             [before = s.row + i, stay = s.keep, share = s.blend * mean](Index) { return stay * *before + share; });
  }
};
template <class Scalar, class Number>
struct ColumnMoment {
  AdafactorStep<Scalar, Number> s;
  GRAFT_HOST_DEVICE Scalar term(Index i, Index j) const {
    Scalar const g = s.scale * s.gradient[i * s.width + j];
    return g * g + s.epsilon;
  }
  GRAFT_HOST_DEVICE void put(Index j, Scalar sum) const {
    if (!s.unsound()) s.column[j] = s.keep * s.column[j] + s.blend * (sum / static_cast<Scalar>(s.rows));
    s.by_column[j] = Scalar(1) / std::sqrt(s.column[j]);
  }
};
template <class Scalar, class Number>
struct VectorMoment {
  AdafactorStep<Scalar, Number> s;
  GRAFT_HOST_DEVICE void operator()(Index i) const {
    if (s.unsound()) return;
    Scalar const g = s.scale * s.gradient[i];
    s.second[i] = s.keep * s.second[i] + s.blend * (g * g + s.epsilon);
  }
};

}  // namespace graft::kernels::generic

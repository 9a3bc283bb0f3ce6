/// @file
/// @brief logΣexp of a row on every device.
#pragma once

#include <cmath>

#include <graft/kernels/generic/softmax.hpp>

namespace graft::kernels::generic {

/// log Σ_j exp x_j of a row. All of its team make one.
template <class Math, class Scalar>
struct LogSum {
  Scalar largest;  ///< of the row
  Scalar value;    ///< NaN where the row has NaN or +∞, or nothing but −∞

  template <class Team>
  GRAFT_HOST_DEVICE LogSum(Scalar const* row, Index width, Team const& team)
      : largest(team.max(width, [=](Index j) { return row[j]; })) {
    Scalar const most = largest;
    Scalar const sum = team.sum(width, [=](Index j) { return exp_below_zero<Math>(row[j] - most); });
    bool const sound = most - most == 0 && sum >= 0;  // neither infinite nor NaN
    value = sound ? most + std::log(sum) : static_cast<Scalar>(NAN);
  }
};

}  // namespace graft::kernels::generic

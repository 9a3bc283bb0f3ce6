/// @file
/// @brief What a device brings for kernels that work on a row as a whole: softmax needs a row's maximum and sum before
/// it can write an element.
#pragma once

#include <graft/core/device_pointer.hpp>
#include <graft/core/types.hpp>
#include <graft/kernels/pieces.hpp>

namespace graft::kernels {

/// A histogram: the sum of each bin's numbers.
struct Bins {
  static constexpr int count = 16;
  double sums[count];
};

/// Those that share the work on one row: a thread of the host, a block of a GPU's threads. `f` is a struct of pointers
/// and numbers, or a lambda within a function for the device.
///
///     RowTeam<Device>::each_row(name, rows, width, f)   f(i, team) for i in [0, rows); all of a team call it
///     RowTeam<Device>::each_row_of(name, pieces)        p.f(i, team) for i in [0, p.rows), of each RowsPiece p, by one
///                                                       launch; its teams have no max
///     team.max(size, f)                                 the largest f(j), for j in [0, size); −∞ where there is none
///     team.sum(size, f)                                 Σ_j f(j), in an order that depends on the size alone
///     team.bins(size, bin, value)                       a histogram: for each b Σ_j value(j) of bin(j) = b, in such an
///                                                       order; −1 is none. `value` is asked of others, too
///     team.map(y, size, f)                              y_j = f(j); y may be what f reads at j
///
/// Specialized in kernels/cpu/row_team.hpp and kernels/cuda/row_team.cuh.
template <class Device>
class RowTeam;

}  // namespace graft::kernels

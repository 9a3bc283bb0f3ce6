/// @file
/// @brief What a device brings for the kernels of generic/, which are written once for all devices.
#pragma once

#include <graft/core/device_pointer.hpp>
#include <graft/core/dtype.hpp>
#include <graft/core/precision.hpp>
#include <graft/core/types.hpp>
#include <graft/kernels/pieces.hpp>

namespace graft::kernels {

/// A device's loops; `f` is a struct of pointers and numbers, called by const reference, with GRAFT_HOST_DEVICE on its
/// operator. The first argument, the kernel's name, is for the message of a failure. Sums run in an order that depends
/// on the sizes alone.
///
///     each(name, size, f)                        f(i) for i in [0, size)
///     map(name, y, size, f)                      y_i = f(i); y may be what f reads
///     map(name, y, z, size, f)                   y_i, z_i = f(i), a Pair, rounded; y or z may be what f reads
///     each_of(name, pieces)                      p.f(i) for i in [0, p.size), of each Piece p, by one launch
///     totals(name, pieces, results)              results[k] = Σ_i p_k.f(i) in double, of the k-th piece p_k
///     sums(name, pieces, results)                the same in the results' own type
///     each_in_rows(name, rows, width, f)         f(i, j) for i in [0, rows), j in [0, width)
///     map_rows(name, rows, width, y, f)          y_ij = f(i, j); y may be what f reads
///     sum_rows(name, rows, width, y, f)          y_j = Σ_i f(i, j)
///     sum_rows_of(name, pieces)                  p.f.put(j, Σ_i p.f.term(i, j)), of each RowsPiece p, by two launches
///     sum(name, size, f, factor, result)         *result = factor · Σ_i f(i), in f's type; it stays on the device
///     total(name, size, f, result)               *result = Σ_i f(i) in double, as above
///     Number<Scalar>(pointer)                    a double on the device, which `f` reads rounded; 1 for null
///     Room<Scalar>(size)                         memory for the time of a few loops, uninitialised: `data()`
///     Math::exp, Math::erf, Math::tanh           the device's own, for formulas
///
/// Specialized in kernels/cpu/loops.hpp and kernels/cuda/loops.cuh.
template <class Device>
struct Loops;

/// A stored number as it is computed with: a bfloat16 as a float, any other as itself. What is computed is rounded
/// once, where it is stored: `y[i] = Scalar(wide(a[i]) + wide(b[i]))`.
template <class Scalar>
GRAFT_HOST_DEVICE constexpr SumOf<Scalar> wide(Scalar x) {
  return static_cast<SumOf<Scalar>>(x);
}

/// Two results of one element.
template <class Scalar>
struct Pair {
  Scalar first, second;
};

}  // namespace graft::kernels

/// @file
/// @brief Operands of the matrix product.
#pragma once

#include <graft/core/device_pointer.hpp>
#include <graft/core/precision.hpp>

namespace graft::kernels {

/// Whether an operand is read as it is stored, or transposed.
enum class Read { plain, transposed };

/// One product's operands. op(A) is [m, k], op(B) is [k, n], C is [m, n]; `ld*` are the distances between stored rows,
/// in elements. `Result` is the type of C: that of the operands, or, for operands in bfloat16, that of their sums.
template <class Scalar, class Device = Cpu, class Result = Scalar>
struct Product {
  Index m, n, k;
  Pointer<Device, Scalar const> a;
  Index lda;
  Read read_a;
  Pointer<Device, Scalar const> b;
  Index ldb;
  Read read_b;
  SumOf<Scalar> beta;  ///< 0 overwrites C (which may be uninitialised), 1 adds to it
  Pointer<Device, Result> c;
  Index ldc;
};

}  // namespace graft::kernels

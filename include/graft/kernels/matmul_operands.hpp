/// @file
/// @brief Operands of the matrix product.
#pragma once

#include <graft/core/device_pointer.hpp>

namespace graft::kernels {

/// Whether an operand is read as it is stored, or transposed.
enum class Read { plain, transposed };

/// One product's operands. op(A) is [m, k], op(B) is [k, n], C is [m, n]; `ld*` are the distances between stored rows,
/// in elements.
template <class Scalar, class Device = Cpu>
struct Product {
  Index m, n, k;
  Pointer<Device, Scalar const> a;
  Index lda;
  Read read_a;
  Pointer<Device, Scalar const> b;
  Index ldb;
  Read read_b;
  Scalar beta;  ///< 0 overwrites C (which may be uninitialised), 1 adds to it
  Pointer<Device, Scalar> c;
  Index ldc;
};

}  // namespace graft::kernels

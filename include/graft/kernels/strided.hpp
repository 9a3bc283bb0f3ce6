/// @file
/// @brief A pointer with a row stride: some columns of a wider row-major matrix, read or written in place.
#pragma once

#include <graft/core/device_pointer.hpp>

namespace graft::kernels {

/// Row i starts at `data + i * stride`. Null data: absent.
template <class Scalar, class Device = Cpu>
struct Strided {
  Pointer<Device, Scalar> data = nullptr;
  Index stride = 0;

  [[nodiscard]] GRAFT_HOST_DEVICE Pointer<Device, Scalar> row(Index i) const { return data + i * stride; }
  /// The same matrix from row `row` and column `column` on.
  [[nodiscard]] GRAFT_HOST_DEVICE Strided from(Index row, Index column) const {
    return {data + row * stride + column, stride};
  }
  /// The same for reading.
  [[nodiscard]] GRAFT_HOST_DEVICE Strided<Scalar const, Device> constant() const { return {data, stride}; }
};

}  // namespace graft::kernels

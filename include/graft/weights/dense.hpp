/// @file
/// @brief A frozen matrix in the model's scalar: the product reads it where it stands.
#pragma once

#include <graft/kernels/matmul.hpp>
#include <graft/weights/tensor_storage.hpp>

namespace graft {

/// float32 or float64, as the model computes.
template <class Scalar, class Device = Cpu>
class DenseStorage final : public TensorStorage<DenseStorage<Scalar, Device>, Scalar, Scalar, Device> {
 public:
  using TensorStorage<DenseStorage, Scalar, Scalar, Device>::TensorStorage;

  /// y[rows, n] = β·y + x[rows, k]·op(stored), where `turned` says that stored is [n, k].
  void multiply(Pointer<Device, Scalar const> x, Index rows, Index k, Pointer<Device, Scalar> y, Index n, Scalar beta,
                bool turned) const {
    using kernels::Read;
    kernels::On<Device, kernels::Matmul, Scalar>::matmul({rows, n, k, x, k, Read::plain, this->stored_.data(),
                                                          this->columns_, turned ? Read::transposed : Read::plain, beta,
                                                          y, n});
  }
};

}  // namespace graft

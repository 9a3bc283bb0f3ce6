/// @file
/// @brief A frozen matrix in bfloat16 or half, widened panel by panel.
#pragma once

#include <algorithm>

#include <graft/kernels/matmul.hpp>
#include <graft/weights/tensor_storage.hpp>

namespace graft {

/// 16-bit numbers; sums are formed in the model's scalar.
template <class Stored, class Scalar, class Device = Cpu>
class NarrowStorage final : public TensorStorage<NarrowStorage<Stored, Scalar, Device>, Stored, Scalar, Device> {
 public:
  using TensorStorage<NarrowStorage, Stored, Scalar, Device>::TensorStorage;

  /// y[rows, n] = β·y + x[rows, k]·op(stored), where `turned` says that stored is [n, k].
  void multiply(Pointer<Device, Scalar const> x, Index rows, Index k, Pointer<Device, Scalar> y, Index n, Scalar beta,
                bool turned) const {
    using kernels::Read;
    Index const panel = 512;  // stored rows widened at a time
    Index const stored_rows = this->rows_, width = this->columns_;
    Tensor<Scalar, Device> wide(Shape{std::min(panel, stored_rows), width});
    for (Index first = 0; first < stored_rows; first += panel) {
      Index const count = std::min(panel, stored_rows - first);
      kernels::On<Device, kernels::Widen, Scalar>::widen(this->stored_.row(first), wide.data(), count * width);
      if (turned)
        kernels::On<Device, kernels::Matmul, Scalar>::matmul(
            {rows, count, k, x, k, Read::plain, wide.data(), width, Read::transposed, beta, y + first, n});
      else
        kernels::On<Device, kernels::Matmul, Scalar>::matmul({rows, n, count, x + first, k, Read::plain, wide.data(),
                                                              width, Read::plain, first == 0 ? beta : Scalar(1), y, n});
    }
  }
};

}  // namespace graft

/// @file
/// @brief A weight matrix that never changes: a handle on a storage, which is hidden behind the few things a frozen
/// weight is used for.
#pragma once

#include <memory>
#include <string_view>
#include <utility>

#include <graft/core/error.hpp>
#include <graft/weights/dense.hpp>
#include <graft/weights/narrow.hpp>

namespace graft {

/// A frozen W of a linear map y = x·Wᵀ (`[out, in]`, whatever its storage): float32 or float64 as the model computes,
/// bfloat16 or half, or any other `MatrixStorage`. Copying copies the handle.
template <class Scalar, class Device = Cpu>
class FrozenMatrix {
 public:
  using Dense = Tensor<Scalar, Device>;
  using Storage = MatrixStorage<Scalar, Device>;

  static constexpr bool frozen = true;  ///< it has no gradient

  FrozenMatrix() = default;
  FrozenMatrix(std::shared_ptr<Storage const> storage) : storage_(std::move(storage)) {}
  FrozenMatrix(Dense stored, Layout layout = Layout::out_in)
      : storage_(std::make_shared<DenseStorage<Scalar, Device> const>(std::move(stored), layout)) {}
  FrozenMatrix(Tensor<bfloat16, Device> stored, Layout layout = Layout::out_in)
      : storage_(std::make_shared<NarrowStorage<bfloat16, Scalar, Device> const>(std::move(stored), layout)) {}
  FrozenMatrix(Tensor<half, Device> stored, Layout layout = Layout::out_in)
      : storage_(std::make_shared<NarrowStorage<half, Scalar, Device> const>(std::move(stored), layout)) {}

  [[nodiscard]] Index out() const { return storage_ ? storage_->out() : 0; }
  [[nodiscard]] Index in() const { return storage_ ? storage_->in() : 0; }
  [[nodiscard]] Index size() const { return out() * in(); }
  /// The layout of `dense()`.
  [[nodiscard]] Layout layout() const { return storage_ ? storage_->layout() : Layout::out_in; }
  /// The storage; null for an empty matrix.
  [[nodiscard]] std::shared_ptr<Storage const> const& storage() const { return storage_; }
  [[nodiscard]] bool empty() const { return size() == 0; }

  /// W's outputs [first, last) as a matrix of its own, sharing storage; for a W whose outputs lie together (not stored
  /// as `[in, out]`).
  [[nodiscard]] FrozenMatrix outputs(Index first, Index last) const {
    return FrozenMatrix(storage_->outputs(first, last));
  }
  /// y = β·y + x·Wᵀ; x `[rows, in]`, y `[rows, out]`.
  void times_transposed(Pointer<Device, Scalar const> x, Index rows, Pointer<Device, Scalar> y, Scalar beta = 0) const {
    storage_->times_transposed(x, rows, y, beta);
  }
  /// y = β·y + g·W; g `[rows, out]`, y `[rows, in]`.
  void times(Pointer<Device, Scalar const> g, Index rows, Pointer<Device, Scalar> y, Scalar beta = 0) const {
    storage_->times(g, rows, y, beta);
  }
  /// The rows of W with these numbers, each within [0, out), as an embedding reads them; y `[ids, in]`.
  void rows(MirroredArray<Token, Device> const& ids, Pointer<Device, Scalar> y) const { storage_->rows(ids, y); }
  /// W as it is stored, in `layout()`, where that is bfloat16; else empty.
  [[nodiscard]] Tensor<bfloat16, Device> in_bfloat16() const {
    return storage_ ? storage_->in_bfloat16() : Tensor<bfloat16, Device>();
  }
  /// The same where that is the model's scalar.
  [[nodiscard]] Tensor<Scalar, Device> in_scalar() const {
    return storage_ ? storage_->in_scalar() : Tensor<Scalar, Device>();
  }
  /// All of W in the model's scalar and in `layout()`, in memory of its own.
  [[nodiscard]] Dense dense() const { return storage_ ? storage_->dense() : Dense(); }

 private:
  std::shared_ptr<Storage const> storage_;
};

}  // namespace graft

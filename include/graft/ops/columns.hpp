/// @file
/// @brief A range of columns of a variable as an operand: the parts of a fused projection, a layer's part of a bank.
/// They are read in place, and their gradients go into the variable's own gradient at those columns.
#pragma once

#include <utility>
#include <vector>

#include <graft/core/host_pool.hpp>
#include <graft/kernels/gather.hpp>
#include <graft/kernels/strided.hpp>
#include <graft/ops/storage.hpp>

namespace graft {

/// Columns from `first` on of the row-major matrix `x`; how many, the operation knows.
template <class Scalar, class Device = Cpu>
struct Columns {
  Variable<Scalar, Device> x;
  Index first = 0;

  [[nodiscard]] bool tracked() const { return x.tracked(); }
  /// For kernels to read.
  [[nodiscard]] kernels::Strided<Scalar const, Device> read() const { return {x.value().data() + first, x.width()}; }
  /// Throws `ShapeError` unless `width` columns are there.
  void check(char const* operation, char const* operand, Index width) const {
    if (x.empty() || first < 0 || first > x.width() - width)
      fail<ShapeError>("[", operation, "] ", operand, ": got columns ", first, " to ", first + width, " of shape ",
                       x.shape(), "; expected them within its width");
  }
  /// Whether both want gradients at common columns of one variable, where the columns are `width` and `other_width`
  /// wide.
  [[nodiscard]] bool shares_gradient(Index width, Columns const& other, Index other_width) const {
    return tracked() && x.slot() == other.x.slot() && first < other.first + other_width && other.first < first + width;
  }
};

/// `width` columns as a matrix of their own.
template <class Scalar, class Device>
[[nodiscard]] Tensor<Scalar, Device> copy_columns(Columns<Scalar, Device> const& columns, Index width) {
  Tensor<Scalar, Device> copy(Shape{columns.x.rows(), width});
  kernels::On<Device, kernels::Gather, Scalar>::copy_columns(columns.read(), nullptr, {copy.data(), width}, nullptr,
                                                             copy.rows(), width);
  return copy;
}

/// Until `finish`, the gradients of some variables are buffers that a reverse pass adds into, each taken from its slot
/// once (zeros where nothing has come yet). They have the type that gradients are summed in.
template <class Scalar, class Device = Cpu>
class GradientBuffers {
 public:
  GradientBuffers() = default;
  GradientBuffers(GradientBuffers const&) = delete;
  GradientBuffers& operator=(GradientBuffers const&) = delete;

  /// Hands the gradients back to their slots; without it they are dropped.
  /// @throws Error where a slot's record is no longer on the tape
  void finish() {
    for (auto& [slot, buffer] : buffers_) slot->accumulate(std::move(buffer));
    buffers_.clear();
  }
  /// Where to add the gradient of these columns; absent for a constant.
  [[nodiscard]] kernels::Strided<SumOf<Scalar>, Device> at(Columns<Scalar, Device> const& columns) {
    if (!columns.tracked()) return {};
    return {buffer(columns.x).data() + columns.first, columns.x.width()};
  }

 private:
  using Slot = GradientSlot<Scalar, Device>;

  Tensor<SumOf<Scalar>, Device>& buffer(Variable<Scalar, Device> const& x) {
    for (auto& [slot, buffer] : buffers_)
      if (slot == x.slot().get()) return buffer;
    return buffers_.emplace_back(x.slot().get(), take_to_add(*x.slot(), x.shape())).second;
  }

  PoolVector<std::pair<Slot*, Tensor<SumOf<Scalar>, Device>>> buffers_;
};

}  // namespace graft

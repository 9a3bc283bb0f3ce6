/// @file
/// @brief Numbers of a GPU that the host reads later, when the device has long passed them.
#pragma once

#include <memory>

#include <graft/tensor/device_copy.hpp>

namespace graft {

/// So many numbers in page-locked memory. They are asked for after the work that computes them, and got while later
/// work runs: getting them waits for that work alone.
template <class Scalar, class Device>
class LateNumbers {
  using Runtime = kernels::cuda::Listed<kernels::cuda::Runtime, Device>;

 public:
  explicit LateNumbers(Index size)
      : numbers_(pinned<Scalar, Device>(Shape{size})),
        mark_(Runtime::make_mark(), [](void* mark) { Runtime::release_mark(mark); }) {}

  [[nodiscard]] Index size() const { return numbers_.size(); }
  /// Number `i` becomes the one that `number` holds by then. Earlier ones must have been got.
  void ask(Index i, Tensor<Scalar, Device> const& number) {
    Tensor<Scalar> slot = Tensor<Scalar>::alias(Shape{1}, numbers_.data() + i, nullptr);
    copy_async(number, slot);
    Runtime::set_mark(mark_.get());
  }
  /// Waits for what was asked for.
  [[nodiscard]] Scalar get(Index i) const {
    Runtime::wait_for_mark(mark_.get());
    return numbers_.data()[i];
  }

 private:
  Tensor<Scalar> numbers_;
  std::shared_ptr<void> mark_;
};

}  // namespace graft

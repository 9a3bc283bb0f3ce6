/// @file
/// @brief Dense row-major arrays: `Tensor<Scalar, Device>`, a cheap handle on shared storage.
#pragma once

#include <algorithm>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include <graft/core/device_pointer.hpp>
#include <graft/core/error.hpp>
#include <graft/core/random.hpp>
#include <graft/core/shape.hpp>
#include <graft/tensor/memory.hpp>

namespace graft {

/// A dense row-major array on a device. Copying copies the handle; `clone()` copies the numbers. Views (`slice`,
/// `reshape`) share storage. Memory that a caller owns (a mapped file, an Eigen or xtensor array) is wrapped by
/// `alias`.
template <class Scalar, class Device = Cpu>
class Tensor {
 public:
  using scalar_type = Scalar;
  using device_type = Device;

  Tensor() = default;
  /// Uninitialised storage of this shape.
  explicit Tensor(Shape const& shape) : shape_(shape), size_(shape.size()) {
    auto owner = Memory<Device>::allocate(static_cast<std::size_t>(size_) * sizeof(Scalar));
    data_ = std::shared_ptr<Scalar>(owner, static_cast<Scalar*>(owner.get()));
  }
  /// A view of foreign memory that lives at least as long as `owner`.
  static Tensor alias(Shape const& shape, Pointer<Device, Scalar> data, std::shared_ptr<void const> const& owner) {
    Tensor tensor;
    tensor.shape_ = shape;
    tensor.size_ = shape.size();
    tensor.data_ = std::shared_ptr<Scalar>(owner, kernels::raw(data));
    return tensor;
  }

  [[nodiscard]] bool empty() const { return data_ == nullptr; }
  [[nodiscard]] Shape const& shape() const { return shape_; }
  [[nodiscard]] Index size() const { return size_; }
  [[nodiscard]] Index rows() const { return shape_.rank() == 0 ? 1 : shape_[0]; }
  [[nodiscard]] Index width() const { return shape_.width(); }
  /// The first element: a plain pointer on the host, on a device a `DevicePointer`, which the host cannot read through.
  [[nodiscard]] Pointer<Device, Scalar> data() { return Pointer<Device, Scalar>(data_.get()); }
  [[nodiscard]] Pointer<Device, Scalar const> data() const { return Pointer<Device, Scalar const>(data_.get()); }
  /// Where row `i` of the first axis begins.
  [[nodiscard]] Pointer<Device, Scalar> row(Index i) { return data() + i * width(); }
  [[nodiscard]] Pointer<Device, Scalar const> row(Index i) const { return data() + i * width(); }
  /// Whether nobody else holds this storage.
  [[nodiscard]] bool unique() const { return data_.use_count() == 1; }

  /// Rows [first, last) of the first axis, sharing storage.
  [[nodiscard]] Tensor slice(Index first, Index last) const {
    if (first < 0 || last < first || last > rows())
      fail<ShapeError>("[slice] got rows ", first, " to ", last, "; expected a range within 0 to ", rows());
    return alias(shape_.with_rows(last - first), Pointer<Device, Scalar>(data_.get() + first * width()), data_);
  }
  /// The same elements in another shape of equal size, sharing storage.
  [[nodiscard]] Tensor reshape(Shape const& shape) const {
    if (shape.size() != size_)
      fail<ShapeError>("[reshape] got ", shape, "; expected ", size_, " elements as in ", shape_);
    return alias(shape, Pointer<Device, Scalar>(data_.get()), data_);
  }

 private:
  Shape shape_{0};
  Index size_ = 0;
  std::shared_ptr<Scalar> data_;
};

/// A host tensor of this shape with every element `value`.
template <class Scalar>
[[nodiscard]] Tensor<Scalar> full(Shape const& shape, Scalar value) {
  Tensor<Scalar> tensor(shape);
  std::fill_n(tensor.data(), tensor.size(), value);
  return tensor;
}
template <class Scalar>
[[nodiscard]] Tensor<Scalar> zeros(Shape const& shape) {
  return full(shape, Scalar(0));
}
/// A host tensor holding the elements of `values`, row-major.
template <class Scalar, class Range>
[[nodiscard]] Tensor<Scalar> tensor_of(Shape const& shape, Range const& values) {
  if (static_cast<Index>(values.size()) != shape.size())
    fail<ShapeError>("[tensor_of] got ", values.size(), " values; expected ", shape.size(), " for shape ", shape);
  Tensor<Scalar> tensor(shape);
  std::transform(values.begin(), values.end(), tensor.data(), [](auto v) { return static_cast<Scalar>(v); });
  return tensor;
}
/// Independent normal elements with mean 0 and the given standard deviation.
template <class Scalar>
[[nodiscard]] Tensor<Scalar> normal(Shape const& shape, RandomKey key, double deviation = 1.0) {
  Tensor<Scalar> tensor(shape);
  for (Index i = 0; i < tensor.size(); ++i)
    tensor.data()[i] = static_cast<Scalar>(deviation * key.normal(static_cast<std::uint64_t>(i)));
  return tensor;
}
/// Independent elements uniform in [low, high).
template <class Scalar>
[[nodiscard]] Tensor<Scalar> uniform(Shape const& shape, RandomKey key, double low, double high) {
  Tensor<Scalar> tensor(shape);
  for (Index i = 0; i < tensor.size(); ++i)
    tensor.data()[i] = static_cast<Scalar>(low + (high - low) * key.uniform(static_cast<std::uint64_t>(i)));
  return tensor;
}
/// A copy of the numbers in storage of its own, converted to `To` (by default the same type).
template <class To, class From>
[[nodiscard]] Tensor<To> cast(Tensor<From> const& tensor) {
  Tensor<To> result(tensor.shape());
  std::transform(tensor.data(), tensor.data() + tensor.size(), result.data(),
                 [](From v) { return static_cast<To>(v); });
  return result;
}
template <class Scalar>
[[nodiscard]] Tensor<Scalar> clone(Tensor<Scalar> const& tensor) {
  return cast<Scalar>(tensor);
}

}  // namespace graft

/// @file
/// @brief A frozen matrix kept as a tensor: what dense and narrow storages share.
#pragma once

#include <algorithm>
#include <memory>
#include <type_traits>
#include <utility>

#include <graft/core/dtype.hpp>
#include <graft/core/error.hpp>
#include <graft/kernels/widen.hpp>
#include <graft/weights/matrix_storage.hpp>

namespace graft {

/// Numbers of the type `Stored` as `[out, in]` or `[in, out]`. `Derived` adds `multiply`, the product with the stored
/// matrix.
template <class Derived, class Stored, class Scalar, class Device>
class TensorStorage : public MatrixStorage<Scalar, Device> {
 public:
  TensorStorage(Tensor<Stored, Device> stored, Layout layout) : stored_(std::move(stored)), layout_(layout) {
    if (stored_.shape().rank() != 2)
      fail<ShapeError>("[FrozenMatrix] got shape ", stored_.shape(), "; expected rank 2");
    rows_ = stored_.shape()[0];
    columns_ = stored_.shape()[1];
  }

  [[nodiscard]] Index out() const override { return layout_ == Layout::out_in ? rows_ : columns_; }
  [[nodiscard]] Index in() const override { return layout_ == Layout::out_in ? columns_ : rows_; }
  [[nodiscard]] Layout layout() const override { return layout_; }
  /// The numbers as they are stored.
  [[nodiscard]] Tensor<Stored, Device> const& stored() const { return stored_; }
  void times_transposed(Pointer<Device, Scalar const> x, Index rows, Pointer<Device, Scalar> y,
                        Scalar beta) const override {
    self().multiply(x, rows, in(), y, out(), beta, layout_ == Layout::out_in);
  }
  void times(Pointer<Device, Scalar const> g, Index rows, Pointer<Device, Scalar> y, Scalar beta) const override {
    self().multiply(g, rows, out(), y, in(), beta, layout_ == Layout::in_out);
  }
  void rows(MirroredArray<Token, Device> const& ids, Pointer<Device, Scalar> y) const override {
    kernels::MatrixSteps const steps =
        layout_ == Layout::out_in ? kernels::MatrixSteps{columns_, 1} : kernels::MatrixSteps{1, columns_};
    kernels::On<Device, kernels::Widen, Scalar>::widen_rows(stored_.data(), steps, ids.data(), ids.size(), in(), y);
  }
  [[nodiscard]] std::shared_ptr<MatrixStorage<Scalar, Device> const> outputs(Index first, Index last) const override {
    if (layout_ != Layout::out_in)
      fail<ShapeError>("[FrozenMatrix] got outputs of a weight stored as [in, out]; expected [out, in]");
    return std::make_shared<Derived const>(stored_.slice(first, last), layout_);
  }
  [[nodiscard]] Tensor<Scalar, Device> dense() const override {
    Tensor<Scalar, Device> result(stored_.shape());
    kernels::On<Device, kernels::Widen, Scalar>::widen(stored_.data(), result.data(), stored_.size());
    return result;
  }
  /// The matrix itself where it is stored so, else empty.
  [[nodiscard]] Tensor<bfloat16, Device> in_bfloat16() const override {
    if constexpr (std::is_same_v<Stored, bfloat16>)
      return stored_;
    else
      return {};
  }
  [[nodiscard]] Tensor<Scalar, Device> in_scalar() const override {  ///< the same
    if constexpr (std::is_same_v<Stored, Scalar>)
      return stored_;
    else
      return {};
  }
  void read(Index first, Index count, float* y) const override {
    if constexpr (std::is_same_v<Device, Cpu>)
      std::transform(stored_.data() + first, stored_.data() + first + count, y,
                     [](Stored value) { return static_cast<float>(value); });
    else
      fail("[FrozenMatrix] got numbers that are not in the host's memory; expected a host matrix, from ", first, ", ",
           count, " to ", y);
  }
  [[nodiscard]] std::size_t bytes() const override { return static_cast<std::size_t>(stored_.size()) * sizeof(Stored); }
  [[nodiscard]] void const* address() const override { return kernels::raw(stored_.data()); }
  [[nodiscard]] std::string_view name() const override { return dtype_name(dtype_of<Stored>); }

 protected:
  Tensor<Stored, Device> stored_;
  Layout layout_;
  Index rows_ = 0, columns_ = 0;

 private:
  [[nodiscard]] Derived const& self() const { return static_cast<Derived const&>(*this); }
};

}  // namespace graft

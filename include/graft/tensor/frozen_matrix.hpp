/// @file
/// @brief A weight matrix that never changes: its storage is hidden behind the three things a frozen weight is used for.
#pragma once

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <graft/core/dtype.hpp>
#include <graft/core/layout.hpp>
#include <graft/kernels/matmul.hpp>
#include <graft/kernels/widen.hpp>
#include <graft/tensor/tensor.hpp>

namespace graft {

/// A frozen W of a linear map y = x·Wᵀ (`[out, in]`, whatever its storage): float32 or float64 as the model computes, or bfloat16 or
/// half that are widened panel by panel. Which one is decided once a product.
template <class Scalar, class Device = Cpu>
class FrozenMatrix {
 public:
  using Dense = Tensor<Scalar, Device>;
  using Storage = std::variant<Dense, Tensor<bfloat16, Device>, Tensor<half, Device>>;

  FrozenMatrix() = default;
  FrozenMatrix(Storage storage, Layout layout = Layout::out_in) : storage_(std::move(storage)), layout_(layout) {
    std::visit([&](auto const& stored) {
      if (stored.shape().rank() != 2) fail<ShapeError>("[FrozenMatrix] got shape ", stored.shape(), "; expected rank 2");
      stored_rows_ = stored.shape()[0];
      stored_columns_ = stored.shape()[1];
    }, storage_);
  }

  [[nodiscard]] Index out() const { return layout_ == Layout::out_in ? stored_rows_ : stored_columns_; }
  [[nodiscard]] Index in() const { return layout_ == Layout::out_in ? stored_columns_ : stored_rows_; }
  [[nodiscard]] Index size() const { return stored_rows_ * stored_columns_; }
  [[nodiscard]] Layout layout() const { return layout_; }
  [[nodiscard]] Storage const& storage() const { return storage_; }
  [[nodiscard]] bool empty() const { return size() == 0; }

  /// W's outputs [first, last) as a matrix of its own, sharing storage; for a W stored as `[out, in]`.
  [[nodiscard]] FrozenMatrix outputs(Index first, Index last) const {
    if (layout_ != Layout::out_in) fail<ShapeError>("[FrozenMatrix] got outputs of a weight stored as [in, out]; expected [out, in]");
    return std::visit([&](auto const& stored) { return FrozenMatrix(stored.slice(first, last), layout_); }, storage_);
  }

  /// y = β·y + x·Wᵀ; x `[rows, in]`, y `[rows, out]`.
  void times_transposed(Scalar const* x, Index rows, Scalar* y, Scalar beta = 0) const {
    multiply(x, rows, in(), y, out(), beta, layout_ == Layout::out_in);
  }
  /// y = β·y + g·W; g `[rows, out]`, y `[rows, in]`.
  void times(Scalar const* g, Index rows, Scalar* y, Scalar beta = 0) const {
    multiply(g, rows, out(), y, in(), beta, layout_ == Layout::in_out);
  }
  /// Row `i` of W (`[in]`), as an embedding reads it.
  void row(Index i, Scalar* y) const {
    std::visit([&](auto const& stored) {
      if (layout_ == Layout::out_in)
        kernels::widen(Device{}, stored.row(i), y, stored_columns_);
      else
        for (Index k = 0; k < stored_rows_; ++k) kernels::widen(Device{}, stored.row(k) + i, y + k, 1);
    }, storage_);
  }
  /// All of W in the model's scalar and its stored shape, in storage of its own.
  [[nodiscard]] Dense dense() const {
    Dense result(Shape{stored_rows_, stored_columns_});
    std::visit([&](auto const& stored) { kernels::widen(Device{}, stored.data(), result.data(), size()); }, storage_);
    return result;
  }

 private:
  /// y[rows, n] = β·y + x[rows, k]·op(stored), where `turned` says that stored is [n, k].
  void multiply(Scalar const* x, Index rows, Index k, Scalar* y, Index n, Scalar beta, bool turned) const {
    using kernels::Read;
    std::visit([&](auto const& stored) {
      using Stored = std::remove_const_t<std::remove_reference_t<decltype(*stored.data())>>;
      if constexpr (std::is_same_v<Stored, Scalar>) {
        kernels::matmul<Scalar>(
            Device{}, {rows, n, k, x, k, Read::plain, stored.data(), stored_columns_, turned ? Read::transposed : Read::plain, beta, y, n});
      } else {
        Index const panel = 512;  // stored rows widened at a time
        Dense wide(Shape{std::min(panel, stored_rows_), stored_columns_});
        for (Index first = 0; first < stored_rows_; first += panel) {
          Index const count = std::min(panel, stored_rows_ - first);
          kernels::widen(Device{}, stored.row(first), wide.data(), count * stored_columns_);
          if (turned)
            kernels::matmul<Scalar>(
                Device{}, {rows, count, k, x, k, Read::plain, wide.data(), stored_columns_, Read::transposed, beta, y + first, n});
          else
            kernels::matmul<Scalar>(Device{}, {rows, n, count, x + first, k, Read::plain, wide.data(), stored_columns_, Read::plain,
                                               first == 0 ? beta : Scalar(1), y, n});
        }
      }
    }, storage_);
  }

  Storage storage_;
  Layout layout_ = Layout::out_in;
  Index stored_rows_ = 0, stored_columns_ = 0;
};

}  // namespace graft

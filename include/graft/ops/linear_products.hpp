/// @file
/// @brief The products of a linear map with its activations. Activations in bfloat16 are multiplied as they are stored
/// where the device can do that and the weight is bfloat16 too, and otherwise widened.
#pragma once

#include <concepts>
#include <utility>

#include <graft/core/layout.hpp>
#include <graft/kernels/bias.hpp>
#include <graft/kernels/matmul.hpp>
#include <graft/ops/fused_products.hpp>
#include <graft/ops/storage.hpp>
#include <graft/tensor/rounding.hpp>

namespace graft::detail {

/// Whether the device multiplies matrices of this narrow type as they are stored.
template <class Device, class Scalar>
inline constexpr bool multiplies_narrow =
    is_narrow<Scalar> && kernels::computes<kernels::Matmul<Device, Scalar>, Scalar>;

/// A weight that may be stored in bfloat16.
template <class Weight>
concept HasBfloat16 = requires(Weight const& w) { w.in_bfloat16(); };

/// Activations, and the same numbers to compute with once somebody asks for them.
template <class Scalar, class Device>
class Operand {
 public:
  explicit Operand(Tensor<Scalar, Device> stored) : stored_(std::move(stored)) {}
  [[nodiscard]] Tensor<Scalar, Device> const& stored() const { return stored_; }
  [[nodiscard]] Index rows() const { return stored_.rows(); }
  [[nodiscard]] Tensor<SumOf<Scalar>, Device> const& wide() {
    if (wide_.empty()) wide_ = widened(stored_);
    return wide_;
  }

 private:
  Tensor<Scalar, Device> stored_;
  Tensor<SumOf<Scalar>, Device> wide_;
};

/// y = β·y + x·M `[rows, n]`, or x·Mᵀ where `turned`, for matrices of one type; y has that type, or that of its sums.
template <class Result, class Scalar, class Device>
void multiply_as_stored(Tensor<Scalar, Device> const& x, Tensor<Scalar, Device> const& m, bool turned,
                        Pointer<Device, Result> y, SumOf<Scalar> beta = 0) {
  using kernels::Read;
  using Kernel = kernels::On<Device, kernels::Matmul, Scalar>;
  Index const width = m.width(), k = turned ? width : m.rows(), n = turned ? m.rows() : width;
  kernels::Product<Scalar, Device, Result> const product{
      x.rows(), n, k, x.data(), k, Read::plain, m.data(), width, turned ? Read::transposed : Read::plain, beta, y, n};
  if constexpr (std::same_as<Result, Scalar>)
    Kernel::matmul(product);
  else
    Kernel::matmul_to_sums(product);
}

/// y `[rows, out]` = x·Wᵀ for `rows` rows of x from `first` on, in the type of sums.
template <class Scalar, class Device, class Weight>
void times_transposed(Operand<Scalar, Device>& x, Index first, Index rows, Weight const& w,
                      Pointer<Device, ParameterOf<Scalar>> y) {
  if constexpr (multiplies_narrow<Device, Scalar> && HasBfloat16<Weight>)
    if (auto const m = w.in_bfloat16(); !m.empty())
      return multiply_as_stored<SumOf<Scalar>>(x.stored().slice(first, first + rows), m, w.layout() == Layout::out_in,
                                               y);
  w.times_transposed(x.wide().row(first), rows, y);
}

/// x·Wᵀ + b `[rows, out]`, each element rounded once; an empty b is 0. Where the device adds b in the product's kernel,
/// b has the type of the result: a frozen one is rounded to it, a trained one is not.
template <bool frozen_bias, class Scalar, class Device, class Weight>
[[nodiscard]] Tensor<Scalar, Device> mapped(Tensor<Scalar, Device> const& x, Weight const& w,
                                            Tensor<ParameterOf<Scalar>, Device> const& b) {
  Index const rows = x.rows(), out = w.out();
  if constexpr (has_epilogues<Device, Scalar> && (frozen_bias || !is_narrow<Scalar>))
    if (!b.empty())
      if (auto y = mapped_at_once(x, w, b); !y.empty()) return y;
  if constexpr (multiplies_narrow<Device, Scalar> && HasBfloat16<Weight>)
    if (b.empty())
      if (auto const m = w.in_bfloat16(); !m.empty()) {
        Tensor<Scalar, Device> y(Shape{rows, out});
        multiply_as_stored<Scalar>(x, m, w.layout() == Layout::out_in, y.data());
        return y;
      }
  Tensor<ParameterOf<Scalar>, Device> sum(Shape{rows, out});
  Operand<Scalar, Device> operand(x);
  times_transposed(operand, 0, rows, w, sum.data());
  if constexpr (is_narrow<Scalar>) {
    if (b.empty()) return rounded<Scalar, Device>(std::move(sum));
    Tensor<Scalar, Device> y(Shape{rows, out});
    kernels::On<Device, kernels::Bias, Scalar>::add_bias_to_sums(sum.data(), b.data(), rows, out, y.data());
    return y;
  } else {
    if (!b.empty()) kernels::On<Device, kernels::Bias, Scalar>::add_to_rows(b.data(), rows, out, sum.data());
    return sum;
  }
}

/// The same, or zeros where y is there already.
template <bool frozen_bias, class Scalar, class Device, class Weight>
[[nodiscard]] Tensor<Scalar, Device> mapped_or_zero(Tensor<Scalar, Device> const& x, Weight const& w,
                                                    Tensor<ParameterOf<Scalar>, Device> const& b, bool computed) {
  if (computed) return mapped<frozen_bias>(x, w, b);
  Tensor<Scalar, Device> y(Shape{x.rows(), w.out()});
  kernels::On<Device, kernels::Elementwise, Scalar>::fill(y.data(), Scalar(0), y.size());
  return y;
}

/// Adds dx = dy·W to x's gradient, where no contribution is rounded.
template <class Scalar, class Device, class Weight>
void add_input_gradient(Operand<Scalar, Device>& dy, Weight const& w, GradientSlot<Scalar, Device>& slot) {
  using Sums = Tensor<ParameterOf<Scalar>, Device>;
  Shape const shape{dy.rows(), w.in()};
  if constexpr (multiplies_narrow<Device, Scalar> && HasBfloat16<Weight>)
    if (auto const m = w.in_bfloat16(); !m.empty()) {
      bool const first = slot.empty();  // a further product is added by the product itself
      Sums sum = first ? Sums(shape) : take_to_add(slot, shape);
      multiply_as_stored<SumOf<Scalar>>(dy.stored(), m, w.layout() == Layout::in_out, sum.data(), first ? 0.F : 1.F);
      return slot.accumulate(std::move(sum));
    }
  Sums gradient(shape);
  w.times(dy.wide().data(), dy.rows(), gradient.data());
  slot.accumulate(std::move(gradient));
}

/// dW += dyᵀ·x, or its transpose where W is stored as `[in, out]`; x `[rows, in]`, dy `[rows, out]`; an empty dW is
/// allocated. It is summed in its own type whatever the activations have.
template <class Scalar, class Device, class Weight>
void add_weight_gradient(Operand<Scalar, Device>& x, Operand<Scalar, Device>& dy, Weight const& w,
                         Tensor<ParameterOf<Scalar>, Device>& dw) {
  if constexpr (multiplies_narrow<Device, Scalar>)
    w.add_gradient(x.stored(), dy.stored(), dw);
  else
    w.add_gradient(x.wide(), dy.wide(), dw);
}

/// db += Σ_rows dy; an empty db is allocated, any other (a part of a longer one, too) added to where it is.
template <class Scalar, class Device>
void add_bias_gradient(Tensor<Scalar, Device> const& dy, Tensor<ParameterOf<Scalar>, Device>& db) {
  using Number = ParameterOf<Scalar>;
  Tensor<Number, Device> sum(Shape{dy.width()});
  kernels::On<Device, kernels::Bias, Scalar>::sum_rows(dy.data(), dy.rows(), dy.width(), sum.data());
  if (db.empty())
    db = std::move(sum);
  else
    kernels::On<Device, kernels::Elementwise, Number>::add(sum.data(), db.data(), db.data(), sum.size());
}

}  // namespace graft::detail

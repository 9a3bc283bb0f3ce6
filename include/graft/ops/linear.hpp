/// @file
/// @brief y = x·Wᵀ + b, with the weight frozen or trainable by type.
#pragma once

#include <concepts>
#include <optional>

#include <graft/autograd/trainable.hpp>
#include <graft/ops/linear_products.hpp>
#include <graft/weights/frozen_matrix.hpp>

namespace graft {

/// A trainable W of a linear map, stored as the checkpoint stores it.
template <class Scalar, class Device = Cpu>
struct TrainableMatrix {
  Variable<Scalar, Device> value;  ///< `[out, in]` or `[in, out]`
  Layout layout = Layout::out_in;

  [[nodiscard]] Index out() const { return value.shape()[layout == Layout::out_in ? 0 : 1]; }
  [[nodiscard]] Index in() const { return value.shape()[layout == Layout::out_in ? 1 : 0]; }
  [[nodiscard]] bool tracked() const { return value.tracked(); }
  /// W's outputs [first, last), sharing storage, as numbers to multiply by; for a W stored as `[out, in]`.
  [[nodiscard]] FrozenMatrix<Scalar, Device> outputs(Index first, Index last) const {
    return FrozenMatrix<Scalar, Device>(value.value(), layout).outputs(first, last);
  }
  void times_transposed(Pointer<Device, Scalar const> x, Index rows, Pointer<Device, Scalar> y) const {
    product(x, rows, in(), y, out(), layout == Layout::out_in);
  }
  void times(Pointer<Device, Scalar const> g, Index rows, Pointer<Device, Scalar> y) const {
    product(g, rows, out(), y, in(), layout == Layout::in_out);
  }
  /// The rows of W with these numbers, each within [0, out); y `[ids, in]`.
  void rows(MirroredArray<Token, Device> const& ids, Pointer<Device, Scalar> y) const {
    FrozenMatrix<Scalar, Device>(value.value(), layout).rows(ids, y);
  }
  /// dW += dyᵀ·x (or its transpose, as stored); x `[rows, in]`, dy `[rows, out]`; an empty dW is allocated. x and dy
  /// have W's type, or one whose sums have it.
  template <class Activation>
  void add_gradient(Tensor<Activation, Device> const& x, Tensor<Activation, Device> const& dy,
                    Tensor<Scalar, Device>& dw) const {
    using kernels::Read;
    Scalar const beta = dw.empty() ? Scalar(0) : Scalar(1);
    if (dw.empty()) dw = Tensor<Scalar, Device>(value.shape());
    auto const& left = layout == Layout::out_in ? dy : x;
    auto const& right = layout == Layout::out_in ? x : dy;
    Index const m = dw.shape()[0], n = dw.shape()[1];
    kernels::Product<Activation, Device, Scalar> const product{
        m, n, x.rows(), left.data(), m, Read::transposed, right.data(), n, Read::plain, beta, dw.data(), n};
    if constexpr (std::same_as<Activation, Scalar>)
      kernels::On<Device, kernels::Matmul, Scalar>::matmul(product);
    else
      kernels::On<Device, kernels::Matmul, Activation>::matmul_to_sums(product);
  }

 private:
  void product(Pointer<Device, Scalar const> x, Index rows, Index k, Pointer<Device, Scalar> y, Index n,
               bool turned) const {
    using kernels::Read;
    kernels::On<Device, kernels::Matmul, Scalar>::matmul({rows, n, k, x, k, Read::plain, value.value().data(),
                                                          turned ? k : n, turned ? Read::transposed : Read::plain,
                                                          Scalar(0), y, n});
  }
};

namespace detail {
template <class Weight>
struct IsTrainableMatrix : std::false_type {};
template <class Scalar, class Device>
struct IsTrainableMatrix<TrainableMatrix<Scalar, Device>> : std::true_type {};
}  // namespace detail

/// y = x·Wᵀ + b. x `[rows, in]`, W a `FrozenMatrix` or `TrainableMatrix` (`[out, in]`), b a `Tensor` (frozen) or
/// `Variable` `[out]`, empty for none; y `[rows, out]`. Reverse: dx = dy·W; dW = dyᵀ·x and db = Σ_rows dy only where
/// their types can be trained. A frozen W keeps nothing of x. Without `computed`, y is zero and its reverse pass as
/// ever: for who has y already and wants gradients alone
/// (`recompute`). Where x is bfloat16, W and b are float32, or W is frozen as it was stored: the product and its sum
/// with b are float32, and rounded once; no operand is rounded for a product. One number is, on a GPU: a frozen b
/// beside a W in bfloat16 is rounded to bfloat16, since the product's own kernel adds it.
template <class Scalar, class Device, class Weight, class Bias = Tensor<ParameterOf<Scalar>, Device>>
[[nodiscard]] Variable<Scalar, Device> linear(Variable<Scalar, Device> const& x, Weight const& w, Bias const& b = {},
                                              bool computed = true) {
  using Number = ParameterOf<Scalar>;
  constexpr bool trains_weight = detail::IsTrainableMatrix<Weight>::value;
  if (x.shape().rank() != 2 || x.width() != w.in())
    fail<ShapeError>("[linear] got input ", x.shape(), "; expected [rows, ", w.in(), "] for a weight of ", w.out(),
                     " x ", w.in());
  auto const& bias = value_of(b);
  if (!bias.empty() && bias.size() != w.out())
    fail<ShapeError>("[linear] got bias ", bias.shape(), "; expected [", w.out(), "]");

  auto y = detail::mapped_or_zero<!is_trainable<Bias>>(x.value(), w, bias, computed);  // x·Wᵀ + b
  if (!needs_gradient(x, w, b)) return y;

  auto kept = tracked(w) ? x.value() : Tensor<Scalar, Device>();
  return record(std::move(y), [dx = x.slot(), kept = std::move(kept), w, b](Tensor<Scalar, Device> const& given) {
    detail::Operand<Scalar, Device> dy(given);
    if (dx) detail::add_input_gradient(dy, w, *dx);  // dx = dy·W
    if constexpr (trains_weight)
      if (!kept.empty()) {
        Tensor<Number, Device> dw;
        detail::Operand<Scalar, Device> input(kept);
        detail::add_weight_gradient(input, dy, w, dw);  // dW = dyᵀ·x
        w.value.slot()->accumulate(std::move(dw));
      }
    if constexpr (is_trainable<Bias>)
      if (b.tracked()) {
        Tensor<Number, Device> db;
        detail::add_bias_gradient(given, db);
        b.slot()->accumulate(std::move(db));
      }
  });
}

/// y = x·Wᵀ + b for small trainable weights given as variables, `[out, in]` (adapters, reparametrizations).
template <class Scalar, class Device>
[[nodiscard]] Variable<Scalar, Device> linear(Variable<Scalar, Device> const& x, Variable<Scalar, Device> const& w,
                                              Variable<Scalar, Device> const& b = {}) {
  return linear(x, TrainableMatrix<Scalar, Device>{w}, b);
}

#ifdef GRAFT_COMPILED
extern template Variable<float> linear(Variable<float> const&, FrozenMatrix<float> const&, Tensor<float> const&, bool);
extern template Variable<double> linear(Variable<double> const&, FrozenMatrix<double> const&, Tensor<double> const&,
                                        bool);
extern template Variable<float> linear(Variable<float> const&, TrainableMatrix<float> const&, Variable<float> const&,
                                       bool);
extern template Variable<double> linear(Variable<double> const&, TrainableMatrix<double> const&,
                                        Variable<double> const&, bool);
#endif

}  // namespace graft

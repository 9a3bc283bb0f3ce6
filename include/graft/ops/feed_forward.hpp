/// @file
/// @brief y = f(x·W₁ᵀ + b₁)·W₂ᵀ + b₂ with frozen weights: the feed-forward sublayer of a transformer (Vaswani et al.
/// 2017), where nothing is trained in it.
#pragma once

#include <utility>

#include <graft/ops/activation.hpp>
#include <graft/ops/linear.hpp>

namespace graft {

namespace detail {

/// du = (dy·W) ∘ f' `[rows, in]`, with f' from what `activate` keeps.
template <class Scalar, class Device, class Weight>
[[nodiscard]] Tensor<Scalar, Device> times_slope(Operand<Scalar, Device>& dy, Weight const& w, Activation f,
                                                 Tensor<Scalar, Device> const& kept) {
  if (auto du = times_slope_at_once(dy.stored(), w, f, kept); !du.empty()) return du;
  GradientSlot<Scalar, Device> gradient;
  add_input_gradient(dy, w, gradient);  // dy·W
  Tensor<Scalar, Device> du = gradient.take();
  kernels::On<Device, kernels::Activation, Scalar>::activate_backward(f, kept.data(), du.data(), du.data(), du.size());
  return du;
}

}  // namespace detail

/// y = f(x·W₁ᵀ + b₁)·W₂ᵀ + b₂. x `[rows, in]`, W₁ `[hidden, in]`, W₂ `[out, hidden]`; b₁ `[hidden]` and b₂ `[out]`,
/// empty for none; y `[rows, out]`. Reverse, with u = x·W₁ᵀ + b₁: du = (dy·W₂) ∘ f'(u), dx = du·W₁. It is
/// `linear(activate(linear(x, W₁, b₁), f), W₂, b₂)`, on the processor to the bit.
///
/// On a GPU two activations are parts of the products: gelu_tanh of the first, its derivative of dy·W₂, and relu of the
/// first. That holds for float32 and bfloat16 where the weights are stored in the same type. f is then given sums that
/// nobody has rounded, and relu of a NaN is 0. Without `computed`, y is zero and its reverse pass as ever.
template <class Scalar, class Device>
[[nodiscard]] Variable<Scalar, Device> feed_forward(Variable<Scalar, Device> const& x,
                                                    FrozenMatrix<ParameterOf<Scalar>, Device> const& w1,
                                                    Tensor<ParameterOf<Scalar>, Device> const& b1, Activation f,
                                                    FrozenMatrix<ParameterOf<Scalar>, Device> const& w2,
                                                    Tensor<ParameterOf<Scalar>, Device> const& b2,
                                                    bool computed = true) {
  if (x.shape().rank() != 2 || x.width() != w1.in() || w1.out() != w2.in())
    fail<ShapeError>("[feed_forward] got input ", x.shape(), " and weights of ", w1.out(), " x ", w1.in(), " and ",
                     w2.out(), " x ", w2.in(), "; expected [rows, in], hidden x in and out x hidden");
  auto const check = [](auto const& bias, Index size) {
    if (!bias.empty() && bias.size() != size)
      fail<ShapeError>("[feed_forward] got bias ", bias.shape(), "; expected [", size, "]");
  };
  check(b1, w1.out());
  check(b2, w2.out());

  if constexpr (detail::has_epilogues<Device, Scalar>) {
    bool const tracked = needs_gradient(x);
    if (auto hidden = detail::activated_at_once(x.value(), w1, b1, f, tracked)) {
      auto y = detail::mapped_or_zero<true>(hidden->value, w2, b2, computed);
      if (!tracked) return y;
      auto reverse = [dx = x.slot(), kept = std::move(hidden->kept), w1, f, w2](Tensor<Scalar, Device> const& given) {
        detail::Operand<Scalar, Device> dy(given);
        detail::Operand<Scalar, Device> du(detail::times_slope(dy, w2, f, kept));  // du = (dy·W₂) ∘ f'(u)
        detail::add_input_gradient(du, w1, *dx);                                   // dx = du·W₁
      };
      return record(std::move(y), std::move(reverse));
    }
  }
  return linear(activate(linear(x, w1, b1), f), w2, b2, computed);
}

}  // namespace graft

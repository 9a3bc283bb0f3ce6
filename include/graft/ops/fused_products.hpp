/// @file
/// @brief Products that go on to a bias and an activation in the same kernel, where the device has one: else nothing is
/// computed, and the caller takes several.
#pragma once

#include <optional>
#include <utility>

#include <graft/core/layout.hpp>
#include <graft/kernels/matmul.hpp>
#include <graft/tensor/rounding.hpp>

namespace graft::detail {

/// Whether products of this type may have an epilogue on the device.
template <class Device, class Scalar>
inline constexpr bool has_epilogues = requires { requires kernels::Matmul<Device, Scalar>::has_epilogues; };

/// A weight as it is stored, where that is the type of the activations; else empty.
template <class Scalar, class Device>
struct StoredWeight {
  Tensor<Scalar, Device> matrix;
  Layout layout = Layout::out_in;
};
template <class Scalar, class Device, class Weight>
[[nodiscard]] StoredWeight<Scalar, Device> as_stored(Weight const& w) {
  if constexpr (requires { w.value.value(); }) {
    if constexpr (!is_narrow<Scalar>) return {w.value.value(), w.layout};
    return {};
  } else if constexpr (is_narrow<Scalar>) {
    return {w.in_bfloat16(), w.layout()};
  } else {
    return {w.in_scalar(), w.layout()};
  }
}

/// y `[rows, n]` = x·M and its epilogue, or x·Mᵀ where `turned`. False: the device has no kernel for that.
template <class Scalar, class Device>
[[nodiscard]] bool multiply_with(Tensor<Scalar, Device> const& x, Tensor<Scalar, Device> const& m, bool turned,
                                 kernels::Epilogue<Scalar, Device> const& epilogue, Tensor<Scalar, Device>& y) {
  using kernels::Read;
  Index const n = y.width(), k = x.width();
  return kernels::On<Device, kernels::Matmul, Scalar>::matmul_with(
      {x.rows(), n, k, x.data(), k, Read::plain, m.data(), m.width(), turned ? Read::transposed : Read::plain,
       SumOf<Scalar>(0), y.data(), n},
      epilogue);
}

/// x·Wᵀ + b `[rows, out]`, each element rounded once; b is rounded to x's type. Empty where it takes several kernels.
template <class Scalar, class Device, class Weight>
[[nodiscard]] Tensor<Scalar, Device> mapped_at_once(Tensor<Scalar, Device> const& x, Weight const& w,
                                                    Tensor<SumOf<Scalar>, Device> const& b) {
  auto const stored = as_stored<Scalar, Device>(w);
  if (stored.matrix.empty()) return {};
  auto const bias = rounded<Scalar, Device>(b);
  Tensor<Scalar, Device> y(Shape{x.rows(), w.out()});
  bool const done = multiply_with(x, stored.matrix, stored.layout == Layout::out_in, {.bias = bias.data()}, y);
  return done ? y : Tensor<Scalar, Device>();
}

/// f(x·Wᵀ + b), and what the reverse pass of f needs.
template <class Scalar, class Device>
struct Activated {
  Tensor<Scalar, Device> value;  ///< `[rows, out]`
  Tensor<Scalar, Device> kept;   ///< value where `keeps_output(f)`, else x·Wᵀ + b; empty unless it was asked for
};

/// The sums go to f before they are rounded; an empty b is 0. Nothing where it takes several kernels.
template <class Scalar, class Device, class Weight>
[[nodiscard]] std::optional<Activated<Scalar, Device>> activated_at_once(Tensor<Scalar, Device> const& x,
                                                                         Weight const& w,
                                                                         Tensor<SumOf<Scalar>, Device> const& b,
                                                                         Activation f, bool keep) {
  if (!kernels::Matmul<Device, Scalar>::fuses(f)) return std::nullopt;
  auto const stored = as_stored<Scalar, Device>(w);
  if (stored.matrix.empty()) return std::nullopt;
  auto const bias = rounded<Scalar, Device>(b);
  Shape const shape{x.rows(), w.out()};
  Activated<Scalar, Device> result{Tensor<Scalar, Device>(shape), {}};
  kernels::Epilogue<Scalar, Device> epilogue{.bias = bias.data(), .activation = f};
  if (keep && !keeps_output(f)) {
    result.kept = Tensor<Scalar, Device>(shape);
    epilogue.input = result.kept.data();
  }
  if (!multiply_with(x, stored.matrix, stored.layout == Layout::out_in, epilogue, result.value)) return std::nullopt;
  if (keep && keeps_output(f)) result.kept = result.value;
  return result;
}

/// (dy·W) ∘ f'(u) `[rows, in]`, rounded once, with u the input of f. Empty where it takes several kernels.
template <class Scalar, class Device, class Weight>
[[nodiscard]] Tensor<Scalar, Device> times_slope_at_once(Tensor<Scalar, Device> const& dy, Weight const& w,
                                                         Activation f, Tensor<Scalar, Device> const& u) {
  if (keeps_output(f)) return {};
  auto const stored = as_stored<Scalar, Device>(w);
  if (stored.matrix.empty()) return {};
  Tensor<Scalar, Device> du(Shape{dy.rows(), w.in()});
  bool const done =
      multiply_with(dy, stored.matrix, stored.layout == Layout::in_out, {.activation = f, .slope_at = u.data()}, du);
  return done ? du : Tensor<Scalar, Device>();
}

}  // namespace graft::detail

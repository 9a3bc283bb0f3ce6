/// @file
/// @brief The same numbers in another format: where parameters in float32 meet activations in bfloat16.
#pragma once

#include <concepts>
#include <utility>

#include <graft/ops/columns.hpp>
#include <graft/tensor/rounding.hpp>

namespace graft {

namespace detail {
/// Whether one of the two is what the other's sums are formed in.
template <class From, class To>
inline constexpr bool casts = std::same_as<To, SumOf<From>> || std::same_as<From, SumOf<To>>;
}  // namespace detail

/// x in the type `To`, rounded to nearest even where that is narrower; dx is dy. The same type: x itself.
template <class To, class From, class Device>
[[nodiscard]] Variable<To, Device> cast(Variable<From, Device> const& x) {
  static_assert(detail::casts<From, To>, "graft: casts lead from bfloat16 to float and back");
  if constexpr (std::same_as<To, From>) {
    return x;
  } else {
    auto const convert = [](auto const& values) {
      if constexpr (is_narrow<To>)
        return rounded<To, Device>(values);
      else
        return widened(values);
    };
    Tensor<To, Device> y = convert(x.value());
    if (!needs_gradient(x)) return y;
    return record(std::move(y), [slot = x.slot()](Tensor<To, Device> const& dy) { slot->accumulate(widened(dy)); });
  }
}

/// `width` columns in the type `To`; the gradient is added to the columns' own, in their type. The same type: the
/// columns themselves.
/// @throws ShapeError where there are not as many columns
template <class To, class From, class Device>
[[nodiscard]] Columns<To, Device> cast(Columns<From, Device> const& columns, Index width) {
  static_assert(std::same_as<To, From> || std::same_as<From, SumOf<To>>,
                "graft: columns are cast from float to bfloat16");
  if constexpr (std::same_as<To, From>) {
    return columns;
  } else {
    using Kernel = kernels::On<Device, kernels::Cast, To>;
    columns.check("cast", "x", width);
    Tensor<To, Device> y(Shape{columns.x.rows(), width});
    Kernel::round_columns(columns.read(), y.rows(), width, y.data());
    if (!needs_gradient(columns)) return {std::move(y), 0};
    auto reverse = [columns](Tensor<To, Device> const& dy) {
      GradientBuffers<From, Device> buffers;
      Kernel::add_to_columns(dy.data(), dy.rows(), dy.width(), buffers.at(columns));
      buffers.finish();
    };
    return {record(std::move(y), std::move(reverse)), 0};
  }
}

}  // namespace graft

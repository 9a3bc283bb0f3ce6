/// @file
/// @brief Precision policies: which number format a model's activations, parameters and sums have.
#pragma once

#include <concepts>

#include <graft/core/dtype.hpp>

namespace graft {

/// Everything in float32.
struct Float32 {
  using activation = float;
  using parameter = float;
  using sum = float;
};
/// Everything in float64, for checks.
struct Double {
  using activation = double;
  using parameter = double;
  using sum = double;
};
/// Activations and their gradients in bfloat16, half the memory. Parameters, their gradients and the optimizer's state
/// stay in float32; products, norms, softmax, the loss and the gradients of one variable are summed in float32, and
/// each result is rounded once.
struct Bfloat16 {
  using activation = bfloat16;
  using parameter = float;
  using sum = float;
};

/// A policy: the types of activations, of parameters (those of the adapter, and the operands of products with frozen
/// weights) and of sums.
template <class P>
concept Precision = requires {
  typename P::activation;
  typename P::parameter;
  typename P::sum;
};

namespace detail {
template <class T>
struct PolicyOf;
template <Precision P>
struct PolicyOf<P> {
  using type = P;
};
template <>
struct PolicyOf<float> {
  using type = Float32;
};
template <>
struct PolicyOf<double> {
  using type = Double;
};
template <>
struct PolicyOf<bfloat16> {
  using type = Bfloat16;
};
}  // namespace detail

/// The policy itself, or the one whose activations have this type: `PrecisionOf<float>` is `Float32`.
template <class T>
using PrecisionOf = typename detail::PolicyOf<T>::type;
template <class T>
using ActivationOf = typename PrecisionOf<T>::activation;
template <class T>
using ParameterOf = typename PrecisionOf<T>::parameter;
template <class T>
using SumOf = typename PrecisionOf<T>::sum;

/// Whether sums of such numbers are formed in a wider type.
template <class T>
inline constexpr bool is_narrow = !std::same_as<T, SumOf<T>>;

}  // namespace graft

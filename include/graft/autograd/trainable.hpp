/// @file
/// @brief Frozen is a type: a weight given as a `Tensor` (or `FrozenMatrix`) is a constant, one given as a `Variable`
/// can be trained. Operations that take either are templates over the weight's type, and the one on a frozen weight has
/// no weight gradient in the program.
#pragma once

#include <type_traits>

#include <graft/autograd/variable.hpp>

namespace graft {

template <class T>
struct IsVariable : std::false_type {};
template <class Scalar, class Device>
struct IsVariable<Variable<Scalar, Device>> : std::true_type {};

/// True for weights whose gradient may be wanted.
template <class Weight>
inline constexpr bool is_trainable = IsVariable<std::remove_cvref_t<Weight>>::value;

template <class Scalar, class Device>
[[nodiscard]] Tensor<Scalar, Device> const& value_of(Tensor<Scalar, Device> const& weight) {
  return weight;
}
template <class Scalar, class Device>
[[nodiscard]] Tensor<Scalar, Device> const& value_of(Variable<Scalar, Device> const& weight) {
  return weight.value();
}

}  // namespace graft

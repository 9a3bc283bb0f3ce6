/// @file
/// @brief Copies of frozen matrices between the host and a GPU.
#pragma once

#include <type_traits>

#include <graft/tensor/device_copy.hpp>
#include <graft/weights/frozen_matrix.hpp>

namespace graft {

/// The same matrix in memory of its own on the device `To`. What is dense or narrow stays so. Storages that the host
/// alone has, such as quantized blocks, are widened to the model's scalar.
/// @tparam Stored bfloat16 rounds a host's matrix to it, whatever it is; void leaves the numbers as they are
template <class To, class Stored = void, class Scalar, class From>
[[nodiscard]] FrozenMatrix<Scalar, To> to_device(FrozenMatrix<Scalar, From> const& matrix) {
  static_assert(std::is_void_v<Stored> || (std::is_same_v<Stored, bfloat16> && std::is_same_v<From, Cpu>),
                "graft: a matrix is rounded to bfloat16 on its way from the host");
  auto const* const storage = matrix.storage().get();
  if (!storage) return {};
  if (auto const* narrow = dynamic_cast<NarrowStorage<bfloat16, Scalar, From> const*>(storage))
    return {to_device<To>(narrow->stored()), matrix.layout()};
  if constexpr (!std::is_void_v<Stored>) return {to_device<To>(cast<Stored>(matrix.dense())), matrix.layout()};
  if (auto const* narrow = dynamic_cast<NarrowStorage<half, Scalar, From> const*>(storage))
    return {to_device<To>(narrow->stored()), matrix.layout()};
  if (auto const* dense = dynamic_cast<DenseStorage<Scalar, From> const*>(storage))
    return {to_device<To>(dense->stored()), matrix.layout()};
  return {to_device<To>(matrix.dense()), matrix.layout()};
}

}  // namespace graft

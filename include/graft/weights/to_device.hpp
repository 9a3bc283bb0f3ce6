/// @file
/// @brief Copies of frozen matrices between the host and a GPU.
#pragma once

#include <graft/tensor/device_copy.hpp>
#include <graft/weights/frozen_matrix.hpp>

namespace graft {

/// The same matrix in memory of its own on the device `To`. What is dense or narrow stays so. Storages that the host
/// alone has, such as quantized blocks, are widened to the model's scalar.
template <class To, class Scalar, class From>
[[nodiscard]] FrozenMatrix<Scalar, To> to_device(FrozenMatrix<Scalar, From> const& matrix) {
  auto const* const storage = matrix.storage().get();
  if (!storage) return {};
  if (auto const* narrow = dynamic_cast<NarrowStorage<bfloat16, Scalar, From> const*>(storage))
    return {to_device<To>(narrow->stored()), matrix.layout()};
  if (auto const* narrow = dynamic_cast<NarrowStorage<half, Scalar, From> const*>(storage))
    return {to_device<To>(narrow->stored()), matrix.layout()};
  if (auto const* dense = dynamic_cast<DenseStorage<Scalar, From> const*>(storage))
    return {to_device<To>(dense->stored()), matrix.layout()};
  return {to_device<To>(matrix.dense()), matrix.layout()};
}

}  // namespace graft

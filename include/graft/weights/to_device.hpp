/// @file
/// @brief Copies of frozen matrices between the host and a GPU.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <type_traits>

#include <graft/tensor/device_copy.hpp>
#include <graft/weights/blocks.hpp>
#include <graft/weights/frozen_matrix.hpp>
#include <graft/weights/packed.hpp>

namespace graft {

namespace detail {
/// The bytes of a matrix's rows, in their order.
template <class Device>
[[nodiscard]] Tensor<std::byte, Device> stored_rows(kernels::BlockMatrixOn<Device> const& w) {
  Shape const shape{w.rows, w.row_bytes()};
  if constexpr (std::is_same_v<Device, Cpu>) {
    Tensor<std::byte> rows(shape);
    for (Index i = 0; i < w.rows; ++i) std::copy_n(w.row(i), w.row_bytes(), rows.row(i));
    return rows;
  } else {  // where rows are in order
    auto* const first = const_cast<std::byte*>(kernels::raw(w.row(0)));
    return Tensor<std::byte, Device>::alias(shape, Pointer<Device, std::byte>(first), nullptr);
  }
}
template <class To, class Scalar, class From>
[[nodiscard]] FrozenMatrix<Scalar, To> blocks_on(BlockStorage<Scalar, From> const& from) {
  auto const& w = from.blocks();
  auto const there = std::make_shared<Tensor<std::byte, To> const>(to_device<To>(stored_rows(w)));
  kernels::BlockMatrixOn<To> const moved{w.format, there->data(), w.rows, w.columns};
  return FrozenMatrix<Scalar, To>(std::make_shared<BlockStorage<Scalar, To> const>(moved, there, from.layout()));
}
/// Whether the device has products with blocks: a program may list fewer kernels than there are.
template <class Device, class Scalar>
inline constexpr bool has_blocks =
    std::is_same_v<Device, Cpu> || kernels::cuda::is_listed<kernels::Blocks<Device, Scalar>>;
}  // namespace detail

/// The same matrix in memory of its own on the device `To`. What is dense, narrow or quantized stays so.
/// @tparam Stored bfloat16 rounds a host's matrix to it, whatever it is; void leaves the numbers as they are
template <class To, class Stored = void, class Scalar, class From>
[[nodiscard]] FrozenMatrix<Scalar, To> to_device(FrozenMatrix<Scalar, From> const& matrix) {
  static_assert(std::is_void_v<Stored> || (std::is_same_v<Stored, bfloat16> && std::is_same_v<From, Cpu>),
                "graft: a matrix is rounded to bfloat16 on its way from the host");
  auto const* const storage = matrix.storage().get();
  if (!storage) return {};
  if constexpr (std::is_same_v<From, Cpu>) {  // what is packed is copied as it was stored
    if (auto stored = storage->as_stored()) return to_device<To, Stored>(FrozenMatrix<Scalar>(std::move(stored)));
  }
  if (auto const* narrow = dynamic_cast<NarrowStorage<bfloat16, Scalar, From> const*>(storage))
    return {to_device<To>(narrow->stored()), matrix.layout()};
  if constexpr (!std::is_void_v<Stored>) {
    return {to_device<To>(cast<Stored>(matrix.dense())), matrix.layout()};
  } else {
    if (auto const* narrow = dynamic_cast<NarrowStorage<half, Scalar, From> const*>(storage))
      return {to_device<To>(narrow->stored()), matrix.layout()};
    if (auto const* dense = dynamic_cast<DenseStorage<Scalar, From> const*>(storage))
      return {to_device<To>(dense->stored()), matrix.layout()};
    if constexpr (detail::has_blocks<To, Scalar> && detail::has_blocks<From, Scalar>)
      if (auto const* blocks = dynamic_cast<BlockStorage<Scalar, From> const*>(storage))
        return detail::blocks_on<To>(*blocks);
    return {to_device<To>(matrix.dense()), matrix.layout()};
  }
}

}  // namespace graft

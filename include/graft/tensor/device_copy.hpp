/// @file
/// @brief Copies of tensors between the host and a GPU.
#pragma once

#include <algorithm>
#include <type_traits>

#include <graft/tensor/cuda_memory.hpp>
#include <graft/tensor/tensor.hpp>

namespace graft {

/// Waits for everything that was asked of the device, and throws what went wrong in it. On the host nothing is ever
/// under way.
template <class Device>
void synchronize(Device) {
  if constexpr (!std::is_same_v<Device, Cpu>) kernels::cuda::Listed<kernels::cuda::Runtime, Device>::synchronize();
}

/// A host tensor in page-locked memory, uninitialised: `copy_async` to and from it overlaps with the host's work. Slow
/// to make; keep it.
template <class Scalar, class Device = Cuda>
[[nodiscard]] Tensor<Scalar> pinned(Shape const& shape) {
  using Runtime = kernels::cuda::Listed<kernels::cuda::Runtime, Device>;
  std::shared_ptr<void> const owner(Runtime::allocate_pinned(static_cast<std::size_t>(shape.size()) * sizeof(Scalar)),
                                    [](void* block) { Runtime::release_pinned(block); });
  return Tensor<Scalar>::alias(shape, static_cast<Scalar*>(owner.get()), owner);
}

/// Starts copying all elements, in the order of the device's other work. A host tensor must stay as it is, and alive,
/// until `synchronize`; the call returns at once where it is `pinned`.
/// @throws ShapeError unless both have as many elements
template <class Scalar, class From, class To>
void copy_async(Tensor<Scalar, From> const& from, Tensor<Scalar, To>& to) {
  if (from.size() != to.size())
    fail<ShapeError>("[copy] got shapes ", from.shape(), " and ", to.shape(), "; expected as many elements");
  if constexpr (std::is_same_v<From, Cpu> && std::is_same_v<To, Cpu>) {
    std::copy_n(from.data(), from.size(), to.data());
  } else {
    using kernels::cuda::Direction;
    constexpr auto direction = std::is_same_v<From, Cpu> ? Direction::to_device
                               : std::is_same_v<To, Cpu> ? Direction::to_host
                                                         : Direction::within_device;
    using Device = std::conditional_t<std::is_same_v<From, Cpu>, To, From>;
    kernels::cuda::Listed<kernels::cuda::Runtime, Device>::copy(kernels::raw(to.data()), kernels::raw(from.data()),
                                                                static_cast<std::size_t>(from.size()) * sizeof(Scalar),
                                                                direction);
  }
}

/// The same numbers in storage of their own on the device `To`; when it returns, the host's side may be used and
/// changed.
template <class To, class Scalar, class From>
[[nodiscard]] Tensor<Scalar, To> to_device(Tensor<Scalar, From> const& tensor) {
  Tensor<Scalar, To> result(tensor.shape());
  copy_async(tensor, result);
  if constexpr (!std::is_same_v<From, To>) synchronize(Cuda{});
  return result;
}

/// A host tensor's numbers on the device: itself on the host, else a copy, which is complete when the call returns.
template <class Device, class Scalar>
[[nodiscard]] Tensor<Scalar, Device> uploaded(Tensor<Scalar> const& tensor) {
  if constexpr (std::is_same_v<Device, Cpu>)
    return tensor;
  else
    return to_device<Device>(tensor);
}

/// A host tensor's numbers on the device: itself on the host, else a copy in the order of the device's other work.
/// Nothing waits, and the host's memory may change or go at once: for what is small and made anew in every step.
template <class Device, class Scalar>
[[nodiscard]] Tensor<Scalar, Device> staged(Tensor<Scalar> const& tensor) {
  if constexpr (std::is_same_v<Device, Cpu>) {
    return tensor;
  } else {
    Tensor<Scalar, Device> result(tensor.shape());
    kernels::cuda::Listed<kernels::cuda::Runtime, Device>::upload(
        kernels::raw(result.data()), tensor.data(), static_cast<std::size_t>(tensor.size()) * sizeof(Scalar));
    return result;
  }
}

/// The numbers where the host can read them: the tensor itself on the host, else a copy, for which the call waits.
template <class Scalar, class Device>
[[nodiscard]] Tensor<Scalar> downloaded(Tensor<Scalar, Device> const& tensor) {
  if constexpr (std::is_same_v<Device, Cpu>)
    return tensor;
  else
    return to_device<Cpu>(tensor);
}

/// A copy of the numbers in storage of its own on the same device.
template <class Scalar, class Device>
requires(!std::is_same_v<Device, Cpu>)
[[nodiscard]] Tensor<Scalar, Device> clone(Tensor<Scalar, Device> const& tensor) {
  return to_device<Device>(tensor);
}

}  // namespace graft

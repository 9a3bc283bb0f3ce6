/// @file
/// @brief Addresses in a device's memory: on the host plain pointers, on any other device a type that the host cannot
/// read through.
#pragma once

#include <cstddef>
#include <type_traits>

#include <graft/core/device.hpp>
#include <graft/core/dtype.hpp>
#include <graft/core/types.hpp>

namespace graft {

/// The address of a `T` in a device's memory. It can be moved and compared, but has neither `*` nor `[]`: a loop of the
/// host over device memory does not compile. Kernels take it; `raw()` gives the address to code that runs on the
/// device, or to a function of its library.
template <class T>
class DevicePointer {
 public:
  constexpr DevicePointer() = default;
  GRAFT_HOST_DEVICE constexpr DevicePointer(std::nullptr_t) {}  // NOLINT: a null pointer is one on every device
  GRAFT_HOST_DEVICE constexpr explicit DevicePointer(T* raw) : raw_(raw) {}
  /// For reading alone.
  template <class Other>
  requires(std::is_same_v<T, Other const>) GRAFT_HOST_DEVICE constexpr DevicePointer(DevicePointer<Other> other)
      : raw_(other.raw()) {}  // NOLINT: as with plain pointers

  [[nodiscard]] GRAFT_HOST_DEVICE constexpr T* raw() const { return raw_; }
  [[nodiscard]] GRAFT_HOST_DEVICE constexpr explicit operator bool() const { return raw_ != nullptr; }
  friend GRAFT_HOST_DEVICE constexpr DevicePointer operator+(DevicePointer p, Index elements) {
    return DevicePointer(p.raw_ + elements);
  }
  friend constexpr bool operator==(DevicePointer, DevicePointer) = default;

 private:
  T* raw_ = nullptr;
};

namespace detail {
template <class Device, class T>
struct PointerOn {
  using type = DevicePointer<T>;
};
template <class T>
struct PointerOn<Cpu, T> {
  using type = T*;
};
}  // namespace detail

/// What points into a device's memory: `T*` on the host, else a `DevicePointer<T>`.
template <class Device, class T>
using Pointer = typename detail::PointerOn<Device, T>::type;

namespace kernels {

/// The plain address that a pointer of any device holds: for the code of kernels, which runs where the memory is.
template <class T>
[[nodiscard]] GRAFT_HOST_DEVICE constexpr T* raw(T* pointer) {
  return pointer;
}
template <class T>
[[nodiscard]] GRAFT_HOST_DEVICE constexpr T* raw(DevicePointer<T> pointer) {
  return pointer.raw();
}

}  // namespace kernels

}  // namespace graft

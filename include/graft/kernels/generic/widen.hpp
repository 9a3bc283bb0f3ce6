/// @file
/// @brief Conversion loops on every device.
#pragma once

#include <type_traits>

#include <graft/kernels/loops.hpp>
#include <graft/kernels/widen.hpp>

namespace graft::kernels {

namespace generic {
template <class From, class To>
struct Convert {
  From const* x;
  To* y;
  GRAFT_HOST_DEVICE void operator()(Index i) const {
    if constexpr (std::is_arithmetic_v<From>)
      y[i] = static_cast<To>(x[i]);
    else
      y[i] = static_cast<To>(static_cast<float>(x[i]));
  }
};
}  // namespace generic

template <class Device, class To>
void Widen<Device, To>::widen(Pointer<Device, float const> x, Pointer<Device, To> y, Index size) {
  Loops<Device>::each("widen float", size, generic::Convert<float, To>{raw(x), raw(y)});
}
template <class Device, class To>
void Widen<Device, To>::widen(Pointer<Device, double const> x, Pointer<Device, To> y, Index size) {
  Loops<Device>::each("widen double", size, generic::Convert<double, To>{raw(x), raw(y)});
}
template <class Device, class To>
void Widen<Device, To>::widen(Pointer<Device, bfloat16 const> x, Pointer<Device, To> y, Index size) {
  Loops<Device>::each("widen bfloat16", size, generic::Convert<bfloat16, To>{raw(x), raw(y)});
}
template <class Device, class To>
void Widen<Device, To>::widen(Pointer<Device, half const> x, Pointer<Device, To> y, Index size) {
  Loops<Device>::each("widen half", size, generic::Convert<half, To>{raw(x), raw(y)});
}

extern template struct Widen<Cuda, float>;  // of the source that graft_add_cuda generates
extern template struct Widen<Cuda, double>;

}  // namespace graft::kernels

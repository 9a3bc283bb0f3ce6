/// @file
/// @brief Conversion loops on a GPU.
#pragma once

#include <type_traits>

#include <graft/kernels/cuda/launch.cuh>
#include <graft/kernels/widen.hpp>

namespace graft::kernels::cuda {

template <class From, class To>
struct Convert {
  From const* x;
  To* y;
  __device__ void operator()(Index i) const {
    if constexpr (std::is_arithmetic_v<From>)
      y[i] = static_cast<To>(x[i]);
    else
      y[i] = static_cast<To>(static_cast<float>(x[i]));
  }
};

template <class To>
void Widen<To>::widen(DevicePointer<float const> x, DevicePointer<To> y, Index size) {
  each("widen float", size, Convert<float, To>{x.raw(), y.raw()});
}
template <class To>
void Widen<To>::widen(DevicePointer<double const> x, DevicePointer<To> y, Index size) {
  each("widen double", size, Convert<double, To>{x.raw(), y.raw()});
}
template <class To>
void Widen<To>::widen(DevicePointer<bfloat16 const> x, DevicePointer<To> y, Index size) {
  each("widen bfloat16", size, Convert<bfloat16, To>{x.raw(), y.raw()});
}
template <class To>
void Widen<To>::widen(DevicePointer<half const> x, DevicePointer<To> y, Index size) {
  each("widen half", size, Convert<half, To>{x.raw(), y.raw()});
}

}  // namespace graft::kernels::cuda

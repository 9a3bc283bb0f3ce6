/// @file
/// @brief The one way to a kernel: `On<Device, Kernel, Scalar>::function(…)`. A kernel is a struct of static functions over raw pointers.
#pragma once

#include <type_traits>

#include <graft/core/device.hpp>
#include <graft/core/types.hpp>
#include <graft/kernels/cuda_listed.hpp>

namespace graft::kernels {

/// False for every device: what a kernel's primary template asserts where only some devices have a specialization.
template <class Device>
inline constexpr bool implemented = false;

/// `Kernel<Device, Scalar>`, where the program has it: any kernel on the host, a listed one on a GPU.
template <class Device, template <class, class> class Kernel, class Scalar>
struct On : Kernel<Device, Scalar> {
  static_assert(std::is_same_v<Device, Cpu> || cuda::is_listed<Kernel<Device, Scalar>>,
                "this CUDA kernel is not compiled for this scalar in this target; name both in CMake: graft_add_cuda(target KERNELS ... "
                "SCALARS ...)");
};

}  // namespace graft::kernels

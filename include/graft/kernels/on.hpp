/// @file
/// @brief The one way to a kernel: `On<Device, Kernel, Scalar>::function(…)`. A kernel is a struct of static functions over pointers of its
/// device.
#pragma once

#include <type_traits>

#include <graft/core/device_pointer.hpp>
#include <graft/core/types.hpp>
#include <graft/kernels/cuda_listed.hpp>

namespace graft::kernels {

/// What a kernel derives from that has code for the host alone. It is declared for every device, and asserts `implemented<Device>` with its
/// name: what calls it can be checked before the device has it.
struct HostOnly {};
template <class Device>
inline constexpr bool implemented = std::is_same_v<Device, Cpu>;

/// `Kernel<Device, Scalar>`, where the program has it: any kernel on the host, a listed one on a GPU.
template <class Device, template <class, class> class Kernel, class Scalar>
struct On : Kernel<Device, Scalar> {
  static_assert(std::is_same_v<Device, Cpu> || cuda::is_listed<Kernel<Device, Scalar>> ||
                    std::is_base_of_v<HostOnly, Kernel<Device, Scalar>>,
                "this CUDA kernel is not compiled for this scalar in this target; name both in CMake: graft_add_cuda(target KERNELS ... "
                "SCALARS ...)");
};

}  // namespace graft::kernels

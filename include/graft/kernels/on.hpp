/// @file
/// @brief The one way to a kernel: `On<Device, Kernel, Scalar>::function(…)`. A kernel is a struct of static functions
/// over pointers of its device.
#pragma once

#include <type_traits>

#include <graft/core/device_pointer.hpp>
#include <graft/core/dtype.hpp>
#include <graft/core/types.hpp>
#include <graft/kernels/cuda_listed.hpp>

namespace graft::kernels {

/// What a kernel derives from that has code for the host alone. It is declared for every device, and asserts
/// `implemented<Device>` with its name: what calls it can be checked before the device has it.
struct HostOnly {};
template <class Device>
inline constexpr bool implemented = std::is_same_v<Device, Cpu>;

/// Whether a kernel has code for such numbers. Kernels are written for numbers that are computed with; one for numbers
/// that are only stored says so with `static constexpr bool narrow = true`.
template <class Kernel, class Scalar>
inline constexpr bool computes =
    !(std::is_same_v<Scalar, bfloat16> || std::is_same_v<Scalar, half>) || requires { requires Kernel::narrow; };

namespace detail {
/// What a kernel that the device does not have is refused for, in words of its own.
template <class Device, class Kernel>
inline constexpr bool missing = !std::is_same_v<Device, Cpu> && std::is_base_of_v<HostOnly, Kernel>;
}  // namespace detail

/// `Kernel<Device, Scalar>`, where the program has it: any kernel on the host, a listed one on a GPU.
template <class Device, template <class, class> class Kernel, class Scalar>
struct On : Kernel<Device, Scalar> {
  static_assert(detail::missing<Device, Kernel<Device, Scalar>> || computes<Kernel<Device, Scalar>, Scalar>,
                "this kernel does not exist for bfloat16 or half; compute in float: cast<float>(x)");
  static_assert(detail::missing<Device, Kernel<Device, Scalar>> || !computes<Kernel<Device, Scalar>, Scalar> ||
                    std::is_same_v<Device, Cpu> || cuda::is_listed<Kernel<Device, Scalar>>,
                "this CUDA kernel is not compiled for this scalar in this target; name both in CMake: "
                "graft_add_cuda(target KERNELS ... "
                "SCALARS ...)");
};

}  // namespace graft::kernels

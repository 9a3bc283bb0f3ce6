/// @file
/// @brief Which kernels a program has compiled for the GPU, so that a missing one stops the compiler, not the linker.
#pragma once

#include <graft/core/device.hpp>
#include <graft/core/dtype.hpp>
#include <graft/core/types.hpp>

namespace graft::kernels::cuda {

/// Whether `graft_add_cuda(target KERNELS … SCALARS …)` instantiates `Kernel<Scalar>`. The header it generates, which the compiler reads
/// before every source of the target, specializes it. `Kernel` is a struct of static
/// functions, declared for the host and defined in a .cuh.
template <template <class> class Kernel, class Scalar>
inline constexpr bool is_listed = false;

/// `Kernel<Scalar>`, where it is listed: `Listed<Elementwise, Scalar>::fill(…)`.
template <template <class> class Kernel, class Scalar>
struct Listed : Kernel<Scalar> {
  static_assert(is_listed<Kernel, Scalar>,
                "this CUDA kernel is not compiled for this scalar in this target; name both in CMake: graft_add_cuda(target KERNELS ... "
                "SCALARS ...)");
};

}  // namespace graft::kernels::cuda

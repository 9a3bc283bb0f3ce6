/// @file
/// @brief Which kernels a program has compiled for the GPU, so that a missing one stops the compiler, not the linker.
#pragma once

#include <graft/core/device.hpp>
#include <graft/core/dtype.hpp>
#include <graft/core/types.hpp>

namespace graft::kernels::cuda {

/// Whether `graft_add_cuda(target KERNELS … SCALARS …)` instantiates `Kernel`, a struct of static functions such as
/// `Elementwise<Cuda, float>`. The header it generates, which the compiler reads before every source of the target,
/// specializes it.
template <class Kernel>
inline constexpr bool is_listed = false;

/// `Kernel<Argument>`, where it is listed: `Listed<Runtime, Cuda>::allocate(…)`. Kernels over a device and a scalar
/// have `kernels::On`.
template <template <class> class Kernel, class Argument>
struct Listed : Kernel<Argument> {
  static_assert(is_listed<Kernel<Argument>>,
                "this CUDA kernel is not compiled for this scalar in this target; name both in CMake: "
                "graft_add_cuda(target KERNELS ... "
                "SCALARS ...)");
};

}  // namespace graft::kernels::cuda

/// @file
/// @brief Tensors on a GPU: `Tensor<Scalar, Cuda>` takes its storage from the device's pool.
#pragma once

#include <memory>
#include <string>

#include <graft/kernels/cuda_runtime.hpp>
#include <graft/tensor/memory.hpp>

namespace graft {

/// Blocks go back to a pool in the order of the device's work: storage that a tensor lets go of while kernels still use it is handed out
/// again to later work only. Nothing waits, and a step in its steady state asks the system for nothing.
template <>
struct Memory<Cuda> {
  [[nodiscard]] static std::shared_ptr<void> allocate(std::size_t bytes) {
    using Runtime = kernels::cuda::Runtime<Cuda>;
    return {Runtime::allocate(bytes), [](void* block) { Runtime::release(block); }};
  }
};

/// Why this machine cannot run CUDA tensors ("no CUDA device (…)"); empty where it can.
[[nodiscard]] inline std::string cuda_unavailable() { return kernels::cuda::Runtime<Cuda>::why_unavailable(); }

}  // namespace graft

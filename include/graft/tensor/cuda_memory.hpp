/// @file
/// @brief Tensors on a GPU: `Tensor<Scalar, Cuda>` takes its storage from the device's pool.
#pragma once

#include <memory>
#include <string>

#include <graft/kernels/cuda_runtime.hpp>
#include <graft/tensor/memory.hpp>

namespace graft {

/// Blocks go back to a pool in the order of the device's work: storage that a tensor lets go of while kernels still use
/// it is handed out again to later work only. Nothing waits, and a step in its steady state asks the system for
/// nothing.
template <>
struct Memory<Cuda> {
  template <class Device = Cuda>  // a template, so that only a target without graft_add_cuda fails
  [[nodiscard]] static std::shared_ptr<void> allocate(std::size_t bytes) {
    using Runtime = kernels::cuda::Listed<kernels::cuda::Runtime, Device>;
    return {Runtime::allocate(bytes), [](void* block) { Runtime::release(block); }};
  }
};

/// Why this machine cannot run CUDA tensors ("no CUDA device (…)"); empty where it can.
template <class Device = Cuda>
[[nodiscard]] std::string cuda_unavailable() {
  return kernels::cuda::Listed<kernels::cuda::Runtime, Device>::why_unavailable();
}

}  // namespace graft

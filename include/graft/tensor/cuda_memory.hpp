/// @file
/// @brief Tensors on a GPU: `Tensor<Scalar, Cuda>` takes its storage from the device's pool.
#pragma once

#include <memory>
#include <string>

#include <graft/kernels/cuda_runtime.hpp>
#include <graft/tensor/memory.hpp>

namespace graft {

/// Blocks go back to a pool in the order of the device's work: storage that a tensor lets go of while kernels still use
/// it is handed out again to later work only. Nothing waits, and a step in its steady state asks the system for no
/// blocks but large ones.
template <>
struct Memory<Cuda> {
  template <class Device = Cuda>  // a template, so that only a target without graft_add_cuda fails
  [[nodiscard]] static std::shared_ptr<void> allocate(std::size_t bytes) {
    using Runtime = kernels::cuda::Listed<kernels::cuda::Runtime, Device>;
    return {Runtime::allocate(bytes), [](void* block) { Runtime::release(block); }};
  }
};

/// Memory of the GPU that tensors hold, and the most that they have held at a time.
template <class Device = Cuda>
[[nodiscard]] kernels::cuda::MemoryUse cuda_memory_use() {
  return kernels::cuda::Listed<kernels::cuda::Runtime, Device>::memory_use();
}
/// Lets that most begin anew, with what tensors hold now.
template <class Device = Cuda>
void reset_cuda_peak() {
  kernels::cuda::Listed<kernels::cuda::Runtime, Device>::reset_peak();
}

/// Why this machine cannot run CUDA tensors ("no CUDA device (…)"); empty where it can.
template <class Device = Cuda>
[[nodiscard]] std::string cuda_unavailable() {
  return kernels::cuda::Listed<kernels::cuda::Runtime, Device>::why_unavailable();
}

}  // namespace graft

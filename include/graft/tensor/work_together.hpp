/// @file
/// @brief Work of a GPU that is started in runs.
#pragma once

#include <type_traits>

#include <graft/kernels/cuda_runtime.hpp>

namespace graft {

/// While one lives, a GPU's kernels and products are collected and started in runs of up to 64. A run that occurs for
/// the second time, with the same sizes and the same memory, becomes a CUDA graph: from then on the host starts all of
/// it by one call. What waits for the device, or copies, starts what has been collected first, so results are the same
/// to the bit. For a step of training, or of decoding. They may be nested. On the host there is nothing to do.
template <class Device>
class WorkTogether {
  static constexpr bool on_host = std::is_same_v<Device, Cpu>;

 public:
  WorkTogether() {
    if constexpr (!on_host) kernels::cuda::Listed<kernels::cuda::Runtime, Device>::begin_together();
  }
  ~WorkTogether() {
    if constexpr (!on_host) kernels::cuda::Listed<kernels::cuda::Runtime, Device>::end_together();
  }
  WorkTogether(WorkTogether const&) = delete;
  WorkTogether& operator=(WorkTogether const&) = delete;
};

/// How much was started by graphs since the program began.
template <class Device = Cuda>
[[nodiscard]] kernels::cuda::GraphUse cuda_graph_use() {
  return kernels::cuda::Listed<kernels::cuda::Runtime, Device>::graph_use();
}

}  // namespace graft

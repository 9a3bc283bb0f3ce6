/// @file
/// @brief Device tags: a template parameter of kernels, tensors and models.
#pragma once

namespace graft {

/// The host's processor and memory.
struct Cpu {
  static constexpr char const* name = "cpu";
};

/// One NVIDIA GPU; `graft::cuda` supplies its storage and kernels.
struct Cuda {
  static constexpr char const* name = "cuda";
};

}  // namespace graft

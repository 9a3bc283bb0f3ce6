// Thrust's CUDA policy on the host.
#pragma once

#include "../cuda_runtime.h"

namespace thrust::cuda {

template <class Allocator>
struct Policy {
  Allocator* allocator;
  [[nodiscard]] Policy on(cudaStream_t) const { return *this; }
};

inline constexpr struct {
  template <class Allocator>
  Policy<Allocator> operator()(Allocator& allocator) const {
    return {&allocator};
  }
} par;

}  // namespace thrust::cuda

/// @file
/// @brief Kernels over all elements, and over rows and columns. Every loop strides over the grid in 64-bit indices.
#pragma once

#include <graft/kernels/cuda/runtime.cuh>

namespace graft::kernels::cuda {

inline constexpr Index block_threads = 256;

/// Blocks for `work` parts of `per_block`: at least 1; no more than 65536, beyond which a thread takes several.
constexpr unsigned blocks_for(Index work, Index per_block) {
  Index const blocks = (work + per_block - 1) / per_block;
  return static_cast<unsigned>(blocks < 1 ? 1 : blocks > 65536 ? 65536 : blocks);
}

/// A kernel's arguments, as plain bytes.
template <class... T>
struct Arguments {
  template <class F, class... Before>
  void call(F const& f, Before const&... before) const {
    f(before...);
  }
};
template <class First, class... Rest>
struct Arguments<First, Rest...> {
  First first;
  Arguments<Rest...> rest;
  template <class F, class... Before>
  void call(F const& f, Before const&... before) const {
    rest.call(f, before..., first);
  }
};
inline Arguments<> arguments_of() { return {}; }
template <class First, class... Rest, class A, class... More>
Arguments<First, Rest...> arguments_of(A const& first, More const&... rest) {
  if constexpr (sizeof...(Rest) == 0)
    return {first, {}};
  else
    return {first, arguments_of<Rest...>(rest...)};
}

/// The launch of a kernel.
template <class... Parameters>
struct Launch {
  char const* name;
  void (*kernel)(Parameters...);
  dim3 threads;
  unsigned blocks;
  Arguments<Parameters...> arguments;

  void operator()(cudaStream_t stream) const {
    cudaLaunchConfig_t configuration{};
    configuration.gridDim = dim3(blocks);
    configuration.blockDim = threads;
    configuration.stream = stream;
    arguments.call([&](auto const&... values) {
      check(cudaLaunchKernelEx(&configuration, kernel, values...), name, " for ", blocks, " blocks of ", threads.x,
            " x ", threads.y, " threads");
    });
  }
};

/// Starts `kernel(arguments…)`, or has it collected (`graft::WorkTogether`); `name`, a literal, is for the message of a
/// failure.
template <class... Parameters, class... Values>
void launch(char const* name, void (*kernel)(Parameters...), unsigned blocks, dim3 threads, Values const&... values) {
  Queue<Cuda>::current().ask(
      Launch<Parameters...>{name, kernel, threads, blocks, arguments_of<Parameters...>(values...)});
}

/// Where this thread starts, and how many threads there are, for loops over all elements.
__device__ inline Index first_index() { return static_cast<Index>(blockIdx.x) * blockDim.x + threadIdx.x; }
__device__ inline Index index_step() { return static_cast<Index>(gridDim.x) * blockDim.x; }

template <class F>
__global__ void each_kernel(Index size, F f) {
  for (Index i = first_index(); i < size; i += index_step()) f(i);
}
/// `f(i)` for i in [0, size); `f` is a struct that holds pointers and numbers.
template <class F>
void each(char const* name, Index size, F const& f) {
  if (size > 0) launch(name, &each_kernel<F>, blocks_for(size, block_threads), dim3(block_threads), size, f);
}

template <class F>
__global__ void each_in_rows_kernel(Index rows, Index width, F f) {
  for (Index i = blockIdx.x; i < rows; i += gridDim.x)
    for (Index j = threadIdx.x; j < width; j += blockDim.x) f(i, j);
}
/// `f(i, j)` for i in [0, rows), j in [0, width); a block takes a row at a time.
template <class F>
void each_in_rows(char const* name, Index rows, Index width, F const& f) {
  if (rows > 0 && width > 0)
    launch(name, &each_in_rows_kernel<F>, blocks_for(rows, 1), dim3(block_threads), rows, width, f);
}

}  // namespace graft::kernels::cuda

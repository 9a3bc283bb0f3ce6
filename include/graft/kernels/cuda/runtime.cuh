/// @file
/// @brief The GPU's memory and copies, and errors.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>
#include <limits>

#include <graft/core/error.hpp>
#include <graft/kernels/cuda_runtime.hpp>

namespace graft::kernels::cuda {

/// Throws what a CUDA call (`call`, with `details` of its operands) reported, unless it succeeded.
template <class... Details>
void check(cudaError_t status, char const* call, Details const&... details) {
  if (status == cudaSuccess) return;
  (void)cudaGetLastError();  // reported here: the next call starts clean, unless the device itself is lost
  fail("[cuda] ", call, " failed on ", Runtime<Cuda>::describe(), "; got ", cudaGetErrorName(status), " (", cudaGetErrorString(status), ")",
       details..., "; expected cudaSuccess; hint: CUDA_LAUNCH_BLOCKING=1 reports failures at the kernel that caused them");
}

/// The stream of everything: the legacy one by name, so that nvcc's --default-stream does not change it.
/// @throws Error where the program has made another device the calling thread's, in whose stream nothing of graft's may run
inline cudaStream_t stream() {
  int device = 0;
  if (cudaGetDevice(&device) == cudaSuccess && device != 0)
    fail("[cuda] this thread's current device is ", device,
         "; expected 0, the first visible one; hint: CUDA_VISIBLE_DEVICES chooses graft's device, ",
         "cudaSetDevice(0) comes before graft's calls");
  return cudaStreamLegacy;
}

namespace detail {

inline cudaMemPool_t make_pool() {
  std::string const why = Runtime<Cuda>::why_unavailable();
  if (!why.empty())
    fail("[cuda] no device can be used; got: ", why, "; expected an NVIDIA GPU and its driver; hint: nvidia-smi lists them");
  cudaMemPoolProps properties{};
  properties.allocType = cudaMemAllocationTypePinned;
  properties.handleTypes = cudaMemHandleTypeNone;
  properties.location.type = cudaMemLocationTypeDevice;
  properties.location.id = 0;
  cudaMemPool_t pool{};
  check(cudaMemPoolCreate(&pool, &properties), "cudaMemPoolCreate");
  std::uint64_t keep = std::numeric_limits<std::uint64_t>::max();  // by default, a synchronization gives unused memory back to the system
  check(cudaMemPoolSetAttribute(pool, cudaMemPoolAttrReleaseThreshold, &keep), "cudaMemPoolSetAttribute");
  return pool;
}

}  // namespace detail

template <class Device>
void* Runtime<Device>::allocate(std::size_t bytes) {
  static cudaMemPool_t const pool = detail::make_pool();  // never destroyed: tensors in static storage may outlive any order of destruction
  void* block = nullptr;
  cudaError_t const status = cudaMallocFromPoolAsync(&block, bytes == 0 ? 1 : bytes, pool, stream());
  if (status == cudaErrorMemoryAllocation) {
    (void)cudaGetLastError();
    std::size_t available = 0, total = 0;
    (void)cudaMemGetInfo(&available, &total);
    fail("[cuda] out of memory on ", describe(), "; got a request for ", bytes, " bytes with ", available, " of ", total,
         " free; expected it to fit; hint: a smaller batch");
  }
  check(status, "cudaMallocFromPoolAsync", " for ", bytes, " bytes");
  return block;
}

template <class Device>
void Runtime<Device>::release(void* block) noexcept {
  // fails only where an earlier failure, or the end of the process, has taken the device away
  (void)cudaFreeAsync(block, cudaStreamLegacy);
}

template <class Device>
void* Runtime<Device>::allocate_pinned(std::size_t bytes) {
  void* block = nullptr;
  check(cudaMallocHost(&block, bytes == 0 ? 1 : bytes), "cudaMallocHost", " for ", bytes, " bytes of page-locked memory");
  return block;
}

template <class Device>
void Runtime<Device>::release_pinned(void* block) noexcept {
  (void)cudaFreeHost(block);
}

template <class Device>
void Runtime<Device>::copy(void* to, void const* from, std::size_t bytes, Direction direction) {
  if (bytes == 0) return;
  cudaMemcpyKind kind = cudaMemcpyDeviceToDevice;
  if (direction == Direction::to_device) kind = cudaMemcpyHostToDevice;
  if (direction == Direction::to_host) kind = cudaMemcpyDeviceToHost;
  check(cudaMemcpyAsync(to, from, bytes, kind, stream()), "cudaMemcpyAsync", " for ", bytes, " bytes");
}

template <class Device>
void Runtime<Device>::synchronize() {
  check(cudaStreamSynchronize(stream()), "cudaStreamSynchronize");
}

template <class Device>
std::string Runtime<Device>::why_unavailable() {
  int devices = 0, pools = 0;
  cudaError_t status = cudaGetDeviceCount(&devices);
  if (status == cudaSuccess && devices == 0) return "no CUDA device";
  if (status == cudaSuccess) status = cudaDeviceGetAttribute(&pools, cudaDevAttrMemoryPoolsSupported, 0);
  if (status == cudaSuccess) return pools ? "" : "device 0 has no memory pools";
  (void)cudaGetLastError();
  return cat("no CUDA device (", cudaGetErrorName(status), ": ", cudaGetErrorString(status), ")");
}

template <class Device>
std::string Runtime<Device>::describe() {
  int device = 0;
  cudaDeviceProp properties{};
  if (cudaGetDevice(&device) == cudaSuccess && cudaGetDeviceProperties(&properties, device) == cudaSuccess)
    return cat("device ", device, " (", static_cast<char const*>(properties.name), ")");
  (void)cudaGetLastError();
  return "an unknown device";
}

}  // namespace graft::kernels::cuda

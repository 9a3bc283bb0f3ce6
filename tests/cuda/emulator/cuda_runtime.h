// CUDA's runtime on the host, as far as graft's kernels use it: their own code runs, thread by thread, where there is no GPU. Stricter than one:
// device memory can be touched in kernels and copies only, ends at a guard page, and starts as NaN; all threads of a block meet at a barrier, or none.
#pragma once

#include <cstdint>
#include <cstring>
#include <set>

#include "execution.hpp"
#include "memory.hpp"

#define __global__
#define __device__
#define __host__
#define __shared__ static

using cudaStream_t = void*;
using cudaMemPool_t = int;
enum { cudaStreamNonBlocking = 1 };

enum cudaError_t { cudaSuccess, cudaErrorInvalidValue, cudaErrorMemoryAllocation, cudaErrorInvalidConfiguration };
enum cudaMemcpyKind { cudaMemcpyHostToDevice = 1, cudaMemcpyDeviceToHost, cudaMemcpyDeviceToDevice };
enum { cudaMemAllocationTypePinned, cudaMemHandleTypeNone, cudaMemLocationTypeDevice, cudaMemPoolAttrReleaseThreshold, cudaDevAttrMemoryPoolsSupported };

struct cudaMemPoolProps {
  int allocType, handleTypes;
  struct {
    int type, id;
  } location;
};
struct cudaDeviceProp {
  char name[16];
};
struct cudaLaunchConfig_t {
  dim3 gridDim, blockDim;
  cudaStream_t stream;
};

inline cudaError_t cudaGetLastError() { return cudaSuccess; }
inline char const* cudaGetErrorName(cudaError_t error) {
  char const* const names[] = {"cudaSuccess", "cudaErrorInvalidValue", "cudaErrorMemoryAllocation", "cudaErrorInvalidConfiguration"};
  return names[error];
}
inline char const* cudaGetErrorString(cudaError_t) { return "emulated"; }
inline cudaError_t cudaGetDeviceCount(int* count) { return *count = 1, cudaSuccess; }
inline cudaError_t cudaGetDevice(int* device) { return *device = 0, cudaSuccess; }
inline cudaError_t cudaDeviceGetAttribute(int* value, int, int) { return *value = 1, cudaSuccess; }
inline cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int) { return std::strcpy(properties->name, "emulated"), cudaSuccess; }
inline cudaError_t cudaMemPoolCreate(cudaMemPool_t*, cudaMemPoolProps const*) { return cudaSuccess; }
inline cudaError_t cudaMemPoolSetAttribute(cudaMemPool_t, int, void*) { return cudaSuccess; }
inline cudaError_t cudaMemGetInfo(std::size_t* available, std::size_t* total) { return *available = *total = emulator::capacity, cudaSuccess; }
inline cudaError_t cudaMemPoolDestroy(cudaMemPool_t) { return cudaSuccess; }

namespace emulator {
/// The streams that there are. CUDA's default ones, null among them, are refused: nothing of graft's may run in them.
inline std::set<cudaStream_t>& streams() {
  static auto* streams = new std::set<cudaStream_t>;
  return *streams;
}
inline bool is_stream(cudaStream_t stream) { return streams().count(stream) > 0; }
inline int synchronizations = 0;  ///< how often the host has waited
}  // namespace emulator

inline cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags) {
  if (flags != cudaStreamNonBlocking) return cudaErrorInvalidValue;
  *stream = new char;
  emulator::streams().insert(*stream);
  return cudaSuccess;
}
inline cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  if (emulator::streams().erase(stream) == 0) return cudaErrorInvalidValue;
  delete static_cast<char*>(stream);
  return cudaSuccess;
}
inline cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  ++emulator::synchronizations;
  return emulator::is_stream(stream) ? cudaSuccess : cudaErrorInvalidValue;
}

inline cudaError_t cudaMallocFromPoolAsync(void** block, std::size_t bytes, cudaMemPool_t, cudaStream_t stream) {
  if (!emulator::is_stream(stream)) return cudaErrorInvalidValue;
  *block = emulator::DeviceMemory::instance().allocate(bytes);
  return *block ? cudaSuccess : cudaErrorMemoryAllocation;
}
inline cudaError_t cudaFreeAsync(void* block, cudaStream_t stream) {
  return emulator::is_stream(stream) && emulator::DeviceMemory::instance().release(block) ? cudaSuccess : cudaErrorInvalidValue;
}
inline cudaError_t cudaMallocHost(void** block, std::size_t bytes) { return *block = std::malloc(bytes), cudaSuccess; }
inline cudaError_t cudaFreeHost(void* block) { return std::free(block), cudaSuccess; }

inline cudaError_t cudaMemcpyAsync(void* to, void const* from, std::size_t bytes, cudaMemcpyKind kind, cudaStream_t stream) {
  if (!emulator::is_stream(stream)) return cudaErrorInvalidValue;
  auto& memory = emulator::DeviceMemory::instance();
  if (memory.owns(to, bytes) != (kind != cudaMemcpyDeviceToHost) || memory.owns(from, bytes) != (kind != cudaMemcpyHostToDevice)) return cudaErrorInvalidValue;
  emulator::Access const access;
  std::memcpy(to, from, bytes);
  return cudaSuccess;
}

template <class... Parameters, class... Arguments>
cudaError_t cudaLaunchKernelEx(cudaLaunchConfig_t const* configuration, void (*kernel)(Parameters...), Arguments&&... arguments) {
  dim3 const grid = configuration->gridDim, block = configuration->blockDim;
  if (!emulator::is_stream(configuration->stream)) return cudaErrorInvalidValue;
  std::uint64_t const threads = std::uint64_t{block.x} * block.y * block.z;
  if (grid.x == 0 || grid.x > 0x7fffffffU || grid.y != 1 || grid.z != 1 || threads == 0 || threads > 1024) return cudaErrorInvalidConfiguration;
  emulator::Access const access;
  emulator::run(grid, block, [&](Parameters... parameters) { return [=] { kernel(parameters...); }; }(arguments...));
  return cudaSuccess;
}

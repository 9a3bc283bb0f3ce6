/// @file
/// @brief The GPU's memory and copies, through its queue.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include <graft/kernels/cuda/queue.cuh>

namespace graft::kernels::cuda {

template <class Device>
void* Runtime<Device>::allocate(std::size_t bytes) {
  void* block = nullptr;
  cudaError_t const status = Queue<Cuda>::current().allocate(&block, bytes == 0 ? 1 : bytes);
  if (status == cudaErrorMemoryAllocation) {
    (void)cudaGetLastError();
    std::size_t available = 0, total = 0;
    (void)cudaMemGetInfo(&available, &total);
    fail<MemoryError>("[cuda] out of memory on ", describe(), "; got a request for ", bytes, " bytes with ", available,
                      " of ", total, " free; expected it to fit; hint: a smaller batch");
  }
  check(status, "cudaMallocFromPoolAsync", " for ", bytes, " bytes");
  return block;
}

template <class Device>
void Runtime<Device>::release(void* block) noexcept {
  Queue<Cuda>::current().release(block);
}

template <class Device>
void* Runtime<Device>::allocate_pinned(std::size_t bytes) {
  void* block = nullptr;
  check(cudaMallocHost(&block, bytes == 0 ? 1 : bytes), "cudaMallocHost", " for ", bytes,
        " bytes of page-locked memory");
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
  check(cudaMemcpyAsync(to, from, bytes, kind, Queue<Cuda>::current().stream()), "cudaMemcpyAsync", " for ", bytes,
        " bytes");
}

template <class Device>
void Runtime<Device>::upload(void* to, void const* from, std::size_t bytes) {
  if (bytes > 0) Queue<Cuda>::current().upload(to, from, bytes);
}

template <class Device>
void Runtime<Device>::synchronize() {
  check(cudaStreamSynchronize(Queue<Cuda>::current().stream()), "cudaStreamSynchronize");
}

template <class Device>
MemoryUse Runtime<Device>::memory_use() {
  return Queue<Cuda>::current().memory_use();
}

template <class Device>
void Runtime<Device>::reset_peak() {
  Queue<Cuda>::current().reset_peak();
}

/// Why kernels for these compute capabilities (800 is 8.0) do not run on a device; empty where they may. Those for an
/// older one are compiled again by the driver, where the program has their PTX.
inline std::string too_old(int major, int minor, std::vector<int> const& compiled_for) {
  if (compiled_for.empty()) return "";
  int const least = *std::min_element(compiled_for.begin(), compiled_for.end()), own = major * 100 + minor * 10;
  if (own >= least) return "";
  return cat("device 0 has the compute capability ", major, ".", minor, ", and this program's kernels are for ",
             least / 100, ".", least % 100 / 10, " and newer (CMAKE_CUDA_ARCHITECTURES)");
}
/// Those that this source is compiled for.
inline std::vector<int> compiled_capabilities() {
#ifdef __CUDA_ARCH_LIST__
  return {__CUDA_ARCH_LIST__};
#else
  return {};
#endif
}

template <class Device>
void Runtime<Device>::begin_together() {
  Queue<Cuda>::current().begin_together();
}
template <class Device>
void Runtime<Device>::end_together() noexcept {
  Queue<Cuda>::current().end_together();
}
template <class Device>
GraphUse Runtime<Device>::graph_use() {
  return Queue<Cuda>::current().graph_use();
}

template <class Device>
void* Runtime<Device>::make_mark() {
  cudaEvent_t event{};
  check(cudaEventCreateWithFlags(&event, cudaEventDisableTiming), "cudaEventCreateWithFlags");
  return event;
}
template <class Device>
void Runtime<Device>::release_mark(void* mark) noexcept {
  (void)cudaEventDestroy(static_cast<cudaEvent_t>(mark));
}
template <class Device>
void Runtime<Device>::set_mark(void* mark) {
  check(cudaEventRecord(static_cast<cudaEvent_t>(mark), Queue<Cuda>::current().stream()), "cudaEventRecord");
}
template <class Device>
void Runtime<Device>::wait_for_mark(void* mark) {
  check(cudaEventSynchronize(static_cast<cudaEvent_t>(mark)), "cudaEventSynchronize");
}

template <class Device>
std::string Runtime<Device>::why_unavailable() {
  int devices = 0, pools = 0, major = 0, minor = 0;
  cudaError_t status = cudaGetDeviceCount(&devices);
  if (status == cudaSuccess && devices == 0) return "no CUDA device";
  if (status == cudaSuccess) status = cudaDeviceGetAttribute(&pools, cudaDevAttrMemoryPoolsSupported, 0);
  if (status == cudaSuccess) status = cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, 0);
  if (status == cudaSuccess) status = cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, 0);
  if (status == cudaSuccess)
    return pools ? too_old(major, minor, compiled_capabilities()) : "device 0 has no memory pools";
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

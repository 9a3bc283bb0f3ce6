// CUDA's runtime on the host, as far as graft's kernels use it: their own code runs, thread by thread, where there is no GPU. Stricter than one:
// device memory can be touched in kernels and copies only, ends at a guard page, and starts as NaN; all threads of a block meet at a barrier, or none;
// a copy from the host reads its source late, when the device is asked for something else.
#pragma once

#include <cstdint>
#include <cstring>
#include <functional>
#include <set>
#include <utility>
#include <vector>

#include "execution.hpp"
#include "memory.hpp"

#define __global__
#define __device__
#define __host__
#define __shared__ static
#define __launch_bounds__(...)

using cudaStream_t = void*;
using cudaMemPool_t = int;
using cudaEvent_t = std::uint64_t*;
enum { cudaStreamNonBlocking = 1, cudaEventDisableTiming };

enum cudaError_t { cudaSuccess, cudaErrorInvalidValue, cudaErrorMemoryAllocation, cudaErrorInvalidConfiguration, cudaErrorNotReady, cudaErrorStreamCaptureUnsupported };
enum cudaMemcpyKind { cudaMemcpyHostToDevice = 1, cudaMemcpyDeviceToHost, cudaMemcpyDeviceToDevice };
enum { cudaMemAllocationTypePinned, cudaMemHandleTypeNone, cudaMemLocationTypeDevice, cudaDevAttrMemoryPoolsSupported, cudaDevAttrComputeCapabilityMajor, cudaDevAttrComputeCapabilityMinor };
enum cudaMemPoolAttr { cudaMemPoolAttrReleaseThreshold, cudaMemPoolAttrUsedMemCurrent, cudaMemPoolAttrUsedMemHigh, cudaMemPoolAttrReservedMemCurrent };

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
  char const* const names[] = {"cudaSuccess", "cudaErrorInvalidValue", "cudaErrorMemoryAllocation", "cudaErrorInvalidConfiguration", "cudaErrorNotReady", "cudaErrorStreamCaptureUnsupported"};
  return names[error];
}
inline char const* cudaGetErrorString(cudaError_t) { return "emulated"; }
inline cudaError_t cudaGetDeviceCount(int* count) { return *count = 1, cudaSuccess; }
namespace emulator {
inline int device = 0;  ///< the threads' own; memory and streams are those of 0
}
inline cudaError_t cudaGetDevice(int* device) { return *device = emulator::device, cudaSuccess; }
inline cudaError_t cudaSetDevice(int device) { return emulator::device = device, cudaSuccess; }
inline cudaError_t cudaDeviceGetAttribute(int* value, int, int) { return *value = 1, cudaSuccess; }
inline cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int) { return std::strcpy(properties->name, "emulated"), cudaSuccess; }
inline cudaError_t cudaMemPoolCreate(cudaMemPool_t*, cudaMemPoolProps const*) { return cudaSuccess; }
inline cudaError_t cudaMemPoolSetAttribute(cudaMemPool_t, cudaMemPoolAttr which, void* value) {
  if (which == cudaMemPoolAttrUsedMemHigh && *static_cast<std::uint64_t*>(value) != 0) return cudaErrorInvalidValue;
  if (which == cudaMemPoolAttrUsedMemHigh) emulator::DeviceMemory::instance().reset_peak();
  return cudaSuccess;
}
inline cudaError_t cudaMemPoolGetAttribute(cudaMemPool_t, cudaMemPoolAttr which, void* value) {
  auto const& memory = emulator::DeviceMemory::instance();
  *static_cast<std::uint64_t*>(value) = which == cudaMemPoolAttrUsedMemHigh ? memory.peak() : memory.used();
  return cudaSuccess;
}
inline cudaError_t cudaMemGetInfo(std::size_t* available, std::size_t* total) { return *available = *total = emulator::capacity, cudaSuccess; }
inline cudaError_t cudaMemPoolTrimTo(cudaMemPool_t, std::size_t) { return cudaSuccess; }
inline cudaError_t cudaMemPoolDestroy(cudaMemPool_t) { return cudaSuccess; }

namespace emulator {
/// The streams that there are. CUDA's default ones, null among them, are refused: nothing of graft's may run in them.
inline std::set<cudaStream_t>& streams() {
  static auto* streams = new std::set<cudaStream_t>;
  return *streams;
}
inline bool is_stream(cudaStream_t stream) { return streams().count(stream) > 0; }
inline int synchronizations = 0;  ///< how often the host has waited for all that it has asked for
inline int marks_waited_for = 0;  ///< how often it has waited for an event
inline int pinned = 0;            ///< how often page-locked memory was asked for
inline int launches = 0;          ///< how many kernels were started

/// What a stream takes down in place of doing it.
using Steps = std::vector<std::function<void()>>;
struct Capture {
  cudaStream_t stream = nullptr;  ///< null: none does
  Steps steps;
};
inline Capture capture;
inline bool refuses_capture = false;  ///< as a driver that is too old, or a call that no graph can hold
inline bool is_capturing(cudaStream_t stream) { return stream && capture.stream == stream; }
/// Waiting, memory, copies and events are refused while a stream captures.
inline bool captures() { return capture.stream != nullptr; }
inline std::size_t fetched = 0;   ///< how many bytes have come to the host

/// The last copy from the host, until something else is asked of the device.
struct Upload {
  void* to;
  void const* from;
  std::size_t bytes;
};
inline Upload waiting{};
inline std::uint64_t uploads_asked = 0, uploads_done = 0;
inline void catch_up() {
  if (uploads_done == uploads_asked) return;
  Access const access;
  std::memcpy(waiting.to, waiting.from, waiting.bytes);
  uploads_done = uploads_asked;
}
/// Does what a kernel or a product does, or lets the stream take it down.
template <class Step>
void ask(cudaStream_t stream, Step const& step) {
  if (is_capturing(stream)) {
    capture.steps.emplace_back([step] { step(); });
    return;
  }
  catch_up();
  if (idle) return;
  Access const access;
  step();
}
}  // namespace emulator

using cudaGraph_t = emulator::Steps*;
using cudaGraphExec_t = emulator::Steps*;
enum cudaStreamCaptureMode { cudaStreamCaptureModeThreadLocal = 1 };
inline cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode) {
  if (!emulator::is_stream(stream) || emulator::captures()) return cudaErrorInvalidValue;
  emulator::capture = {stream, {}};
  return cudaSuccess;
}
inline cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  if (!emulator::is_capturing(stream)) return cudaErrorInvalidValue;
  if (!emulator::refuses_capture) *graph = new emulator::Steps(std::move(emulator::capture.steps));
  emulator::capture = {};
  return emulator::refuses_capture ? cudaErrorStreamCaptureUnsupported : cudaSuccess;
}
inline cudaError_t cudaGraphInstantiate(cudaGraphExec_t* made, cudaGraph_t graph, unsigned long long) { return *made = new emulator::Steps(*graph), cudaSuccess; }
inline cudaError_t cudaGraphDestroy(cudaGraph_t graph) { return delete graph, cudaSuccess; }
inline cudaError_t cudaGraphExecDestroy(cudaGraphExec_t graph) { return delete graph, cudaSuccess; }
inline cudaError_t cudaGraphLaunch(cudaGraphExec_t graph, cudaStream_t stream) {
  if (!emulator::is_stream(stream) || emulator::captures()) return cudaErrorInvalidValue;
  for (auto const& step : *graph) emulator::ask(stream, step);
  return cudaSuccess;
}

inline cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags) {
  if (flags != cudaStreamNonBlocking) return cudaErrorInvalidValue;
  *stream = new char;
  emulator::streams().insert(*stream);
  return cudaSuccess;
}
inline cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  emulator::catch_up();
  if (emulator::streams().erase(stream) == 0) return cudaErrorInvalidValue;
  delete static_cast<char*>(stream);
  return cudaSuccess;
}
inline cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  if (emulator::captures()) return cudaErrorStreamCaptureUnsupported;
  ++emulator::synchronizations;
  emulator::catch_up();
  return emulator::is_stream(stream) ? cudaSuccess : cudaErrorInvalidValue;
}

inline cudaError_t cudaMallocFromPoolAsync(void** block, std::size_t bytes, cudaMemPool_t, cudaStream_t stream) {
  if (!emulator::is_stream(stream) || emulator::captures()) return cudaErrorInvalidValue;
  *block = emulator::DeviceMemory::instance().allocate(bytes);
  return *block ? cudaSuccess : cudaErrorMemoryAllocation;
}
inline cudaError_t cudaFreeAsync(void* block, cudaStream_t stream) {
  if (emulator::captures()) return cudaErrorStreamCaptureUnsupported;
  emulator::catch_up();
  return emulator::is_stream(stream) && emulator::DeviceMemory::instance().release(block) ? cudaSuccess : cudaErrorInvalidValue;
}
inline cudaError_t cudaMallocHost(void** block, std::size_t bytes) {
  if (emulator::captures()) return cudaErrorStreamCaptureUnsupported;
  return ++emulator::pinned, *block = std::malloc(bytes), cudaSuccess;
}
inline cudaError_t cudaFreeHost(void* block) { return std::free(block), cudaSuccess; }

inline cudaError_t cudaMemcpyAsync(void* to, void const* from, std::size_t bytes, cudaMemcpyKind kind, cudaStream_t stream) {
  if (!emulator::is_stream(stream) || emulator::captures()) return cudaErrorInvalidValue;
  auto& memory = emulator::DeviceMemory::instance();
  if (memory.owns(to, bytes) != (kind != cudaMemcpyDeviceToHost) || memory.owns(from, bytes) != (kind != cudaMemcpyHostToDevice)) return cudaErrorInvalidValue;
  emulator::catch_up();
  if (kind == cudaMemcpyHostToDevice) {
    emulator::waiting = {to, from, bytes};
    ++emulator::uploads_asked;
    return cudaSuccess;
  }
  if (kind == cudaMemcpyDeviceToHost) emulator::fetched += bytes;
  emulator::Access const access;
  if (emulator::idle)
    std::memset(to, 0, bytes);  // what no kernel has computed
  else
    std::memcpy(to, from, bytes);
  return cudaSuccess;
}

/// An event is the number of the upload before it.
inline cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned flags) {
  return *event = new std::uint64_t(0), flags == cudaEventDisableTiming ? cudaSuccess : cudaErrorInvalidValue;
}
inline cudaError_t cudaEventDestroy(cudaEvent_t event) { return delete event, cudaSuccess; }
inline cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  if (emulator::captures()) return cudaErrorStreamCaptureUnsupported;
  return *event = emulator::uploads_asked, emulator::is_stream(stream) ? cudaSuccess : cudaErrorInvalidValue;
}
inline cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  ++emulator::marks_waited_for;
  if (*event > emulator::uploads_done) emulator::catch_up();
  return cudaSuccess;
}
inline cudaError_t cudaEventQuery(cudaEvent_t event) { return *event <= emulator::uploads_done ? cudaSuccess : cudaErrorNotReady; }

template <class... Parameters, class... Arguments>
cudaError_t cudaLaunchKernelEx(cudaLaunchConfig_t const* configuration, void (*kernel)(Parameters...), Arguments&&... arguments) {
  dim3 const grid = configuration->gridDim, block = configuration->blockDim;
  if (!emulator::is_stream(configuration->stream)) return cudaErrorInvalidValue;
  std::uint64_t const threads = std::uint64_t{block.x} * block.y * block.z;
  if (grid.x == 0 || grid.x > 0x7fffffffU || grid.y != 1 || grid.z != 1 || threads == 0 || threads > 1024) return cudaErrorInvalidConfiguration;
  if (!emulator::captures()) ++emulator::launches;
  // copies of the arguments, as a launch makes them
  emulator::ask(configuration->stream, [grid, block, started = [&](Parameters... parameters) { return [=] { kernel(parameters...); }; }(arguments...)] { emulator::run(grid, block, started); });
  return cudaSuccess;
}

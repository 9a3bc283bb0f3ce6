/// @file
/// @brief What a GPU offers beside kernels: memory, copies, waiting. Free of CUDA's headers; defined in
/// kernels/cuda/runtime.cuh.
#pragma once

#include <cstddef>
#include <string>

#include <graft/kernels/cuda_listed.hpp>

namespace graft::kernels::cuda {

/// Which way a copy goes.
enum class Direction { to_device, to_host, within_device };

/// Bytes of the pool that tensors' memory comes from.
struct MemoryUse {
  std::size_t used = 0;      ///< handed out, each block's size rounded up
  std::size_t peak = 0;      ///< the most that was handed out at a time, since the start or the last reset
  std::size_t reserved = 0;  ///< taken from the device, what was given back to the pool included
};

/// What has been started by graphs (`graft::WorkTogether`), since the program began.
struct GraphUse {
  std::size_t made = 0;      ///< graphs
  std::size_t launched = 0;  ///< how often one was started
  std::size_t kernels = 0;   ///< kernels and products that graphs have started
  std::size_t alone = 0;     ///< those that were collected, and then started one by one
};

/// Everything happens on the first visible device (CUDA_VISIBLE_DEVICES chooses), in the order of the calls: kernels,
/// copies and the return of memory share one queue, whichever host thread asks (`Queue<Cuda>`, kernels/cuda/queue.cuh).
/// Failures are thrown as `Error`.
/// @tparam Device `Cuda`; a template so that several generated sources of one program merge
template <class Device>
struct Runtime {
  /// Uninitialised memory on the device from a pool that keeps what is given back; not null, even for 0 bytes.
  static void* allocate(std::size_t bytes);
  /// Gives a block back: work that was asked for before may still use it.
  static void release(void* block) noexcept;
  /// Page-locked host memory, which copies read and write without waiting; slow to make.
  static void* allocate_pinned(std::size_t bytes);
  static void release_pinned(void* block) noexcept;
  /// Starts a copy. Host memory that is not page-locked may be read or written before
  /// the call returns or after it: wait before touching it.
  static void copy(void* to, void const* from, std::size_t bytes, Direction direction);
  /// Starts a copy of host memory to the device: the memory may change, or go, as soon as the call returns, which waits
  /// for nothing.
  static void upload(void* to, void const* from, std::size_t bytes);
  /// Waits for all work that was asked for; throws what went wrong in it.
  static void synchronize();
  /// A mark that can stand behind all work that was asked for so far.
  static void* make_mark();
  static void release_mark(void* mark) noexcept;
  static void set_mark(void* mark);
  /// Waits until the device has passed the mark where it was last set; for nothing that was asked for later.
  static void wait_for_mark(void* mark);
  /// Waits for nothing.
  static MemoryUse memory_use();
  /// The peak begins anew with what is in use.
  static void reset_peak();
  /// From `begin_together` to `end_together`, which may be nested, kernels are collected and started in runs. Whoever
  /// waits, copies, or asks for a mark starts what has been collected.
  static void begin_together();
  /// What goes wrong is thrown by the next call that starts or waits for something.
  static void end_together() noexcept;
  static GraphUse graph_use();
  /// Why no device can be used, in words; empty where one can.
  static std::string why_unavailable();
  /// As in "device 0 (NVIDIA H200)".
  static std::string describe();
};

}  // namespace graft::kernels::cuda

/// @file
/// @brief Page-locked memory through which the host's numbers reach a GPU without a wait.
#pragma once

#include <cstddef>
#include <cstring>
#include <mutex>
#include <vector>

#include <graft/kernels/cuda/check.cuh>

namespace graft::kernels::cuda {

/// Blocks that copies to the device read. A block is used again once the device has passed the copy that read it; in a
/// steady state nothing is asked of the system.
class Staging {
 public:
  Staging() = default;
  Staging(Staging const&) = delete;
  Staging& operator=(Staging const&) = delete;
  /// The stream must have come to its end.
  ~Staging() {
    for (Block const& block : blocks_) {
      (void)cudaEventDestroy(block.read);
      (void)cudaFreeHost(block.data);
    }
  }

  /// Queues a copy in `stream`; `from` may change, or go, as soon as the call returns.
  void upload(void* to, void const* from, std::size_t bytes, cudaStream_t stream) {
    std::lock_guard<std::mutex> const lock(mutex_);
    Block const& block = free_block(bytes);
    std::memcpy(block.data, from, bytes);
    check(cudaMemcpyAsync(to, block.data, bytes, cudaMemcpyHostToDevice, stream), "cudaMemcpyAsync", " for ", bytes,
          " bytes");
    check(cudaEventRecord(block.read, stream), "cudaEventRecord");
  }

 private:
  struct Block {
    void* data = nullptr;
    std::size_t bytes = 0;
    cudaEvent_t read{};  ///< behind the last copy that reads it
  };

  /// The smallest that is large enough and that no copy is going to read, or a new one.
  Block const& free_block(std::size_t bytes) {
    Block const* found = nullptr;
    for (Block const& block : blocks_)
      if (block.bytes >= bytes && (!found || block.bytes < found->bytes) && passed(block)) found = &block;
    if (found) return *found;
    Block made;
    for (made.bytes = std::size_t{1} << 16; made.bytes < bytes;) made.bytes *= 2;
    blocks_.reserve(blocks_.size() + 1);
    check(cudaMallocHost(&made.data, made.bytes), "cudaMallocHost", " for ", made.bytes,
          " bytes of page-locked memory");
    if (cudaError_t const status = cudaEventCreateWithFlags(&made.read, cudaEventDisableTiming);
        status != cudaSuccess) {
      (void)cudaFreeHost(made.data);
      check(status, "cudaEventCreateWithFlags");
    }
    blocks_.push_back(made);
    return blocks_.back();
  }
  static bool passed(Block const& block) {
    cudaError_t const status = cudaEventQuery(block.read);
    if (status == cudaErrorNotReady) (void)cudaGetLastError();  // says when, not that anything went wrong
    return status == cudaSuccess;
  }

  std::mutex mutex_;
  std::vector<Block> blocks_;
};

}  // namespace graft::kernels::cuda
